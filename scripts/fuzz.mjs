// npm run fuzz [-- --seconds N --seed S]: compares random instructions, 64- and 32-bit, with the processor it runs on, longer
// than the test suite does. A failing case is printed with its seed; exit 1.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bootstrap, bundleForNode, root } from './steps.mjs';

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  if (at < 0) return fallback;
  const value = Number(process.argv[at + 1]);
  if (!Number.isInteger(value) || value < 0) {
    console.error(`--${name} needs a whole number, got '${process.argv[at + 1] ?? ''}'`);
    process.exit(2);
  }
  return value;
}

const seconds = option('seconds', 120);
let seed = option('seed', Math.floor(Math.random() * 2 ** 31));

bootstrap('run');
const bundle = await bundleForNode('test/isa/oracle.ts', join(root, '.cache/isa/oracle.mjs'), {
  // The oracle finds its C program beside its source.
  define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(root, 'test/isa/host-cpu.ts')).href) },
});
const { runOracle, runSequences } = await import(pathToFileURL(bundle).href);

const end = Date.now() + seconds * 1000;
let compared = 0;
let rounds = 0;
const perForm = new Map();
do {
  for (const bits of [64, 32]) {
    const report = runOracle(bits, 100, seed);
    const sequences = runSequences(bits, 8000, seed);
    compared += report.compared + sequences.compared;
    for (const [form, n] of report.perForm) perForm.set(`${bits}-bit ${form}`, (perForm.get(`${bits}-bit ${form}`) ?? 0) + n);
    const failures = [...report.failures, ...sequences.failures];
    if (failures.length > 0) {
      console.error(failures.slice(0, 20).join('\n'));
      console.error(
        `fuzz: ${failures.length} of ${report.compared + sequences.compared} ${bits}-bit cases differ from the processor; repeat with --seed ${seed} --seconds 0`,
      );
      process.exit(1);
    }
  }
  rounds++;
  seed = (seed + 1) % 2 ** 31;
} while (Date.now() < end);

const none = [...perForm].filter(([, n]) => n === 0).map(([form]) => form);
if (none.length > 0) console.log(`no case of: ${none.join(', ')}`);
console.log(
  `fuzz: ${compared} cases of ${perForm.size - none.length} forms agree with the processor (${rounds} rounds, last seed ${seed - 1})`,
);
