// A hypercall's registers as names and values, by the tables. Serves the trace, hypercall breakpoints and the views.

import { grantCopyFlags } from './constants/grant.table.ts';
import { specialDomain } from './enumerations.ts';
import type { Hypercall, Operation } from './hypercalls/hypercall.ts';
import { hypercallByNumber, operationByNumber } from './hypercalls.ts';
import { type Bits, isStructure, layoutOf, readBig, resolve, StructView, sizeOf, slotOf } from './layout.ts';
import {
  type DecodedArgs,
  type DecodedValue,
  hex,
  hexBytes,
  type MemoryReader,
  type PresentOptions,
  presentArray,
  presentFields,
  presentPointed,
  presentScalar,
  presentValue,
} from './present.ts';
import { type Member, parseDeclaration } from './structures/declaration.ts';

export interface HypercallInput {
  readonly number: number;
  /** The five argument registers, in the order of the calling convention. */
  readonly args: readonly bigint[];
  readonly bits: Bits;
  readonly read: MemoryReader;
  /** 'entry' (the default) leaves out what Xen will write; 'exit' shows it. */
  readonly phase?: 'entry' | 'exit';
  /** Elements shown of each array, 64 unless given. */
  readonly limit?: number;
}

export interface DecodedHypercall {
  /** 'mmuext_op'; 'hypercall_47' for a number that is not assigned. */
  readonly name: string;
  /** Sub-operation; of a batch, all that differ from the one before joined by '+'; the number as text where it has no name. */
  readonly operation: string | null;
  /** A structure that the argument points to appears by its fields, an array under the argument's name; an unreadable pointer as its
   * address. Of a multicall `calls`: name, operation and args of each (and `result` at exit). */
  readonly args: DecodedArgs;
  /** What breakpoints match: 'mmuext_op', 'mmuext_op.PIN_L4_TABLE' and, of a multicall, those of its calls. */
  readonly matches: readonly string[];
}

/** Bit 31 of the count of mmu_update and mmuext_op: Xen continues a preempted call. */
const preempted = 0x80000000;
/** Elements whose operation is looked at in a batch. */
const batchLimit = 1024;
const entriesPerGdtFrame = 512;

/** Decodes a call. Never throws on what a guest can pass. */
export function decodeHypercall(input: HypercallInput): DecodedHypercall {
  return decode(input, 0);
}

/** The names under which a breakpoint can match the call: see DecodedHypercall.matches. */
export const operationsOf = (call: DecodedHypercall): readonly string[] => call.matches;

function decode(input: HypercallInput, depth: number): DecodedHypercall {
  const call = hypercallByNumber(input.number);
  if (!call) {
    const args: Record<string, DecodedValue> = {};
    input.args.slice(0, 5).forEach((value, i) => {
      args[`arg${i + 1}`] = hex(BigInt.asUintN(input.bits, value));
    });
    return { name: `hypercall_${input.number}`, operation: null, args, matches: [`hypercall_${input.number}`] };
  }
  const options: PresentOptions = { read: input.read, phase: input.phase ?? 'entry', limit: input.limit ?? 64 };
  const registers = assign(call, input);
  const selected = select(call, registers, input);
  const args: Record<string, DecodedValue> = {};
  const matches = new Set<string>([call.name]);
  for (const name of selected.names) matches.add(`${call.name}.${name}`);
  for (const [name, { member, value }] of registers) {
    if (name === call.operations?.selector) continue;
    if (name === 'foreigndom') foreignDomain(Number(value), args);
    else if (member.type.kind !== 'pointer') args[name] = presentScalar(resolve(name, input.bits, member.type).type, value);
    else pointer(call, selected.operation, name, member, value, registers, input, options, depth, args, matches);
  }
  return { name: call.name, operation: selected.text, args, matches: [...matches] };
}

interface Register {
  readonly member: Member;
  readonly value: bigint;
}
type Registers = ReadonlyMap<string, Register>;

const lists = new Map<string, readonly Member[]>();

