// Entry of the machine-host process, which the editor starts with DAP on stdin and stdout. The work is done in a worker; this
// thread only passes bytes, so that it can end the worker at any moment.

import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { encodeMessage } from './framing.ts';
import type { FromWorker } from './worker.ts';

const bugExitCode = 70;
const worker = new Worker(join(dirname(process.argv[1]!), 'machine-worker.cjs'));

function leave(code: number): void {
  // What was written shall arrive before the process ends.
  process.stdout.write('', () => process.exit(code));
}

/** The worker is gone: tell the editor, which would wait for it for ever. */
function failed(reason: string): void {
  process.stderr.write(`${reason}\n`);
  const output = { category: 'important', output: `Hyperport's machine host has failed, a bug: ${reason}\n` };
  process.stdout.write(encodeMessage({ seq: 0, type: 'event', event: 'output', body: output }));
  process.stdout.write(encodeMessage({ seq: 0, type: 'event', event: 'terminated' }));
  leave(bugExitCode);
}

worker.on('message', (message: FromWorker) => {
  if ('bytes' in message) process.stdout.write(message.bytes);
  else leave(0);
});
worker.on('error', (error) => failed(error instanceof Error ? (error.stack ?? error.message) : String(error)));
worker.on('exit', (code) => {
  if (code !== 0) failed(`the worker ended with code ${code}`);
});

process.stdin.on('data', (chunk: Buffer) => worker.postMessage(new Uint8Array(chunk)));
// The editor has gone: nobody can use this machine any more.
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
process.stdout.on('error', () => process.exit(0));
