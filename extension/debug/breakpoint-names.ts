// What 'Add Hypercall Breakpoint' offers: names of the form class:what, from the tables of the Xen interface.

import { virqs } from '../../abi/constants/event.table.ts';
import { exceptionNames } from '../../abi/constants/trap.table.ts';
import { findOperation, hypercalls, operationNames, signature } from '../../abi/hypercalls.ts';

export interface BreakpointChoice {
  /** The function breakpoint's name, as the debug adapter takes it. */
  readonly label: string;
  readonly description: string;
  readonly detail?: string;
}

/** Every hypercall with its operations, then any hypercall, virtual interrupts and exceptions. */
export function breakpointChoices(): BreakpointChoice[] {
  const calls = operationNames().map((name) => {
    const { call, operation } = findOperation(name)!;
    return {
      label: `hypercall:${name}`,
      description: signature(call, operation),
      ...(call.replaces && { detail: `replaces ${call.replaces}` }),
    };
  });
  const any = { label: 'hypercall:*', description: `any of the ${hypercalls().length} hypercalls` };
  const events = Object.keys(virqs).map((name) => ({ label: `event:${name}`, description: 'upcall that brings this virtual interrupt' }));
  const exceptions = Object.entries(exceptionNames).map(([name, text]) => ({ label: `exception:${name}`, description: text }));
  return [...calls, any, ...events, { label: 'event:*', description: 'any event upcall' }, ...exceptions];
}