/** Which register is which argument; `@$` becomes a void pointer here. */
function assign(call: Hypercall, { args, bits }: HypercallInput): Registers {
  const text = typeof call.args === 'string' ? call.args : call.args[bits];
  let members = lists.get(text);
  if (!members) {
    members = text === '' ? [] : parseDeclaration(text.replace('$', 'void')).members;
    lists.set(text, members);
  }
  const registers = new Map<string, Register>();
  let at = 0;
  const next = (): bigint => BigInt.asUintN(bits, args[at++] ?? 0n);
  for (const member of members) {
    const { size } = resolve(member.name, bits, member.type).type;
    let value = next();
    if (size * 8 > bits) value |= next() << 32n;
    registers.set(member.name, { member, value: BigInt.asUintN(size * 8, value) });
  }
  return registers;
}

interface Selection {
  readonly text: string | null;
  readonly names: readonly string[];
  /** The row, where the whole call has one. */
  readonly operation: Operation | null;
}

const none: Selection = { text: null, names: [], operation: null };

function select(call: Hypercall, registers: Registers, input: HypercallInput): Selection {
  if (!call.operations) return none;
  const { selector, mask } = call.operations;
  const named = (number: number): Selection => {
    const operation = operationByNumber(call, mask === undefined ? number : number & mask);
    const name = operation?.name ?? String(number);
    return { text: name, names: [name], operation };
  };
  const register = registers.get(selector);
  if (register) return named(Number(BigInt.asUintN(32, register.value)));
  const [argument, field] = selector.split(/->|\[\]\.|\[0\]->/) as [string, string];
  const { member, value } = registers.get(argument)!;
  const to = member.type.kind === 'pointer' ? member.type.to : '';
  if (selector.includes('[]')) return batch(call, to, field, value, elementCount(member, registers), input);
  const address = selector.includes('[0]') ? bufferAddress(value, input) : value;
  const bytes = address === null ? null : input.read(address, 4);
  return bytes ? named(Number(readBig(bytes, 0, 4))) : none;
}

/** The operations of the elements of an array: each is a field's value, or of mmu_update the low bits of one. */
function batch(call: Hypercall, to: string, field: string, address: bigint, elements: number, input: HypercallInput): Selection {
  if (!isStructure(to)) return none;
  const size = sizeOf(to, input.bits);
  const slot = slotOf(to, input.bits, field);
  const bytes = input.read(address, Math.min(elements, batchLimit) * size);
  if (!bytes || bytes.length === 0) return none;
  const names: string[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    let number = Number(BigInt.asUintN(32, readBig(bytes, at + slot.offset, slot.size)));
    if (to === 'mmu_update') number &= 3;
    const name = operationByNumber(call, number)?.name ?? String(number);
    // Updates of page tables are many and alike: each kind once. Extended operations are few: their order tells what is done.
    if (to === 'mmu_update' ? !names.includes(name) : names.at(-1) !== name) names.push(name);
  }
  return { text: names.join('+'), names: [...new Set(names)], operation: null };
}

/** Address in the first buffer of dm_op. */
function bufferAddress(buffers: bigint, { bits, read }: HypercallInput): bigint | null {
  const bytes = read(buffers, sizeOf('xen_dm_op_buf', bits));
  return bytes ? new StructView('xen_dm_op_buf', bits, bytes).big('h') : null;
}

function elementCount(member: Member, registers: Registers): number {
  const name = member.type.kind === 'pointer' ? member.type.count : null;
  if (name === null) return 0;
  if (name === 'gdt_frames') return Math.ceil(Number(registers.get('entries')!.value) / entriesPerGdtFrame);
  const elements = Number(registers.get(name)!.value);
  return elements >= preempted && elements < 2 * preempted ? elements - preempted : elements;
}

