// The worker thread of the machine-host process: machine, host and DAP session live here; bytes come and go by messages.

import { parentPort } from 'node:worker_threads';
import { encodeMessage, MessageReader } from './framing.ts';
import { Session } from './session.ts';

/** What the main thread and the worker tell each other. */
export type FromWorker =
  | { readonly bytes: Uint8Array }
  | { readonly closed: true }
  /** What came in is no DAP: there is nobody to go on with. */
  | { readonly garbled: string };

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
  let messages: unknown[];
  try {
    messages = reader.push(chunk);
  } catch (error) {
    port.postMessage({ garbled: (error as Error).message } satisfies FromWorker);
    return;
  }
  for (const message of messages) last = last.then(() => session.handle(message));
});
