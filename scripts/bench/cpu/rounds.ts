// Interleaved rounds: each engine in turn, again and again, so that what else the machine does hits all of them.

import type { Peer, PeerRun } from './peer.ts';

export interface Measured {
  readonly engine: string;
  readonly n: number;
  readonly runs: readonly PeerRun[];
}

export interface Entrant {
  readonly peer: Peer;
  /** In how many of the rounds it takes part; the slow ones sit some out. */
  readonly rounds: number;
}

/** All runs of all engines with the count `n`. Throws when two engines disagree on the checksum. */
export async function interleave(what: string, entrants: readonly Entrant[], n: number): Promise<Measured[]> {
  const runs = new Map<string, PeerRun[]>(entrants.map(({ peer }) => [peer.name, []]));
  const most = Math.max(...entrants.map(({ rounds }) => rounds));
  for (let round = 0; round < most; round++)
    for (const { peer, rounds } of entrants) if (round < rounds) runs.get(peer.name)!.push(await peer.run(n));
  const sums = new Map([...runs].flatMap(([name, all]) => all.map((run) => [run.checksum, name] as const)));
  if (sums.size > 1)
    throw new Error(`${what}: the engines computed different checksums: ${[...sums].map(([sum, name]) => `${name} ${sum}`).join(', ')}`);
  return [...runs].map(([engine, all]) => ({ engine, n, runs: all }));
}

export const bestNs = (measured: Measured): number => Math.min(...measured.runs.map(({ cpuNs }) => cpuNs));
