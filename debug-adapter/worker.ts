// The worker thread of the machine-host process: machine, host and DAP session live here; bytes come and go by messages.

import { parentPort } from 'node:worker_threads';
import { encodeMessage, MessageReader } from './framing.ts';
import { Session } from './session.ts';

/** What the main thread and the worker tell each other. */
export type FromWorker = { readonly bytes: Uint8Array } | { readonly closed: true };

if (!parentPort) throw new Error('debug-adapter/worker.ts runs as a worker of debug-adapter/main.ts.');
const port = parentPort;
const reader = new MessageReader();
const session = new Session({
  cwd: process.cwd(),
  send: (message) => port.postMessage({ bytes: encodeMessage(message) } satisfies FromWorker),
  closed: () => port.postMessage({ closed: true } satisfies FromWorker),
});

/** Requests are handled one after the other: the answer to one may be what the next is about. */
let last: Promise<void> = Promise.resolve();
port.on('message', (chunk: Uint8Array) => {
  for (const message of reader.push(chunk)) last = last.then(() => session.handle(message));
});
