// `hyperport scan KERNEL`: the sensitive instructions that a linked kernel still holds, and whether they can run under Xen; as text, or as
// JSON (docs/schemas/scan.schema.json).

import { resolve } from 'node:path';
import { atLeast, findRule } from '../abi/rules/catalogue.ts';
import type { InstructionRule } from '../abi/rules/rule.ts';
import { Disassembler } from '../debug-adapter/disassembler.ts';
import { openKernel } from '../image/elf/kernel.ts';
import { hex, ImageError } from '../image/error.ts';
import type { Reach } from '../scan/reach.ts';
import { type ScanFinding, type ScanResult, scanKernel } from '../scan/scan.ts';
import { type CommandIo, readKernelFile, UsageError } from './io.ts';

declare const HYPERPORT_VERSION: string;
/** Outside of the bundle (tests) there is no version. */
const VERSION = typeof HYPERPORT_VERSION === 'string' ? HYPERPORT_VERSION : '0.0.0-source';

const LEVELS = ['silent', 'fault', 'emulated', 'never'] as const;
type Level = (typeof LEVELS)[number];

const USAGE = `Usage: hyperport scan KERNEL [--format text|json] [--all] [--fail-on silent|fault|emulated|never]
  KERNEL     a linked kernel (ELF, or packed as bzImage, gzip or xz)
  --format   text (default), or json: see docs/schemas/scan.schema.json
  --all      list also what cannot run under Xen: reached from no Xen entry
  --fail-on  exit with 1 when an instruction that can run under Xen is at or above this level
             (default emulated; silent > fault > emulated)
Exit: 0 nothing at or above the level, 1 something, 2 wrong usage or no kernel.`;

interface Options {
  readonly kernel: string;
  readonly format: 'text' | 'json';
  readonly all: boolean;
  readonly failOn: Level;
}

function parseOptions(argv: readonly string[]): Options {
  let kernel: string | undefined;
  let all = false;
  const values: Record<string, string> = { '--format': 'text', '--fail-on': 'emulated' };
  const allowed: Record<string, readonly string[]> = { '--format': ['text', 'json'], '--fail-on': LEVELS };
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    const [name, inline] = arg.split('=', 2) as [string, string | undefined];
    if (arg === '--all') all = true;
    else if (Object.hasOwn(allowed, name)) {
      const value = inline ?? argv[++i];
      if (value === undefined || !allowed[name]!.includes(value))
        throw new UsageError(`${name} takes one of ${allowed[name]!.join(', ')}${value === undefined ? '' : `, not '${value}'`}.`);
      values[name] = value;
    } else if (arg.startsWith('-')) throw new UsageError(`there is no option ${name}.\n${USAGE}`);
    else if (kernel !== undefined) throw new UsageError(`only one kernel can be given, not also ${arg}.\n${USAGE}`);
    else kernel = arg;
  }
  if (kernel === undefined) throw new UsageError(`no kernel is given.\n${USAGE}`);
  return { kernel, all, format: values['--format'] as Options['format'], failOn: values['--fail-on'] as Level };
}

/** Under Xen: certain, possible. */
const runs = ({ reach }: ScanFinding): boolean => reach === 'direct' || reach === 'pointer' || reach === 'unknown';

const HEADINGS: Readonly<Record<Reach, string>> = {
  direct: 'Jumps and calls lead there from the Xen entry',
  pointer: 'Reached through stored addresses from the Xen entry',
  unknown: 'No Xen entry is known: whether it runs under Xen is not told',
  native: 'Only another entry leads there',
  none: 'Nothing that was found leads there',
};
const ORDER: readonly Reach[] = ['direct', 'pointer', 'unknown', 'native', 'none'];

/** Long chains say least in the middle. */
const chainText = (chain: readonly string[]): string =>
  (chain.length > 8 ? [...chain.slice(0, 4), `… ${chain.length - 7} more …`, ...chain.slice(-3)] : chain).join(' > ');

const placeOf = ({ file, line, address }: ScanFinding): string => (file ? `${file}:${line ?? '?'}` : hex(address));

const ruleOf = (id: string): InstructionRule => {
  const rule = findRule(id);
  if (!rule || rule.severity === 'refused') throw new Error(`the instruction table names a rule ${id} that is none of an instruction`);
  return rule as InstructionRule;
};

const unreadBytes = ({ unread }: ScanResult): number => unread.reduce((sum, { size }) => sum + size, 0);

