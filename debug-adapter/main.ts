// Entry of the machine-host process, which the editor starts with DAP on stdin and stdout. The work is done in a worker; this
// thread only passes bytes, so that it can end the worker at any moment.

import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { encodeMessage, MessageReader } from './framing.ts';
import type { FromWorker } from './worker.ts';

const bugExitCode = 70;
const usageExitCode = 2;
/** How long a worker may take to answer `disconnect`. */
const patienceMs = 2000;
const seen = new MessageReader();
const worker = new Worker(join(dirname(process.argv[1]!), 'machine-worker.cjs'));

function leave(code: number): void {
  // What was written shall arrive before the process ends.
  process.stdout.write('', () => process.exit(code));
}

/** The worker is of no use any more: tell the editor, which would wait for it for ever. */
function failed(forTheUser: string, log: string, code: number): void {
  process.stderr.write(`${log}\n`);
  process.stdout.write(
    encodeMessage({ seq: 0, type: 'event', event: 'output', body: { category: 'important', output: `${forTheUser}\n` } }),
  );
  process.stdout.write(encodeMessage({ seq: 0, type: 'event', event: 'terminated' }));
  leave(code);
}
const bug = (error: unknown): void => {
  const [message, log] = error instanceof Error ? [error.message, error.stack ?? error.message] : [String(error), String(error)];
  failed(`Hyperport's machine host has failed. This is a bug of Hyperport: ${message}`, log, bugExitCode);
};

/** The answer to `disconnect` cannot wait for a worker that hangs. */
function watchDisconnect(chunk: Uint8Array): void {
  let messages: unknown[] = [];
  try {
    messages = seen.push(chunk);
  } catch {
    return; // The worker says what is wrong with it.
  }
  for (const message of messages as { seq: number; type: string; command: string }[]) {
    if (message.type !== 'request' || message.command !== 'disconnect') continue;
    setTimeout(() => {
      process.stdout.write(encodeMessage({ seq: 0, type: 'response', request_seq: message.seq, command: 'disconnect', success: true }));
      leave(0);
    }, patienceMs).unref();
  }
}

worker.on('message', (message: FromWorker) => {
  if ('bytes' in message) process.stdout.write(message.bytes);
  else if ('closed' in message) leave(0);
  else failed(message.garbled, message.garbled, usageExitCode);
});
worker.on('error', bug);
worker.on('exit', (code) => {
  if (code !== 0) bug(`the worker ended with code ${code}`);
});

process.stdin.on('data', (chunk: Buffer) => {
  const bytes = new Uint8Array(chunk);
  watchDisconnect(bytes);
  worker.postMessage(bytes);
});
// The editor has gone: nobody can use this machine any more.
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
process.stdout.on('error', () => process.exit(0));
