// `hyperport run A --domain B …`: the options of the domains besides the first. What stands behind --domain KERNEL, up to the next one,
// belongs to that domain.

import { parseArgs } from 'node:util';
import { UsageError } from '../io.ts';
import { choice, parseFailure, whole } from './values.ts';

export interface DomainOptions {
  readonly kernel: string;
  readonly cmdline: string;
  readonly ramdisk: string | null;
  readonly memoryMib: number;
  readonly vcpus: number;
  readonly dom0: boolean;
  readonly tsc: 'emulate' | 'native';
  readonly name: string | null;
  readonly weight: number;
  readonly cap: number;
}

/** What every domain has, the first one too. */
export const DOMAIN_SPEC = {
  cmdline: { type: 'string' },
  ramdisk: { type: 'string' },
  memory: { type: 'string' },
  vcpus: { type: 'string' },
  dom0: { type: 'boolean' },
  tsc: { type: 'string' },
  name: { type: 'string' },
  weight: { type: 'string' },
  cap: { type: 'string' },
} as const;

type Values = { readonly [K in keyof typeof DOMAIN_SPEC]?: string | boolean | undefined };

const NAME = /^[A-Za-z0-9-]{1,64}$/;
const OPTION = '--domain';

/** The words for the machine and its first domain, then those of each further one, beginning with its kernel. */
export function splitDomains(argv: readonly string[]): string[][] {
  const groups: string[][] = [[]];
  for (const word of argv) {
    if (word === OPTION) groups.push([]);
    else if (word.startsWith(`${OPTION}=`)) groups.push([word.slice(OPTION.length + 1)]);
    else groups.at(-1)!.push(word);
  }
  return groups;
}

/** One further domain. Throws UsageError. */
export function parseDomain(argv: readonly string[]): DomainOptions {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof DOMAIN_SPEC; allowPositionals: true; strict: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options: DOMAIN_SPEC, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(
      `${parseFailure(error)} Behind --domain stand the options of that domain (${Object.keys(DOMAIN_SPEC).join(', ')}); the machine's come before the first --domain.`,
    );
  }
  const [kernel, ...extra] = parsed.positionals;
  if (kernel === undefined || kernel === '') throw new UsageError('--domain takes the path of a kernel: --domain KERNEL [its options].');
  if (extra.length > 0) throw new UsageError(`--domain takes one kernel; '${extra[0]}' is one too many.`);
  return domainValues(kernel, parsed.values);
}

/** The values that any domain has, with their defaults. */
export function domainValues(kernel: string, given: Values): DomainOptions {
  const values = given as {
    readonly [K in keyof typeof DOMAIN_SPEC]?: (typeof DOMAIN_SPEC)[K]['type'] extends 'boolean' ? boolean : string;
  };
  const dom0 = values.dom0 ?? false;
  if (values.name !== undefined && !NAME.test(values.name))
    throw new UsageError(`--name takes letters, digits and dashes, not '${values.name}'.`);
  return {
    kernel,
    cmdline: values.cmdline ?? '',
    ramdisk: values.ramdisk ?? null,
    memoryMib: whole('--memory', values.memory, 64, { min: 1, max: 3072 }),
    vcpus: whole('--vcpus', values.vcpus, 1, { min: 1, max: 32 }),
    dom0,
    tsc: choice('--tsc', values.tsc, ['emulate', 'native'], dom0 ? 'native' : 'emulate'),
    name: values.name ?? null,
    weight: whole('--weight', values.weight, 256, { min: 1, max: 65535 }),
    cap: whole('--cap', values.cap, 0, { min: 0, max: 100 }),
  };
}