type Words = (finding: ScanFinding) => string;

/** `listed` as chosen by --all; the counts are of all. */
function asText(kernel: string, result: ScanResult, listed: readonly ScanFinding[], words: Words): string {
  const out: string[] = [];
  for (const reach of ORDER) {
    const group = listed.filter((finding) => finding.reach === reach);
    if (group.length === 0) continue;
    out.push(`${HEADINGS[reach]}:`);
    for (const finding of group) {
      const rule = ruleOf(finding.rule);
      const inside = finding.inside ? `, inlined into ${finding.inside}` : '';
      out.push(
        `${placeOf(finding)}: ${finding.effect}: ${words(finding)} [${finding.rule}]`,
        `  at ${hex(finding.address)} in ${finding.function ?? 'no known function'}${inside}`,
        `  ${rule.summary}`,
        `  Instead: ${rule.replacement}`,
      );
      if (finding.chain.length > 1) out.push(`  Reached by ${chainText(finding.chain)}`);
    }
    out.push('');
  }
  for (const warning of result.warnings) out.push(`warning: ${warning}`);
  const { findings } = result;
  const counts = ORDER.map((reach) => [reach, findings.filter((finding) => finding.reach === reach).length] as const).filter(
    ([, n]) => n > 0,
  );
  const each = counts.map(([reach, n]) => `${n} ${reach}`).join(', ');
  out.push(
    `${kernel}: ${findings.length} sensitive instruction${findings.length === 1 ? '' : 's'}${each ? ` (${each})` : ''} among ${result.instructions}; nothing leads to ${unreadBytes(result)} of ${result.codeBytes} code bytes`,
  );
  const hidden = findings.length - listed.length;
  if (hidden > 0) out.push(`${hidden} of them cannot run under Xen as far as can be told: --all lists them.`);
  return `${out.join('\n')}\n`;
}

function asJson(file: string, result: ScanResult, listed: readonly ScanFinding[], words: Words): string {
  const count = (of: (finding: ScanFinding) => boolean): number => result.findings.filter(of).length;
  const document = {
    schema: 'hyperport/scan/1',
    version: VERSION,
    file,
    xenEntry: result.xenEntry === null ? null : hex(result.xenEntry),
    findings: listed.map((finding) => ({
      address: hex(finding.address),
      instruction: words(finding),
      rule: finding.rule,
      effect: finding.effect,
      note: finding.note,
      function: finding.function,
      inlinedInto: finding.inside,
      file: finding.file,
      line: finding.line,
      reach: finding.reach,
      chain: finding.chain,
    })),
    warnings: result.warnings,
    summary: {
      byReach: Object.fromEntries(ORDER.map((reach) => [reach, count((finding) => finding.reach === reach)])),
      byEffect: Object.fromEntries(
        ['silent', 'fault', 'emulated'].map((effect) => [effect, count((finding) => finding.effect === effect)]),
      ),
      instructions: result.instructions,
      hypercalls: result.hypercalls,
      codeBytes: result.codeBytes,
      unreadBytes: unreadBytes(result),
    },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** @returns 1 when something that can run under Xen is at or above --fail-on. Throws UsageError for wrong options and for what is no kernel. */
export async function run(argv: string[], io: CommandIo): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(`${USAGE}\n`);
    return 0;
  }
  const { kernel, format, all, failOn } = parseOptions(argv);
  const bytes = readKernelFile(resolve(io.cwd, kernel));
  let result: ScanResult;
  let bits: 64 | 32;
  try {
    const elf = openKernel(bytes);
    bits = elf.bits;
    result = scanKernel(elf);
  } catch (error) {
    if (error instanceof ImageError) throw new UsageError(`${kernel}: ${error.message}`);
    throw error;
  }
  const byAddress = new Map(result.findings.map((finding) => [finding.address, finding.bytes]));
  const disassembler = await Disassembler.open(
    bits,
    'att',
    (address) => byAddress.get(address) ?? new Uint8Array(),
    () => null,
  );
  const words: Words = ({ address }) => disassembler.forward(address, 1)[0]!.text;
  const listed = all ? result.findings : result.findings.filter(runs);
  const file = kernel.replaceAll('\\', '/');
  io.stdout(format === 'json' ? asJson(file, result, listed, words) : asText(file, result, listed, words));
  return failOn !== 'never' && result.findings.some((finding) => runs(finding) && atLeast(finding.effect, failOn)) ? 1 : 0;
}
