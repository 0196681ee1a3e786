// The CPU engine against Debian's QEMU (TCG) and, for 32 bit, v86: five workloads, the same bytes in each, checksums and instruction
// counts compared, processor time of the executing thread, rounds interleaved, best of N.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';

import { type Built, buildWorkload, dropOldBuilds, WORKLOADS, type WorkloadName } from './cpu/build.ts';
import { type EnginePeer, enginePeer } from './cpu/hyperport.ts';
import { productMemory } from './cpu/product-memory.ts';
import { qemuCount, qemuPeer } from './cpu/qemu.ts';
import { type CpuRow, limits, rowsOf, targets } from './cpu/report.ts';
import { bestNs, type Entrant, interleave, type Measured } from './cpu/rounds.ts';
import { v86Peer } from './cpu/v86.ts';

/** How often each workload's loop runs: half a second or so on QEMU. */
const COUNTS: Readonly<Record<WorkloadName, number>> = { compute: 1500, memory: 600, branchy: 12000, hypercall: 400_000, wide: 400 };
/** A count small enough for QEMU with an instruction counter. */
const CHECKED: Readonly<Record<WorkloadName, number>> = { compute: 20, memory: 3, branchy: 200, hypercall: 2000, wide: 5 };
const ROUNDS = 5;
const SLOW_ROUNDS = 2;
const COLD_ROUNDS = 3;

export interface Raw {
  readonly node: string;
  readonly node24: string;
  readonly qemu: string;
  readonly binaries: Built[];
  /** Thread time in ns for each run, by workload and engine. */
  readonly measured: { workload: string; instructions: number; engines: Measured[] }[];
  /** First execution of code in fresh processes. */
  readonly cold: { workload: string; instructions: number; engines: Measured[] }[];
  readonly micro: Record<string, number>;
  readonly memory: Record<string, number>;
}

interface Bundles {
  readonly engine: string;
  readonly v86: string;
  readonly node24: string;
}

async function bundles(root: string): Promise<Bundles> {
  const bundle = async (name: string): Promise<string> => {
    const outfile = join(root, `.cache/bench/cpu-${name}.mjs`);
    const entryPoints = [join(root, `scripts/bench/cpu/${name}.ts`)];
    await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', target: 'node20' });
    return outfile;
  };
  const host = `import { ensureVscodeHost } from './scripts/vscode-host.mjs'; console.log(ensureVscodeHost().node);`;
  return {
    engine: await bundle('engine-process'),
    v86: await bundle('v86-process'),
    node24: execFileSync(process.execPath, ['--input-type=module', '-e', host], { cwd: root, encoding: 'utf8' }).trim(),
  };
}

export interface Scope {
  /** 64-bit workloads by name, 32-bit ones with `-32`, `micro` for the single costs; all of them unless given. */
  readonly workloads?: readonly string[];
  readonly rounds?: number;
}

/** While one works on the engine: HYPERPORT_BENCH_WORKLOADS=memory,wide-32 HYPERPORT_BENCH_ROUNDS=2. */
function scopeOfEnvironment(): Scope {
  const { HYPERPORT_BENCH_WORKLOADS: workloads, HYPERPORT_BENCH_ROUNDS: rounds } = process.env;
  return { ...(workloads ? { workloads: workloads.split(',') } : {}), ...(rounds ? { rounds: Number(rounds) } : {}) };
}

