// Runs `hyperport scan` as a test does.

import { UsageError } from '../../cli/io.ts';
import { run } from '../../cli/scan.ts';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

export async function scan(...argv: string[]): Promise<Outcome> {
  let out = '';
  try {
    const code = await run(argv, { stdout: (text) => (out += text), stderr: () => undefined, cwd: process.cwd(), assets: '' });
    return { code, out, error: '' };
  } catch (caught) {
    if (!(caught instanceof UsageError)) throw caught;
    return { code: 2, out, error: caught.message };
  }
}
