// The launch configuration, field by field: what each may hold, its default, and what to write when it is wrong.

import { suggest } from '../host/breakpoints/suggest.ts';
import { UserError } from '../host/errors.ts';
import type { LaunchParameters } from '../host/protocol.ts';

export interface LaunchConfiguration extends LaunchParameters {
  readonly stopOnEntry: boolean;
  /** Run without stopping at anything. */
  readonly noDebug: boolean;
  /** Path prefixes in debug information, and where these sources are on this machine. */
  readonly sourceMap: Readonly<Record<string, string>>;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  readonly disassembly: 'att' | 'intel';
}

interface Field {
  /** What to write, as the end of a sentence 'write …'. */
  readonly write: string;
  readonly accepts: (value: unknown) => boolean;
}

const text: Field = { write: 'a string', accepts: (v) => typeof v === 'string' && !v.includes('\0') };
const flag: Field = { write: 'true or false', accepts: (v) => typeof v === 'boolean' };
const path: Field = { write: 'the path of a file, as a string', accepts: (v) => typeof v === 'string' && v !== '' && !v.includes('\0') };
const count = (least: number, most: number, of: string): Field => ({
  write: `${of} as a whole number from ${least} to ${most}`,
  accepts: (v) => Number.isInteger(v) && (v as number) >= least && (v as number) <= most,
});
const choice = (...words: string[]): Field => ({
  write: words.map((w) => `"${w}"`).join(' or '),
  accepts: (v) => words.includes(v as string),
});
const pathMap: Field = {
  write: 'an object from path prefixes to path prefixes, such as {"/build/kernel": "/home/me/kernel"}',
  accepts: (v) => typeof v === 'object' && v !== null && !Array.isArray(v) && Object.values(v).every((to) => typeof to === 'string'),
};

const fields: Readonly<Record<string, Field>> = {
  program: path,
  cmdline: text,
  ramdisk: path,
  memory: count(1, 3072, 'MiB'),
  vcpus: count(1, 32, 'virtual CPUs'),
  dom0: flag,
  cpu: choice('amd', 'intel'),
  tsc: choice('emulate', 'native'),
  tier1: flag,
  pace: choice('real', 'fast'),
  stopOnEntry: flag,
  noDebug: flag,
  sourceMap: pathMap,
  cwd: path,
  disassembly: choice('att', 'intel'),
};

/** What editors add to every configuration. */
const editorsOwn = new Set(
  'type request name preLaunchTask postDebugTask internalConsoleOptions debugServer serverReadyAction presentation suppressMultipleSessionWarning linux osx windows'.split(
    ' ',
  ),
);

const show = (value: unknown): string => {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
};

/** Throws UserError that names the field and says what to write. `warn` gets a sentence for each field that nobody reads. */
export function parseLaunchArguments(given: unknown, cwd: string, warn: (text: string) => void): LaunchConfiguration {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new UserError('The launch configuration must be an object with at least "program", the path of a kernel.');
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const field = Object.hasOwn(fields, name) ? fields[name]! : null;
    if (!field) {
      if (!editorsOwn.has(name) && !name.startsWith('__'))
        warn(`The launch configuration has a field "${name}" that Hyperport does not know${suggest(name, Object.keys(fields))}`);
    } else if (value !== undefined && value !== null) {
      if (!field.accepts(value)) throw new UserError(`"${name}" in the launch configuration is ${show(value)}; write ${field.write}.`);
      values[name] = value;
    }
  }
  if (values.program === undefined)
    throw new UserError('"program" is missing in the launch configuration; write the path of the kernel to boot, an ELF file for Xen PV.');
  const dom0 = (values.dom0 as boolean | undefined) ?? false;
  return {
    program: values.program as string,
    cmdline: (values.cmdline as string | undefined) ?? '',
    ramdisk: (values.ramdisk as string | undefined) ?? null,
    memoryMib: (values.memory as number | undefined) ?? 64,
    vcpus: (values.vcpus as number | undefined) ?? 1,
    dom0,
    cpu: (values.cpu as 'amd' | 'intel' | undefined) ?? 'amd',
    tier1: (values.tier1 as boolean | undefined) ?? true,
    tsc: (values.tsc as 'emulate' | 'native' | undefined) ?? (dom0 ? 'native' : 'emulate'),
    pace: (values.pace as 'fast' | 'real' | undefined) ?? 'real',
    stopOnEntry: (values.stopOnEntry as boolean | undefined) ?? false,
    noDebug: (values.noDebug as boolean | undefined) ?? false,
    sourceMap: (values.sourceMap as Record<string, string> | undefined) ?? {},
    cwd: (values.cwd as string | undefined) ?? cwd,
    disassembly: (values.disassembly as 'att' | 'intel' | undefined) ?? 'att',
  };
}