export async function run(root: string, scope = scopeOfEnvironment()): Promise<{ rows: CpuRow[]; raw: Raw; summary: string }> {
  const isWanted = (name: string): boolean => scope.workloads?.includes(name) ?? true;
  const wantedRounds = scope.rounds ?? ROUNDS;
  dropOldBuilds(root);
  const made = await bundles(root);
  const binaries: Built[] = [];
  const measured: Raw['measured'] = [];
  const cold: Raw['cold'] = [];
  let qemuCommand = '';
  let micro: Record<string, number> = {};
  const note = (text: string): void => void process.stderr.write(`cpu: ${text}\n`);

  for (const width of [64, 32] as const)
    for (const workload of WORKLOADS) {
      const name = width === 64 ? workload : `${workload}-32`;
      if (!isWanted(name)) continue;
      note(name);
      // V8 compiles a function well after a thousand calls or so: many functions need more rounds until their speed is steady.
      const rounds = workload === 'wide' ? 2 * wantedRounds : wantedRounds;
      const built = buildWorkload(root, workload, width);
      binaries.push(built);
      const options = { image: built.image, width };
      const engine = (engineName: string, node: string, tier1: boolean): Promise<EnginePeer> =>
        enginePeer(engineName, node, made.engine, { ...options, tier1 });
      await compareCounts(name, built, await engine('hyperport-tier0', process.execPath, false), CHECKED[workload]);

      const qemu = await qemuPeer(built.kernel);
      qemuCommand = qemu.commandLine.replace(built.kernel, 'KERNEL').replaceAll(root, '.');
      const entrants: Entrant[] = [
        { peer: qemu, rounds },
        { peer: await engine('hyperport', process.execPath, true), rounds },
      ];
      if (width === 32) entrants.push({ peer: await v86Peer(root, made.v86, built.kernel), rounds });
      else
        entrants.push(
          { peer: await engine('hyperport-node24', made.node24, true), rounds },
          { peer: await engine('hyperport-tier0', process.execPath, false), rounds: Math.min(rounds, SLOW_ROUNDS) },
        );
      const engines = await interleave(name, entrants, COUNTS[workload]);
      const instructions = Number(engines.find(({ engine }) => engine === 'hyperport')!.runs[0]!.detail.instructions);
      measured.push({ workload: name, instructions, engines });
      for (const { peer } of entrants) await peer.close();

      if (width === 64) cold.push(await firstRuns(name, built, (cold) => engine(cold, process.execPath, true), rounds));
    }
  if (isWanted('micro')) {
    const files = { compute: buildWorkload(root, 'compute', 64).image, wide: buildWorkload(root, 'wide', 64).image };
    const peer = await enginePeer('hyperport', process.execPath, made.engine, { image: files.compute, width: 64, tier1: false });
    micro = (await peer.ask({ micro: files })) as Record<string, number>;
    await peer.close();
  }
  const memory = isWanted('micro') ? await productMemory(root) : {};
  const raw: Raw = {
    node: process.version,
    node24: made.node24.replace(root, '.'),
    qemu: qemuCommand,
    binaries,
    measured,
    cold,
    micro,
    memory,
  };
  const rows = rowsOf(raw);
  return { rows, raw, summary: [...targets(raw, rows), ...limits(raw)].join('\n  ') };
}

/** Our count of executed instructions and the checksum against QEMU with its instruction counter. */
async function compareCounts(name: string, built: Built, ours: EnginePeer, n: number): Promise<void> {
  const { checksum, detail } = await ours.run(n);
  await ours.close();
  const counted = await qemuCount(built.kernel, n, Number(detail.hypercalls));
  if (counted.checksum !== checksum) throw new Error(`${name}: checksum ${checksum}, on QEMU ${counted.checksum}`);
  if (counted.instructions !== detail.instructions)
    throw new Error(`${name}: ${detail.instructions} instructions, ${counted.instructions} on QEMU`);
}

/** The first execution of everything, each time in a fresh process: all 2,500 functions once for `wide`, the loop a few times for the others. */
async function firstRuns(
  name: string,
  built: Built,
  engine: (name: string) => Promise<EnginePeer>,
  most: number,
): Promise<Raw['cold'][number]> {
  const n = built.workload === 'wide' ? 1 : CHECKED[built.workload];
  const all: Measured[][] = [];
  for (let round = 0; round < Math.min(most, COLD_ROUNDS); round++) {
    const entrants = [
      { peer: await qemuPeer(built.kernel), rounds: 1 },
      { peer: await engine('hyperport-cold'), rounds: 1 },
    ];
    all.push(await interleave(name, entrants, n));
    for (const { peer } of entrants) await peer.close();
  }
  const engines = all[0]!.map((first, i) => ({ ...first, runs: all.flatMap((round) => round[i]!.runs) }));
  engines.sort((a, b) => bestNs(a) - bestNs(b));
  const ours = engines.find(({ engine }) => engine === 'hyperport-cold')!;
  return { workload: name, instructions: Number(ours.runs[0]!.detail.instructions), engines };
}
