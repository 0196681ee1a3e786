// The process that an engine of ours runs in, one guest each. Requests and answers are lines of JSON; between them it sleeps.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Width } from './build.ts';
import { guestMachine } from './guest-machine.ts';
import { memoryOf } from './memory-use.ts';
import { micro } from './micro.ts';

export interface ProcessOptions {
  readonly image: string;
  readonly width: Width;
  readonly tier1: boolean;
}
export type Request =
  | { readonly run: number }
  | { readonly micro: { readonly compute: string; readonly wide: string } }
  | { readonly memory: true };

const options: ProcessOptions = JSON.parse(process.argv[2]!);
const image = readFileSync(options.image);
const machine = guestMachine(image, options.width, { tier1: options.tier1 });

function answer(request: Request): unknown {
  if ('run' in request) return { ...machine.run(request.run), statistics: machine.engine.statistics };
  if ('micro' in request) return micro(request.micro);
  return memoryOf();
}

createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
});
process.stdout.write('{"ready":true}\n');