function pointer(
  call: Hypercall,
  operation: Operation | null,
  name: string,
  member: Member,
  value: bigint,
  registers: Registers,
  input: HypercallInput,
  options: PresentOptions,
  depth: number,
  args: Record<string, DecodedValue>,
  matches: Set<string>,
): void {
  const { bits } = input;
  const type = member.type as Extract<Member['type'], { kind: 'pointer' }>;
  const text = typeof call.args === 'string' ? call.args : call.args[bits];
  const typed = text.includes(`@$ ${name}`);
  const to = typed ? (operation?.type ?? 'void') : type.to;
  const output = member.out || to.startsWith('>');
  const target = to.replace(/^>/, '').replace(/\[\d+\]$/, '');
  if (typed && operation?.type === null) {
    // The operation has no argument; what the register holds is the guest's business, shown when it is not null.
    if (value !== 0n) args[name] = hex(value);
    return;
  }
  if (output && options.phase === 'entry') {
    args[name] = hex(value);
    return;
  }
  if (target === 'trap_info') trapTable(value, bits, options, args);
  else if (target === 'multicall_entry') multicall(value, elementCount(member, registers), input, options, depth, args, matches);
  else if (target === 'mmuext_op') mmuext(value, elementCount(member, registers), bits, options, args);
  else if (target === 'mmu_update') mmuUpdates(value, elementCount(member, registers), bits, options, args);
  else if (type.count !== null) presentArray(name, target, bits, value, elementCount(member, registers), options, args);
  else if (call.name === 'xsm_op' || call.name === 'domctl' || call.name === 'sysctl' || call.name === 'mca') {
    if (!presentPointed(target, bits, value, options, args)) args[name] = hex(value);
    delete args.cmd;
  } else if (operation?.type && call.operations?.selector.startsWith(`${name}->`))
    body(target, operation.type, name, value, bits, options, args);
  else if (isStructure(target)) {
    if (!presentPointed(target, bits, value, options, args)) args[name] = hex(value);
  } else pointedScalar(name, to, target, value, bits, options, output, args);
  if (call.name === 'dm_op' && operation?.type) {
    const address = bufferAddress(value, input);
    if (address !== null) body('xen_dm_op', operation.type, 'op', address, bits, options, args);
  }
  if (call.name === 'grant_table_op' && target === 'gnttab_copy') copySides(args);
}

/** The member of the union `u` that the operation of an old-style or platform call uses. */
function body(
  outer: string,
  inner: string,
  name: string,
  address: bigint,
  bits: Bits,
  options: PresentOptions,
  args: Record<string, DecodedValue>,
): void {
  if (!isStructure(outer) || !isStructure(inner)) {
    args[name] = hex(address);
    return;
  }
  const layout = layoutOf(inner, bits);
  const bytes = options.read(address + BigInt(slotOf(outer, bits, 'u').offset), layout.size);
  if (bytes) presentFields(layout, bytes, 0, options, args);
  else args[name] = hex(address);
}

/** `char[16]`, `u8[16]`, `u32`, `char`: what a pointer to no structure leads to. */
function pointedScalar(
  name: string,
  to: string,
  target: string,
  address: bigint,
  bits: Bits,
  options: PresentOptions,
  output: boolean,
  args: Record<string, DecodedValue>,
): void {
  const length = /\[(\d+)\]$/.exec(to)?.[1];
  if (target === 'void' || (target === 'char' && length === undefined)) {
    args[name] = hex(address);
    return;
  }
  const { type } = resolve(name, bits, { kind: 'scalar', name: target, enumeration: null });
  // A null pointer says that the caller does not want it, even where the guest has address 0 mapped.
  const bytes = address === 0n ? null : options.read(address, length === undefined ? type.size : Number(length));
  args[name] = hex(address);
  if (!bytes) return;
  const key = output ? `*${name}` : name;
  if (length === undefined) args[key] = presentValue(type, bytes, 0, options);
  else args[key] = target === 'char' ? String.fromCharCode(...bytes.subarray(0, endOfText(bytes))) : hexBytes(bytes);
}

const endOfText = (bytes: Uint8Array): number => (bytes.includes(0) ? bytes.indexOf(0) : bytes.length);

/** A table of gates ends with one whose address is 0. */
function trapTable(address: bigint, bits: Bits, options: PresentOptions, args: Record<string, DecodedValue>): void {
  if (address === 0n) {
    args.traps = null;
    return;
  }
  const layout = layoutOf('trap_info', bits);
  const traps: DecodedValue[] = [];
  for (let i = 0; i < 257; i++) {
    const bytes = options.read(address + BigInt(i * layout.size), layout.size);
    if (!bytes) {
      if (i === 0) args.traps = hex(address);
      break;
    }
    if (new StructView('trap_info', bits, bytes).big('address') === 0n) break;
    const fields: Record<string, DecodedValue> = {};
    presentFields(layout, bytes, 0, options, fields);
    traps.push(fields);
  }
  if (args.traps === undefined) args.traps = traps;
}

