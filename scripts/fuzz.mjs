// npm run fuzz [-- --seconds N --seed S --only REGEX --engine tier0,tier1 --record | --decoder]: compares random instructions and
// sequences with the processor it runs on, longer than the test suite does; at the end every form has had at least 200 comparisons.
// Cases that differ are written to test/isa/fixtures (commit them); exit 1. `--record`: puts the counts into docs/instructions.md.
// `--hypercalls N [--seed S]`: N random hypercalls on machines that check themselves after each; a failure prints its seed and the
// steps that it needs; 10,000,000 is a long run.
// `--decoder`: 10,000,000 random byte strings and the whole text of GRUB, GNU Mach and Linux against iced-x86 instead.
// `--qemu`: what no user-mode host can show (segments, far transfers, paging, debug registers, system instructions, 32-bit programs
// step by step) against QEMU's processor: all vectors, of which `npm test` takes a part.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, bundleForNode, root, runBin } from './steps.mjs';

const usage = (message) => {
  console.error(message);
  process.exit(2);
};
const text = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return undefined;
  return process.argv[at + 1] ?? usage(`--${name} needs a value`);
};
function number(name, fallback) {
  const given = text(name);
  const value = given === undefined ? fallback : Number(given);
  return Number.isInteger(value) && value >= 0 ? value : usage(`--${name} needs a whole number, got '${given}'`);
}
const flag = (name) => process.argv.includes(`--${name}`);
/** Bundles a module of test/; it finds its C programs and files beside its source. */
async function load(entry) {
  const bundle = await bundleForNode(entry, join(root, '.cache/isa', `${entry.replaceAll('/', '-')}.mjs`), {
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(root, entry)).href) },
  });
  return await import(pathToFileURL(bundle).href);
}

bootstrap('all');
const seed = number('seed', Math.floor(Math.random() * 2 ** 31));

if (flag('decoder')) {
  const { compareDecoder } = await load('test/x86/decoder-oracle.ts');
  const report = await compareDecoder({ strings: number('strings', 10_000_000), seed, log: (line) => console.log(line) });
  if (report.differences.length > 0) {
    console.error(report.differences.slice(0, 20).join('\n'));
    console.error(`fuzz: ${report.differences.length} kinds of difference; repeat with --decoder --seed ${seed}`);
    process.exit(1);
  }
  console.log(`fuzz: ${report.compared} instructions decode as iced-x86 decodes them`);
  process.exit(0);
}

if (flag('qemu')) {
  const env = { ...process.env, QEMU_VECTORS: 'all' };
  const status = runBin('vitest/vitest.mjs', ['run', 'test/isa/qemu'], { env });
  console.log(status === 0 ? 'fuzz: every vector does on the engine what it does on QEMU' : 'fuzz: the engine and QEMU differ, see above');
  process.exit(status);
}

if (flag('hypercalls')) {
  const { fuzzHypercalls } = await load('test/fuzz/hypercalls.ts');
  const wanted = number('hypercalls', 0);
  const BATCH = 100_000;
  let made = 0;
  let guests = 0;
  let refused = 0;
  for (let batch = 0; made < wanted; batch++) {
    const batchSeed = (seed + batch) % 2 ** 31;
    const report = fuzzHypercalls(Math.min(BATCH, wanted - made), batchSeed);
    made += report.calls;
    guests += report.guests;
    refused += report.refused;
    if (report.failure) {
      console.error(`fuzz: ${report.failure.message}\n${report.failure.steps.join('\n')}`);
      console.error(`fuzz: after ${made} hypercalls; repeat with --hypercalls ${BATCH} --seed ${batchSeed}`);
      process.exit(1);
    }
    if (batch % 10 === 9) console.log(`${made} hypercalls, ${guests} guests`);
  }
  console.log(`fuzz: ${made} hypercalls of ${guests} guests broke no rule (${refused} refusals looked at; first seed ${seed})`);
  process.exit(0);
}

const { fuzz, fuzzSummary, processorName } = await load('test/isa/fuzz.ts');
const only = text('only');
const report = fuzz({
  seconds: number('seconds', 120),
  seed,
  least: only ? 0 : 200,
  folder: join(root, 'test/isa/fixtures'),
  log: (line) => console.log(line),
  ...(only ? { only: new RegExp(only) } : {}),
  ...(text('engine') ? { variants: text('engine').split(',') } : {}),
});
for (const line of fuzzSummary(report)) console.log(line);
if (report.failures > 0) {
  console.error(`fuzz: ${report.failures} of ${report.compared} cases differ from the processor; repeat with --seed ${seed} --seconds 0`);
  console.error(`fixtures to commit, once the cause is known:\n${report.fixtures.join('\n')}`);
  process.exit(1);
}
if (flag('record')) {
  const counts = {
    processor: processorName,
    variants: report.variants,
    compared: report.compared,
    perForm: Object.fromEntries(report.perForm),
  };
  const file = join(root, 'test/isa/comparisons.json');
  writeFileSync(file, `${JSON.stringify(counts, null, 2)}\n`);
  runBin('@biomejs/biome/bin/biome', ['format', '--write', file]);
  process.env.UPDATE_INSTRUCTIONS = '1';
  process.exitCode = runBin('vitest/vitest.mjs', ['run', 'test/x86/instructions-page.test.ts']);
}
console.log(`fuzz: ${report.compared} cases of ${report.perForm.size} forms agree with the processor (last seed ${report.lastSeed})`);
