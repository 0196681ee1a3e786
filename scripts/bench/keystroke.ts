// From a keystroke to new diagnostics in a C file of 5,000 lines: the real server process over stdio, change sent to diagnostics received.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleServer, type Client, removeBundle, startClient, until } from '../../test/server/client.ts';

const LINES = 5000;
const KEYSTROKES = 150;
const URI = 'file:///bench/kernel.c';

/** The native sample's C sources, over and over. */
function source(root: string): string {
  const folder = join(root, 'samples/tinykernel/native');
  const all = readdirSync(folder)
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const lines = all.split('\n');
  return Array.from({ length: LINES }, (_, i) => lines[i % lines.length]).join('\n');
}

/** Types `typed` at a place, one character a change, and takes it back. Milliseconds of each. */
async function type(client: Client, text: string, line: number, character: number, typed: string, pull: boolean): Promise<number[]> {
  const times: number[] = [];
  let version = 1;
  await client.rpc.sendNotification('textDocument/didOpen', { textDocument: { uri: URI, languageId: 'c', version, text } });
  const answer = async (): Promise<void> => {
    if (pull) await client.rpc.sendRequest('textDocument/diagnostic', { textDocument: { uri: URI } });
    else {
      const wanted = version;
      await new Promise<void>((done) => {
        const look = (): void => (client.published.at(-1)?.version === wanted ? done() : void setImmediate(look));
        look();
      });
    }
  };
  await answer();
  for (let i = 0; i < KEYSTROKES; i++) {
    const at = i % (2 * typed.length);
    const [from, to, inserted] = at < typed.length ? [at, at, typed[at]!] : [2 * typed.length - at - 1, 2 * typed.length - at, ''];
    const started = performance.now();
    version++;
    const range = { start: { line, character: character + from }, end: { line, character: character + to } };
    void client.rpc.sendNotification('textDocument/didChange', {
      textDocument: { uri: URI, version },
      contentChanges: [{ range, text: inserted }],
    });
    await answer();
    times.push(performance.now() - started);
  }
  await client.rpc.sendNotification('textDocument/didClose', { textDocument: { uri: URI } });
  return times;
}

export async function run(root: string): Promise<{ rows: object[]; summary: string; raw: unknown }> {
  const text = source(root);
  const lines = text.split('\n');
  const inCode = lines.findIndex((line, i) => i > LINES / 2 && /^\treturn \w+/.test(line));
  const inAsm = lines.findIndex((line, i) => i > LINES / 2 && line.includes('asm volatile("cli"'));
  const places = [
    ['new statement in a function', inCode, 0, '\tif (x) asm volatile("cli");'],
    ['inside an asm template', inAsm, lines[inAsm]!.indexOf('cli') + 3, '; hlt; nop'],
    ['a comment that is opened and closed', inCode, 0, '/* lgdt */'],
  ] as const;
  const bundle = await bundleServer();
  const raw: { place: string; client: string; ms: number[] }[] = [];
  try {
    for (const pull of [false, true]) {
      const capabilities = { workspace: { configuration: true }, ...(pull ? { textDocument: { diagnostic: {} } } : {}) };
      const client = await startClient(bundle, { capabilities });
      await until(() => client.notifications.some(({ method }) => method === 'hyperport/statusChanged'));
      for (const [place, line, character, typed] of places)
        raw.push({ place, client: pull ? 'pull' : 'push', ms: await type(client, text, line, character, typed, pull) });
      await client.stop();
    }
  } finally {
    removeBundle(bundle);
  }
  const quantile = (ms: readonly number[], q: number): number =>
    Number([...ms].sort((a, b) => a - b)[Math.min(ms.length - 1, Math.floor(q * ms.length))]!.toFixed(1));
  const rows = raw.map(({ place, client, ms }) => ({
    place,
    client,
    lines: LINES,
    'p50 ms': quantile(ms, 0.5),
    'p95 ms': quantile(ms, 0.95),
    'max ms': quantile(ms, 1),
  }));
  const worst = Math.max(...rows.map((row) => row['p95 ms']));
  return { rows, raw, summary: `p95 ${worst} ms at the worst place (promise: below 50 ms)` };
}
