// v86 (npm) as a peer for 32-bit workloads: one process for each, the thread that runs it timed.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { measured, type Peer, ThreadClock } from './peer.ts';
import { SerialConversation } from './serial.ts';

export async function v86Peer(root: string, bundle: string, kernel: string): Promise<Peer> {
  const child = spawn(process.execPath, [bundle, kernel, join(root, 'node_modules/v86')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  const closed = new Promise<number | null>((done) => child.on('close', done));
  const ended = closed.then((code): never => {
    throw new Error(`the process of v86 ended with ${code}`);
  });
  ended.catch(() => {});
  const conversation = new SerialConversation({
    send: (text) => void child.stdin.write(text),
    onText: (listener) => void child.stdout.on('data', (data: Buffer) => listener(data.toString('latin1'))),
    ended,
  });
  await conversation.ready();
  const clock = new ThreadClock(child.pid!, child.pid!);
  return {
    name: 'v86',
    async run(n) {
      await conversation.type(n);
      return measured(clock, async () => ({ checksum: (await conversation.go()).checksum, detail: {} }));
    },
    async close() {
      child.stdin.end();
      await closed;
    },
  };
}
