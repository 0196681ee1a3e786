// The options of `hyperport run`: names, defaults and ranges are a stable contract.

import { parseArgs } from 'node:util';
import { isValidPath } from '../../simulator/xenstore/paths.ts';
import { UsageError } from '../io.ts';
import { decodeInput } from './input-text.ts';

export interface RunOptions {
  readonly kernel: string;
  readonly cmdline: string;
  readonly ramdisk: string | null;
  readonly memoryMib: number;
  readonly vcpus: number;
  readonly cpu: 'amd' | 'intel';
  readonly dom0: boolean;
  /** Console input in bytes; null: stdin is the console. */
  readonly input: Uint8Array | null;
  /** Input waits until the guest has printed this. */
  readonly inputAfter: string | null;
  readonly until: string | null;
  readonly maxInstructions: number;
  readonly pace: 'fast' | 'real';
  readonly tsc: 'emulate' | 'native';
  readonly tier1: boolean;
  readonly l1tf: 'off' | 'warn' | 'crash';
  /** XenStore nodes that the toolstack wrote besides its usual ones. */
  readonly store: Readonly<Record<string, string>>;
  /** Tell each refused call, Xen's lines, start_info on stderr. */
  readonly refusals: boolean;
  readonly xenLog: boolean;
  readonly startInfo: boolean;
  readonly trace: string | null;
  readonly stats: boolean;
}

/** Runs that nobody watches end by themselves after so many instructions. */
const UNATTENDED_LIMIT = 20e9;

export const RUN_USAGE = `Usage: hyperport run KERNEL [options]
  --cmdline S            command line given to the guest
  --ramdisk F            initial RAM disk
  --memory MIB           guest memory, 1 to 3072 (default 64)
  --vcpus N              1 to 32 (default 1)
  --cpu amd|intel        processor model (default amd)
  --dom0                 build the guest as the initial domain
  --input TEXT           console input instead of stdin; \\n \\r \\t \\xNN are decoded, a newline is sent as CR
  --input-after TEXT     hold the input back until the guest has printed TEXT
  --until TEXT           end with 0 as soon as the guest has printed TEXT
  --max-instructions N   end with 4 after N instructions (default 20 G unless stdin is a terminal)
  --pace fast|real       real: guest time follows the wall clock (default real on a terminal)
  --tsc emulate|native   (default emulate for a domU, native for dom0)
  --tier1 on|off         off: interpret everything, translate nothing (default on; only the speed differs)
  --l1tf off|warn|crash  what becomes of not-present entries that leak memory on a processor with the L1TF flaw (default off)
  --xenstore PATH=VALUE  a XenStore node that the toolstack wrote; below the domain's directory, or anywhere with a leading /; repeatable
  --refusals             tell each refused hypercall on stderr: where, why, which objects, what to do
  --xen-log              what a debug build of Xen would log, on stderr
  --start-info           start_info field by field on stderr before the guest starts
  --trace FILE           write the trace as JSON lines
  --stats                one JSON line on stderr at the end
Exit: 0 power-off or --until seen, 2 usage or bad kernel, 3 guest crash, 4 instruction limit, 5 deadlock,
      6 reboot or suspend asked, 7 the guest ended without --until, 130 interrupted, 70 a bug of Hyperport.`;

const SPEC = {
  cmdline: { type: 'string' },
  ramdisk: { type: 'string' },
  memory: { type: 'string' },
  vcpus: { type: 'string' },
  cpu: { type: 'string' },
  dom0: { type: 'boolean' },
  input: { type: 'string' },
  'input-after': { type: 'string' },
  until: { type: 'string' },
  'max-instructions': { type: 'string' },
  pace: { type: 'string' },
  tsc: { type: 'string' },
  tier1: { type: 'string' },
  l1tf: { type: 'string' },
  xenstore: { type: 'string', multiple: true },
  refusals: { type: 'boolean' },
  'xen-log': { type: 'boolean' },
  'start-info': { type: 'boolean' },
  trace: { type: 'string' },
  stats: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Returns null when help was asked for. Throws UsageError. */
export function parseRunOptions(argv: readonly string[], terminal: boolean): RunOptions | null {
  let parsed: ReturnType<typeof parseArgs<{ options: typeof SPEC; allowPositionals: true; strict: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options: SPEC, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's own hint for a value that begins with a dash is on its second line.
    const [what, hint] = (error as Error).message.split('\n');
    throw new UsageError(
      `${what} ${hint?.startsWith('Did you forget') ? 'Write a value that begins with a dash as --option=VALUE.' : "Run 'hyperport run --help' for the options."}`,
    );
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  const [kernel, ...extra] = positionals;
  if (kernel === undefined || kernel === '') throw new UsageError("which kernel? Give the path of the ported kernel's ELF image.");
  if (extra.length > 0) throw new UsageError(`one kernel at a time; '${extra[0]}' is one too many. Quote a command line: --cmdline "…".`);
  const dom0 = values.dom0 ?? false;
  const bounded = { min: 1, max: Number.MAX_SAFE_INTEGER };
  return {
    kernel,
    cmdline: values.cmdline ?? '',
    ramdisk: values.ramdisk ?? null,
    memoryMib: whole('--memory', values.memory, 64, { min: 1, max: 3072 }),
    vcpus: whole('--vcpus', values.vcpus, 1, { min: 1, max: 32 }),
    cpu: choice('--cpu', values.cpu, ['amd', 'intel'], 'amd'),
    dom0,
    input: values.input === undefined ? null : decodeInput(values.input),
    inputAfter: values['input-after'] ?? null,
    until: values.until ?? null,
    maxInstructions: whole(
      '--max-instructions',
      values['max-instructions'],
      terminal ? Number.MAX_SAFE_INTEGER : UNATTENDED_LIMIT,
      bounded,
    ),
    pace: choice('--pace', values.pace, ['fast', 'real'], terminal && values.input === undefined ? 'real' : 'fast'),
    tsc: choice('--tsc', values.tsc, ['emulate', 'native'], dom0 ? 'native' : 'emulate'),
    tier1: choice('--tier1', values.tier1, ['on', 'off'], 'on') === 'on',
    l1tf: choice('--l1tf', values.l1tf, ['off', 'warn', 'crash'], 'off'),
    store: nodes(values.xenstore ?? []),
    refusals: values.refusals ?? false,
    xenLog: values['xen-log'] ?? false,
    startInfo: values['start-info'] ?? false,
    trace: values.trace ?? null,
    stats: values.stats ?? false,
  };
}

function nodes(texts: readonly string[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    const path = text.slice(0, equals);
    if (equals <= 0 || !isValidPath(path.startsWith('/') ? path : `/${path}`))
      throw new UsageError(`--xenstore takes PATH=VALUE with a path of XenStore, such as device/vbd/51712/state=1, not '${text}'.`);
    out[path] = text.slice(equals + 1);
  }
  return out;
}

function whole(name: string, text: string | undefined, fallback: number, { min, max }: { min: number; max: number }): number {
  if (text === undefined) return fallback;
  const value = /^[0-9][0-9_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not '${text}'.`);
  }
  return value;
}

function choice<T extends string>(name: string, text: string | undefined, allowed: readonly T[], fallback: T): T {
  if (text === undefined) return fallback;
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw new UsageError(`${name} takes ${allowed.join(' or ')}, not '${text}'.`);
  return found;
}