function multicall(
  address: bigint,
  elements: number,
  input: HypercallInput,
  options: PresentOptions,
  depth: number,
  args: Record<string, DecodedValue>,
  matches: Set<string>,
): void {
  const { bits } = input;
  const size = sizeOf('multicall_entry', bits);
  const shown = Math.min(elements, options.limit);
  const bytes = shown > 0 ? input.read(address, shown * size) : null;
  if ((shown > 0 && !bytes) || depth > 0) {
    args.call_list = hex(address);
    return;
  }
  const decoded: DecodedValue[] = [];
  for (let i = 0; i < shown; i++) {
    const entry = new StructView('multicall_entry', bits, bytes!, i * size);
    const registers = Array.from({ length: 6 }, (_, k) => entry.big(`args[${k}]`));
    const call = decode({ ...input, number: Number(entry.big('op')), args: registers }, depth + 1);
    for (const name of call.matches) matches.add(name);
    const { name, operation } = call;
    decoded.push(
      options.phase === 'exit'
        ? { name, operation, args: call.args, result: entry.number('result') }
        : { name, operation, args: call.args },
    );
  }
  args.calls = decoded;
  if (elements > shown) args.calls_more = elements - shown;
}

/** Low half: whose frames; high half of mmu_update's: who owns the tables, plus one, or 0 for the caller. */
function foreignDomain(value: number, args: Record<string, DecodedValue>): void {
  const shown = (id: number): DecodedValue => specialDomain(id) ?? id;
  args.foreigndom = shown(value & 0xffff);
  if (value >>> 16 !== 0) args.pt_owner = shown((value >>> 16) - 1);
}

/** Which arguments each extended operation uses. */
const mmuextArguments: Readonly<Record<string, readonly string[]>> = {
  MMUEXT_TLB_FLUSH_LOCAL: [],
  MMUEXT_TLB_FLUSH_ALL: [],
  MMUEXT_FLUSH_CACHE: [],
  MMUEXT_FLUSH_CACHE_GLOBAL: [],
  MMUEXT_INVLPG_LOCAL: ['linear_addr'],
  MMUEXT_INVLPG_ALL: ['linear_addr'],
  MMUEXT_INVLPG_MULTI: ['linear_addr', 'vcpumask'],
  MMUEXT_TLB_FLUSH_MULTI: ['vcpumask'],
  MMUEXT_SET_LDT: ['linear_addr', 'nr_ents'],
  MMUEXT_COPY_PAGE: ['mfn', 'src_mfn'],
};

function mmuext(address: bigint, elements: number, bits: Bits, options: PresentOptions, args: Record<string, DecodedValue>): void {
  presentArray('uops', 'mmuext_op', bits, address, elements, options, args);
  if (!Array.isArray(args.uops)) return;
  args.uops = args.uops.map((element) => {
    const { cmd, arg1, arg2 } = element as { cmd: string; arg1: DecodedArgs; arg2: DecodedArgs };
    const both: DecodedArgs = { ...arg1, ...arg2 };
    const used = mmuextArguments[cmd] ?? ['mfn'];
    return { cmd, ...Object.fromEntries(used.map((name) => [name, both[name]!])) };
  });
}

/** The low two bits of ptr are the operation: shown as `cmd`, ptr without them. */
function mmuUpdates(address: bigint, elements: number, bits: Bits, options: PresentOptions, args: Record<string, DecodedValue>): void {
  presentArray('ureqs', 'mmu_update', bits, address, elements, options, args);
  if (!Array.isArray(args.ureqs)) return;
  args.ureqs = args.ureqs.map((element) => {
    const { ptr, val } = element as { ptr: string; val: string };
    const raw = BigInt(ptr);
    const cmd = operationByNumber(hypercallByNumber(1)!, Number(raw & 3n))!;
    return { cmd: `MMU_${cmd.name}`, ptr: hex(raw & ~3n), val };
  });
}

/** Each side of a grant copy is a grant reference or a frame, by its flag. */
function copySides(args: Record<string, DecodedValue>): void {
  if (!Array.isArray(args.uop)) return;
  args.uop = args.uop.map((element) => {
    const one = element as { source: DecodedArgs; dest: DecodedArgs; flags: string };
    const flags = Number(one.flags);
    const side = (pointed: DecodedArgs, flag: number): DecodedArgs => {
      const { u, ...rest } = pointed;
      const { ref, gmfn } = u as { ref: number; gmfn: string };
      return flags & flag ? { ref, ...rest } : { gmfn, ...rest };
    };
    return { ...one, source: side(one.source, grantCopyFlags.GNTCOPY_source_gref), dest: side(one.dest, grantCopyFlags.GNTCOPY_dest_gref) };
  });
}
