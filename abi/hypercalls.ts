// Look-ups over the hypercall tables.

import { addEnumeration } from './enumerations.ts';
import { calls } from './hypercalls/calls.table.ts';
import type { Hypercall, Operation } from './hypercalls/hypercall.ts';

export type { Caller, Hypercall, Operation } from './hypercalls/hypercall.ts';
export type HypercallName = (typeof calls)[number]['name'];

const all: readonly Hypercall[] = calls;
const byNumber = new Map(all.map((call) => [call.number, call]));
const byName = new Map(all.map((call) => [call.name, call]));

addEnumeration('hypercall', new Map(all.map((call) => [call.number, call.name])));
for (const call of all) {
  if (call.operations) addEnumeration(call.name, new Map(call.operations.list.map((operation) => [operation.number, operation.name])));
}

/** Every hypercall, by number. */
export const hypercalls = (): readonly Hypercall[] => all;

/** The call of that number, null for a number that Xen 4.17 does not assign. */
export const hypercallByNumber = (number: number): Hypercall | null => byNumber.get(number) ?? null;

/** The call of that name, without `__HYPERVISOR_`: 'mmuext_op'. */
export const hypercallByName = (name: string): Hypercall | null => byName.get(name) ?? null;

/** A sub-operation by its number. */
export const operationByNumber = (call: Hypercall, number: number): Operation | null =>
  call.operations?.list.find((operation) => operation.number === number) ?? null;

/** 'mmuext_op' or 'mmuext_op.PIN_L4_TABLE' to its rows; null when there is no such call or operation. */
export function findOperation(name: string): { readonly call: Hypercall; readonly operation: Operation | null } | null {
  const [callName, operationName] = name.split('.');
  const call = byName.get(callName!);
  if (!call) return null;
  if (operationName === undefined) return { call, operation: null };
  const operation = call.operations?.list.find((one) => one.name === operationName);
  return operation ? { call, operation } : null;
}

/** Every name that a hypercall breakpoint can have: each call, then its operations. */
export const operationNames = (): readonly string[] =>
  all.flatMap((call) => [call.name, ...(call.operations?.list.map((operation) => `${call.name}.${operation.name}`) ?? [])]);

/** The argument list of a call, for a 64- or 32-bit guest, in the tables' notation; `$` replaced by the operation's type. */
export function argumentList(call: Hypercall, bits: 64 | 32, operation: Operation | null = null): string {
  const text = typeof call.args === 'string' ? call.args : call.args[bits];
  return text.replace('$', operation?.type?.replace(/^>/, '') ?? 'void');
}

/** How a C programmer writes it: `HYPERVISOR_vcpu_op(VCPUOP_up, u32 vcpuid)`. For hovers and the breakpoint picker. */
export function signature(call: Hypercall, operation: Operation | null = null): string {
  const selector = call.operations?.selector;
  const parameters = argumentList(call, 64, operation)
    .split(';')
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter !== '')
    .map((parameter) => {
      const name = parameter.split(' ').at(-1)!;
      if (operation && name === selector) return call.operations!.prefix + operation.name;
      return cParameter(parameter);
    });
  return `HYPERVISOR_${call.name}(${parameters.join(', ')})`;
}

const cTypes: Readonly<Record<string, string>> = {
  u8: 'uint8_t',
  u16: 'uint16_t',
  u32: 'unsigned int',
  u64: 'uint64_t',
  x64: 'uint64_t',
  xlong: 'unsigned long',
  ulong: 'unsigned long',
  frame: 'xen_pfn_t',
  domid: 'domid_t',
  char: 'char',
  void: 'void',
};

function cParameter(parameter: string): string {
  const match = /^>?(@?)(\w+)(?:\[\d+\])?(?:=\w+)? (\w+)/.exec(parameter);
  if (!match) throw new Error(`hypercall table: cannot read the parameter '${parameter}'`);
  const [, pointer, type, name] = match;
  const c = cTypes[type!] ?? `struct ${type}`;
  return pointer ? `${c} *${name}` : `${c} ${name}`;
}
