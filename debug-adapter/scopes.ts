// The scopes of a frame: locals, the file's globals, registers with decoded flags, and what Xen knows of the vCPU.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../host/errors.ts';
import type { RegisterName, Registers } from '../host/machine-host.ts';
import { hex } from '../host/numbers.ts';
import { describeRecord } from '../host/stop-words.ts';
import { memoryOf } from '../host/symbols/stack.ts';
import { stripAliases } from '../image/dwarf/types.ts';
import type { Variable } from '../image/symbolize/variables.ts';
import type { Value } from '../image/value.ts';
import { assignRegister, assignValue } from './assignment.ts';
import { decodedRegister, decodedSelector } from './flags.ts';
import type { FrameEntry } from './frame-table.ts';
import type { Session } from './session.ts';
import type { Container } from './variable-references.ts';

const general = 'rip rsp rbp rax rbx rcx rdx rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rflags'.split(' ') as RegisterName[];
const selectors = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'] as const;
const system = ['fsBase', 'gsBase', 'gsBaseKernel', 'gsBaseUser', 'cr0', 'cr2', 'cr3', 'cr4'] as const;
/** Not there in a 32-bit guest: registers, and the two bases between which a 64-bit kernel and its user mode switch. */
const only64: ReadonlySet<string> = new Set(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'gsBaseKernel', 'gsBaseUser']);
/** A register's name in a guest of that width: rax is eax. */
const shownAs = (name: RegisterName, bits: 64 | 32): string => (bits === 32 && general.includes(name) ? `e${name.slice(1)}` : name);

/** Where edits are made: the vCPU whose page tables reach the value. */
const vcpuOf = (session: Session, entry: FrameEntry | null): number => entry?.vcpu ?? session.frames.vcpuInView(session.host);

/** A typed value of the guest, with its children behind a reference; `entry`: the frame that it was found in. */
export function valueVariable(
  session: Session,
  value: Value,
  evaluateName?: string,
  entry: FrameEntry | null = null,
): DebugProtocol.Variable {
  const plain = stripAliases(value.ctype);
  const reference = value.address ?? (plain.kind === 'pointer' ? value.number : undefined);
  const pointee = plain.kind === 'pointer' && value.number !== undefined ? value.number : value.address;
  return {
    name: value.name,
    value: value.text,
    type: value.type,
    variablesReference: value.childCount > 0 ? session.references.add(valueContainer(session, value, evaluateName, entry)) : 0,
    ...(evaluateName === undefined ? {} : { evaluateName }),
    ...(plain.kind === 'array' && value.childCount > 100 ? { indexedVariables: value.childCount } : {}),
    ...(reference === undefined || pointee === undefined ? {} : { memoryReference: hex(pointee) }),
    ...(['base', 'pointer', 'enum'].includes(plain.kind) && value.address !== undefined
      ? {}
      : { presentationHint: { attributes: ['readOnly'] } }),
  };
}

function valueContainer(session: Session, value: Value, evaluateName: string | undefined, entry: FrameEntry | null): Container {
  const nameOf = (child: Value): string | undefined => {
    if (evaluateName === undefined) return undefined;
    if (child.name.startsWith('*')) return `*(${evaluateName})`;
    if (child.name.startsWith('[')) return `(${evaluateName})${child.name}`;
    return /^[A-Za-z_]\w*$/.test(child.name) ? `(${evaluateName}).${child.name}` : undefined;
  };
  const childNamed = (name: string): Value | undefined => {
    const index = /^\[(\d+)\]$/.exec(name);
    if (index) return value.children(Number(index[1]), 1)[0];
    return value.children(0, 100_000).find((child) => child.name === name);
  };
  return {
    children: (start, count) => value.children(start, count ?? 100).map((child) => valueVariable(session, child, nameOf(child), entry)),
    find: childNamed,
    set: (name, text) => assignAndShow(session, entry, () => childNamed(name), name, text),
  };
}

/** Sets what `find` gives and reads it again: the new value as it is shown. */
function assignAndShow(session: Session, entry: FrameEntry | null, find: () => Value | undefined, name: string, text: string): string {
  const target = find();
  if (!target) throw new UserError(`There is no '${name}' here.`);
  assignValue(session.host, vcpuOf(session, entry), target, text, session.frames.scopeOf(session.host, undefined));
  return find()!.text;
}

const shadowed = ' (of an outer block)';

function variableList(session: Session, entry: FrameEntry, variables: readonly Variable[]): Container {
  const { symbolizer } = session.host.guests.ofVcpu(entry.vcpu);
  const memory = memoryOf(session.host.machine, entry.vcpu);
  const shownName = (variable: Variable): string => (variable.isShadowed ? `${variable.name}${shadowed}` : variable.name);
  const valueIn = (variable: Variable): Value => symbolizer.valueOf(variable, entry.frame.physical, memory);
  const find = (name: string): Value | undefined => {
    const variable = variables.find((one) => shownName(one) === name);
    return variable && valueIn(variable);
  };
  return {
    children: () =>
      variables.map((variable) => {
        const shown = valueVariable(session, valueIn(variable), variable.isShadowed ? undefined : variable.name, entry);
        return { ...shown, name: shownName(variable) };
      }),
    find,
    set: (name, text) => assignAndShow(session, entry, () => find(name), name, text),
  };
}

