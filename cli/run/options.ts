// The options of `hyperport run`: names, defaults and ranges are a stable contract.

import { parseArgs } from 'node:util';
import type { PreemptionMode } from '../../simulator/memory/preemption.ts';
import { isValidPath } from '../../simulator/xenstore/paths.ts';
import { UsageError } from '../io.ts';
import { DOMAIN_SPEC, type DomainOptions, domainValues, parseDomain, splitDomains } from './domains.ts';
import { decodeInput } from './input-text.ts';
import { choice, parseFailure, whole } from './values.ts';

export interface RunOptions extends DomainOptions {
  /** The domains besides the first. */
  readonly domains: readonly DomainOptions[];
  /** Name or id of the domain whose console stdin is; null: the first one's. */
  readonly console: string | null;
  readonly cpu: 'amd' | 'intel';
  /** Console input in bytes; null: stdin is the console. */
  readonly input: Uint8Array | null;
  /** Input waits until the guest has printed this. */
  readonly inputAfter: string | null;
  readonly until: string | null;
  readonly maxInstructions: number;
  readonly pace: 'fast' | 'real';
  readonly tier1: boolean;
  readonly l1tf: 'off' | 'warn' | 'crash';
  readonly preemption: PreemptionMode;
  /** Calls between two sweeps of the invariant checker; null: it is off. */
  readonly check: number | null;
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
  --preemption off|normal|every-step
                         where long hypercalls are interrupted and continued: nowhere, as Xen does, at every step (default off)
  --check N              check the machine's own rules after each hypercall, and all of it every N of them
  --xenstore PATH=VALUE  a XenStore node that the toolstack wrote; below the domain's directory, or anywhere with a leading /; repeatable
  --refusals             tell each refused hypercall on stderr: where, why, which objects, what to do
  --xen-log              what a debug build of Xen would log, on stderr
  --start-info           start_info field by field on stderr before the guest starts
  --domain KERNEL …      one more domain; the options behind it are its own: --cmdline, --ramdisk, --memory, --vcpus, --dom0, --tsc,
                         --name NAME, --weight 1-65535 (share of the processor, default 256), --cap 0-100 (per cent, 0: no limit)
  --console NAME|ID      with several domains: whose console stdin is (default the first); stdout has lines 'NAME| …'
  --trace FILE           write the trace as JSON lines
  --stats                one JSON line on stderr at the end
Exit: 0 power-off or --until seen, 2 usage or bad kernel, 3 guest crash, 4 instruction limit, 5 deadlock,
      6 reboot or suspend asked, 7 the guest ended without --until, 130 interrupted, 70 a bug of Hyperport.`;

const SPEC = {
  ...DOMAIN_SPEC,
  console: { type: 'string' },
  cpu: { type: 'string' },
  input: { type: 'string' },
  'input-after': { type: 'string' },
  until: { type: 'string' },
  'max-instructions': { type: 'string' },
  pace: { type: 'string' },
  tier1: { type: 'string' },
  l1tf: { type: 'string' },
  preemption: { type: 'string' },
  check: { type: 'string' },
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
  const [own, ...further] = splitDomains(argv);
  try {
    parsed = parseArgs({ args: own!, options: SPEC, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(parseFailure(error));
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  const [kernel, ...extra] = positionals;
  if (kernel === undefined || kernel === '') throw new UsageError("which kernel? Give the path of the ported kernel's ELF image.");
  if (extra.length > 0)
    throw new UsageError(
      `one kernel at a time; '${extra[0]}' is one too many. Quote a command line: --cmdline "…"; a further domain: --domain KERNEL.`,
    );
  const bounded = { min: 1, max: Number.MAX_SAFE_INTEGER };
  return {
    ...domainValues(kernel, values),
    domains: further.map(parseDomain),
    console: values.console ?? null,
    cpu: choice('--cpu', values.cpu, ['amd', 'intel'], 'amd'),
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
    tier1: choice('--tier1', values.tier1, ['on', 'off'], 'on') === 'on',
    l1tf: choice('--l1tf', values.l1tf, ['off', 'warn', 'crash'], 'off'),
    preemption: choice('--preemption', values.preemption, ['off', 'normal', 'every-step'], 'off'),
    check: values.check === undefined ? null : whole('--check', values.check, 1, bounded),
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
