// The launch configuration, field by field: what each may hold, its default, and what to write when it is wrong.

import { suggest } from '../host/breakpoints/suggest.ts';
import { UserError } from '../host/errors.ts';
import type { LaunchDomain, LaunchParameters } from '../host/protocol.ts';

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

/** What each domain has of its own. */
const domainFields: Readonly<Record<string, Field>> = {
  program: path,
  cmdline: text,
  ramdisk: path,
  memory: count(1, 3072, 'MiB'),
  vcpus: count(1, 32, 'virtual CPUs'),
  dom0: flag,
  tsc: choice('emulate', 'native'),
  weight: count(1, 65535, 'a share of the processor'),
  cap: count(0, 100, 'per cent of the processor'),
};

/** The name of the configuration as a whole is the editor's. */
const furtherFields: Readonly<Record<string, Field>> = {
  ...domainFields,
  name: { write: 'a name of letters, digits and dashes', accepts: (v) => typeof v === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(v) },
};

const fields: Readonly<Record<string, Field>> = {
  ...domainFields,
  domains: { write: 'a list of further domains, each an object with at least "program"', accepts: (v) => Array.isArray(v) },
  cpu: choice('amd', 'intel'),
  tier1: flag,
  preemption: choice('off', 'normal', 'every-step'),
  l1tf: choice('off', 'warn', 'crash'),
  check: count(1, 1_000_000_000, 'hypercalls'),
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
  const values = read(given, fields, 'the launch configuration', warn);
  const domains = ((values.domains as unknown[] | undefined) ?? []).map((one, n) => {
    const where = `"domains"[${n}] of the launch configuration`;
    if (typeof one !== 'object' || one === null || Array.isArray(one))
      throw new UserError(`${where} must be an object with at least "program", the path of a kernel.`);
    return domainOf(read(one, furtherFields, where, warn), where);
  });
  return {
    ...domainOf(values, 'the launch configuration'),
    ...(domains.length ? { domains } : {}),
    cpu: (values.cpu as 'amd' | 'intel' | undefined) ?? 'amd',
    tier1: (values.tier1 as boolean | undefined) ?? true,
    ...(values.preemption === undefined ? {} : { preemption: values.preemption as 'off' | 'normal' | 'every-step' }),
    ...(values.l1tf === undefined ? {} : { l1tf: values.l1tf as 'off' | 'warn' | 'crash' }),
    ...(values.check === undefined ? {} : { check: values.check as number }),
    pace: (values.pace as 'fast' | 'real' | undefined) ?? 'real',
    stopOnEntry: (values.stopOnEntry as boolean | undefined) ?? false,
    noDebug: (values.noDebug as boolean | undefined) ?? false,
    sourceMap: (values.sourceMap as Record<string, string> | undefined) ?? {},
    cwd: (values.cwd as string | undefined) ?? cwd,
    disassembly: (values.disassembly as 'att' | 'intel' | undefined) ?? 'att',
  };
}

/** The fields that are given, each checked. */
function read(
  given: object,
  known: Readonly<Record<string, Field>>,
  where: string,
  warn: (text: string) => void,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const field = Object.hasOwn(known, name) ? known[name]! : null;
    if (!field) {
      if (!editorsOwn.has(name) && !name.startsWith('__'))
        warn(
          `${where[0]!.toUpperCase()}${where.slice(1)} has a field "${name}" that Hyperport does not know${suggest(name, Object.keys(known))}`,
        );
    } else if (value !== undefined && value !== null) {
      if (!field.accepts(value)) throw new UserError(`"${name}" in ${where} is ${show(value)}; write ${field.write}.`);
      values[name] = value;
    }
  }
  return values;
}

function domainOf(values: Readonly<Record<string, unknown>>, where: string): LaunchDomain {
  if (values.program === undefined)
    throw new UserError(`"program" is missing in ${where}; write the path of the kernel to boot, an ELF file for Xen PV.`);
  const dom0 = (values.dom0 as boolean | undefined) ?? false;
  return {
    program: values.program as string,
    cmdline: (values.cmdline as string | undefined) ?? '',
    ramdisk: (values.ramdisk as string | undefined) ?? null,
    memoryMib: (values.memory as number | undefined) ?? 64,
    vcpus: (values.vcpus as number | undefined) ?? 1,
    dom0,
    tsc: (values.tsc as 'emulate' | 'native' | undefined) ?? (dom0 ? 'native' : 'emulate'),
    ...(values.name === undefined ? {} : { name: values.name as string }),
    ...(values.weight === undefined ? {} : { weight: values.weight as number }),
    ...(values.cap === undefined ? {} : { cap: values.cap as number }),
  };
}