/** Registers of the frame: in a caller's only what the callees preserved. */
function registerContainer(session: Session, entry: FrameEntry): Container {
  const { machine } = session.host;
  const symbols = session.host.guests.ofVcpu(entry.vcpu);
  const { physical } = entry.frame;
  const preserved = new Map(symbols.symbolizer.registers.names.map((name, n) => [name as string, physical.registers.get(n)]));
  const register = (now: Registers, name: RegisterName): DebugProtocol.Variable => {
    const known = physical.level > 0 && preserved.has(name) ? preserved.get(name) : BigInt(now[name]);
    const shown = shownAs(name, machine.bits);
    if (known === undefined) return row(shown, '<not preserved by the callee>', 'register');
    return { ...row(shown, decodedRegister(name, known), 'register'), memoryReference: hex(known) };
  };
  const exists = (name: string): boolean => machine.bits === 64 || !only64.has(name);
  const names = general.filter(exists);
  const row = (name: string, shown: string, type: string): DebugProtocol.Variable => ({
    name,
    value: shown,
    type,
    variablesReference: 0,
    evaluateName: `$${name}`,
  });
  return {
    children: () => {
      const now = machine.registers(entry.vcpu);
      return [
        ...names.map((name) => register(now, name)),
        ...selectors.map((name) => row(name, decodedSelector(now[name]), 'selector')),
        ...system.filter(exists).map((name) => row(name, decodedRegister(name, now[name]), 'system register')),
      ];
    },
    set: (name, text) => {
      if (physical.level > 0)
        throw new UserError("Registers can be set in the innermost frame only; a caller's are what will be restored.");
      const register = [...general, ...selectors, ...system].find((r) => exists(r) && shownAs(r, machine.bits) === name);
      if (!register) throw new UserError(`There is no register '${name}'.`);
      const scope = session.frames.scopeOf(session.host, undefined);
      assignRegister(session.host, entry.vcpu, register, text, scope);
      const set = machine.registers(entry.vcpu)[register];
      return (selectors as readonly string[]).includes(register) ? decodedSelector(Number(set)) : decodedRegister(register, BigInt(set));
    },
  };
}

function xenContainer(session: Session, entry: FrameEntry): Container {
  const { machine } = session.host;
  const symbols = session.host.guests.ofVcpu(entry.vcpu);
  const plain = (name: string, value: string): DebugProtocol.Variable => ({ name, value, variablesReference: 0 });
  return {
    children: () => {
      const view = machine.vcpus().find(({ id }) => id === entry.vcpu);
      const info = machine.vcpuInfo(entry.vcpu);
      const callbacks = machine.callbacks(entry.vcpu);
      const call = [...machine.recent(2000).records]
        .reverse()
        .find((r) => machine.vcpuOf(r.domain, r.vcpu) === entry.vcpu && (r.kind === 'hypercall' || r.kind === 'hypercall-entry'));
      const symbol = (address: bigint | null): string =>
        address === null ? 'not registered' : `${hex(address)} <${symbols.describe(address)}>`;
      return [
        plain('last hypercall', call ? describeRecord(call) : 'none yet'),
        ...(call && 'args' in call ? [plainTree(session, 'its arguments', call.args)] : []),
        plain('mode', view ? `${view.inKernel ? 'guest kernel' : 'guest user'}, ${view.state}` : 'unknown'),
        plain('evtchn_upcall_pending', info ? String(Number(info.upcallPending)) : 'no vcpu_info'),
        plain(
          'evtchn_upcall_mask',
          info ? `${Number(info.upcallMask)}${info.upcallMask ? ' (events are masked: what cli was)' : ''}` : 'no vcpu_info',
        ),
        plain('evtchn_pending_sel', info ? hex(info.pendingSel) : 'no vcpu_info'),
        plain('arch.cr2', info ? hex(info.archCr2) : 'no vcpu_info'),
        plain('event callback', symbol(callbacks.event)),
        plain('failsafe callback', symbol(callbacks.failsafe)),
        plainTree(session, 'trap table', Object.fromEntries(callbacks.traps.map((t) => [`vector ${t.vector}`, symbol(t.address)]))),
        plain('instructions executed', String(machine.icount())),
        plain('guest time', `${(machine.clock() / 1e6).toFixed(6)} ms`),
      ];
    },
  };
}

/** Decoded arguments and other plain values as a tree. */
export function plainTree(session: Session, name: string, value: unknown): DebugProtocol.Variable {
  if (typeof value !== 'object' || value === null) return { name, value: String(value), variablesReference: 0 };
  const entries = Object.entries(value);
  const shown = Array.isArray(value) ? `[${entries.length}]` : entries.length ? `{${entries.map(([k]) => k).join(', ')}}` : '{}';
  const label = (key: string): string => (Array.isArray(value) ? `[${key}]` : key);
  const container: Container = {
    children: (start = 0, count = 1000) => entries.slice(start, start + count).map(([k, v]) => plainTree(session, label(k), v)),
  };
  return { name, value: shown, variablesReference: entries.length ? session.references.add(container) : 0 };
}

export function scopesOf(session: Session, entry: FrameEntry): DebugProtocol.Scope[] {
  const symbols = session.host.guests.ofVcpu(entry.vcpu);
  const { symbolizer } = symbols;
  const { frame } = entry;
  const stub = symbols.isStub(frame.pc);
  const locals = stub ? [] : symbolizer.variablesAt(frame.physical.lookup, frame.inlineLevel);
  const globals = stub ? [] : symbolizer.globalsAt(frame.physical.lookup);
  const scope = (name: string, container: Container, hint: string | undefined, expensive: boolean): DebugProtocol.Scope => ({
    name,
    variablesReference: session.references.add(container),
    expensive,
    ...(hint === undefined ? {} : { presentationHint: hint }),
  });
  return [
    ...(locals.length ? [scope('Locals', variableList(session, entry, locals), 'locals', false)] : []),
    ...(globals.length ? [scope('Globals of this File', variableList(session, entry, globals), undefined, true)] : []),
    scope('Registers', registerContainer(session, entry), 'registers', false),
    scope('Xen', xenContainer(session, entry), undefined, true),
  ];
}
