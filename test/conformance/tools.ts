// What `npm run conformance` does without the simulator: building Xen, running one guest on it, a new scenario.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DebianError } from '../../scripts/debian.mjs';
import { buildXen } from '../../scripts/xen-build.mjs';
import { runOnXen, type XenVariant } from '../oracle/xen-dom0.ts';
import { runAsDomU } from '../oracle/xen-domu.ts';
import { families, scenarioFolder } from './images.ts';
import { type Options, parse, UsageError } from './options.ts';

/** Answers the exit code: 1 when something cannot be had, 2 when the options are wrong. */
export async function command(argv: string[]): Promise<number> {
  const print = (line: string) => console.log(line);
  try {
    const options = parse(argv);
    if (options.new) return scaffold(options.new, print);
    if (options.run) return await runOne(options.run, options, print);
    print(await buildXen(options['build-pv32'] ? 'pv32' : 'debug', print));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof DebianError)) throw error;
    console.error(`conformance: ${error.message}`);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function runOne(elf: string, options: Options, print: (line: string) => void): Promise<number> {
  const { as = 'dom0', xen = 'debian', cmdline = '' } = options;
  const mem = Number(options.mem ?? 64);
  if (!existsSync(elf)) throw new UsageError(`there is no file ${elf}`);
  if (as !== 'dom0' && as !== 'domU') throw new UsageError(`--as ${as}: a guest runs as dom0 or as domU`);
  if (!['debian', 'pv32', 'debug'].includes(xen)) throw new UsageError(`--xen ${xen}: there are debian, pv32 and debug`);
  if (!(mem >= 8 && mem <= 400)) throw new UsageError(`--mem ${options.mem}: MB, 8 to 400`);
  const variant = xen as XenVariant;
  if (as === 'dom0') {
    const run = await runOnXen(elf, { xen: variant, mem, cmdline });
    for (const line of run.lines) print(line);
    for (const line of run.xenLines) print(`(XEN) ${line}`);
    print(`end: ${run.end}`);
    return 0;
  }
  const { guest } = await runAsDomU([{ name: 'guest', elf, mem, cmdline }], { xen: variant });
  for (const line of guest!.lines) print(line);
  print(`end: ${guest!.end}`);
  return 0;
}

/** A scenario that builds and runs as it is, for its author to go on from. */
function scaffold(name: string, print: (line: string) => void): number {
  if (!/^[a-z]+(-[a-z0-9]+)+$/.test(name)) throw new UsageError(`--new ${name}: a scenario is named FAMILY-TOPIC, in small letters`);
  const family = name.split('-')[0]!;
  if (!families().includes(family)) {
    throw new UsageError(
      `--new ${name}: '${family}' is no family; there are ${families().join(', ')}. A new one is named in test/conformance/images.ts.`,
    );
  }
  const folder = join(scenarioFolder, name);
  if (existsSync(folder)) throw new UsageError(`--new ${name}: ${folder} is there already`);
  mkdirSync(folder);
  const file = join(folder, 'scenario.c');
  writeFileSync(
    file,
    `/*
 * ${family}: what this is about, in a sentence.
 *
 * What a port meets here, and what Xen does.
 *
 * Read: what the values mean. (A line "Bits: 64" or "Bits: 32" keeps it to one kind of guest.)
 */
#include "guest.h"

SCENARIO("${name}")
{
	answer("version", CALL(xen_version, XENVER_version));
}
`,
  );
  print(`${file}: write the comment and the checks, then npm run conformance -- --record --page`);
  return 0;
}
