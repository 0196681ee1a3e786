// Golden transcripts: every DAP message of a session, compared with transcripts/NAME.txt. Numbers that belong to the build of
// the sample (addresses, frames, instruction counts) are written as 0x… and N. UPDATE_TRANSCRIPTS=1 writes the files anew.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DapClient } from './client.ts';

const folder = join(import.meta.dirname, 'transcripts');

const normalise = (line: string): string =>
  line
    .replace(/0x[0-9a-f]{5,16}\b/g, '0x…')
    .replace(/mfn [0-9a-f]{4,}/g, 'mfn …')
    .replace(/pfn [0-9a-f]{3,}/g, 'pfn …')
    .replace(/\b[0-9]{1,3}(,[0-9]{3})+\b/g, 'N')
    .replace(/\b[0-9]{6,}\b/g, 'N');

export function expectTranscript(client: DapClient, name: string): void {
  const file = join(folder, `${name}.txt`);
  const text = `${client.transcript.map(normalise).join('\n')}\n`;
  if (process.env.UPDATE_TRANSCRIPTS) writeFileSync(file, text);
  if (!existsSync(file)) throw new Error(`${file} does not exist; run the test once with UPDATE_TRANSCRIPTS=1 and read what it wrote.`);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
