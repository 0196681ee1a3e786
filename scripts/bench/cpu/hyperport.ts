// Our engine as a peer: one process for each workload, the bundle of engine-process.ts on the Node given.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ProcessOptions, Request } from './engine-process.ts';
import type { Outcome } from './guest-machine.ts';
import { measured, type Peer, ThreadClock } from './peer.ts';

export interface EnginePeer extends Peer {
  ask(request: Request): Promise<Record<string, unknown>>;
}

export async function enginePeer(name: string, node: string, bundle: string, options: ProcessOptions): Promise<EnginePeer> {
  const child = spawn(node, [bundle, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  const closed = new Promise<number | null>((done) => child.on('close', done));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the process of ${name} ended with ${await closed}`);
    return JSON.parse(value);
  };
  await next();
  const ask = (request: Request): Promise<Record<string, unknown>> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return next();
  };
  // Node executes JavaScript and WebAssembly in the process' first thread.
  const clock = new ThreadClock(child.pid!, child.pid!);
  return {
    name,
    ask,
    run: (n) =>
      measured(clock, async () => {
        const { checksum, ...detail } = (await ask({ run: n })) as unknown as Outcome;
        return { checksum, detail };
      }),
    async close() {
      child.stdin.end();
      await closed;
    },
  };
}
