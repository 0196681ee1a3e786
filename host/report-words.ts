// What a person is told about a machine that crashed or stands still: why, where in the kernel, the calls before it, and what its event
// channels, XenStore and console show.

import { consoleLines } from '../explain/state/console.ts';
import { portLines } from '../explain/state/ports.ts';
import type { DomainState } from '../explain/state/types.ts';
import { storeLines } from '../explain/state/xenbus.ts';
import type { Ending, Machine, WaitReason } from '../simulator/machine-types.ts';
import type { TraceRecord } from '../simulator/trace/records.ts';
import { describeRecord } from './stop-words.ts';
import type { GuestSymbols } from './symbols/guest-symbols.ts';
import { callStack } from './symbols/stack.ts';
import { explainCrash, explainInFull } from './words.ts';

const CALLS = 8;
const XEN_LINES = 8;
const FRAMES = 8;
/** Records that are looked through for them. */
const RECENT = 400;

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

/** The whole story of a crash; `symbols`: null without the kernel's ELF. */
export function crashReport(machine: Machine, symbols: GuestSymbols | null, ending: Ending & { kind: 'crash' }): string[] {
  const domain = machine.domains().find((one) => one.ending === ending)?.id ?? machine.domain;
  const records = machine.recent(RECENT).records.filter((record) => record.domain === domain);
  const fault = faultBefore(records, ending);
  const state = machine.report(domain);
  return [
    ...explainCrash(ending).split('\n'),
    ...(fault ? explainInFull(fault).split('\n') : []),
    ...whereLines(machine, symbols, machine.vcpuOf(domain, ending.vcpu)),
    ...callLines(records),
    ...xenLines(records),
    ...(state?.console ? consoleLines(state.console, true) : []),
  ];
}

/** The exception that the guest had no handler or stack for, with its walk and its objects. */
function faultBefore(records: readonly TraceRecord[], ending: Ending & { kind: 'crash' }) {
  const last = records.filter((record) => record.kind === 'exception').at(-1);
  const rule = ending.refusal?.rule;
  return last?.kind === 'exception' && (rule === 'no-handler' || rule === 'bounce-stack') ? (last.refusal ?? null) : null;
}

/** `asked`: number of a vCPU in the machine; null for the one that ran last. */
function whereLines(machine: Machine, symbols: GuestSymbols | null, asked: number | null): string[] {
  const vcpu = asked ?? machine.currentVcpu();
  if (!symbols) return [`At rip 0x${machine.registers(vcpu).rip.toString(16)}.`];
  const frames = callStack(machine, symbols, vcpu, FRAMES);
  return [
    'In the kernel:',
    ...frames.map((f, n) => `  #${n} ${f.name}${f.file === null ? ` (0x${f.pc.toString(16)})` : ` at ${f.file}:${f.line}`}`),
  ];
}

function callLines(records: readonly TraceRecord[]): string[] {
  const calls = records.filter((record) => record.kind === 'hypercall').slice(-CALLS);
  if (calls.length === 0) return ['It had not made any hypercall.'];
  return ['Last hypercalls:', ...calls.map((call) => `  instruction ${call.icount.toLocaleString('en-US')}: ${describeRecord(call)}`)];
}

function xenLines(records: readonly TraceRecord[]): string[] {
  const lines = records
    .flatMap((record) => (record.kind === 'log' && record.by === 'xen' ? [`(XEN) ${record.text}`] : []))
    .slice(-XEN_LINES);
  return lines.length ? ['A debug build of real Xen logs:', ...indent(lines)] : [];
}

/** What a domain that stands still waits for, beyond the one line for each vCPU. */
export function stateLines(state: DomainState): string[] {
  return [
    ...portLines(state),
    ...(state.store ? storeLines(state.store) : []),
    ...(state.console ? consoleLines(state.console, false) : []),
  ];
}

/** The same for every domain of `waits`. */
export function idleReport(machine: Machine, waits: readonly WaitReason[]): string[] {
  const domains = [...new Set(waits.map(({ domain }) => domain))];
  return domains.flatMap((id) => {
    const state = machine.report(id);
    if (!state) return [];
    return domains.length > 1 ? [`Domain ${id}:`, ...indent(stateLines(state))] : stateLines(state);
  });
}

/** One refused call in full: what, where, why, which objects, what to do, Xen's lines. */
export function refusalReport(machine: Machine, symbols: GuestSymbols | null, record: TraceRecord & { kind: 'hypercall' }): string[] {
  const { refusal } = record;
  if (!refusal) return [];
  const name = record.operation === null ? record.name : `${record.name}.${record.operation}`;
  const [summary, ...rest] = explainInFull(refusal).split('\n');
  return [
    `${name} returned ${record.ret}: ${summary}`,
    ...indent([...whereLines(machine, symbols, machine.vcpuOf(record.domain, record.vcpu)), ...rest]),
  ];
}

/** A line of the simulator's log: with the place in the source and the rule, where it has them. */
export function logLine({ text, rip, rule }: TraceRecord & { kind: 'log' }, symbols: GuestSymbols | null): string {
  if (rule === undefined) return text;
  return `${text} (${rip === undefined || !symbols ? '' : `${placeOf(symbols, BigInt(rip))}; `}rule ${rule})`;
}

function placeOf(symbols: GuestSymbols, address: bigint): string {
  const { file, line } = symbols.locate(address);
  return file === null ? symbols.describe(address) : `${symbols.describe(address)}, ${file}:${line}`;
}
