// Debugging by program, without a client: open a kernel, run to a place or event, look at the stack. For the command line,
// demonstrations and tests.

import { asVirtual } from '../abi/address.ts';
import { isNamed } from './breakpoints/names.ts';
import { namedBreakpoint, parseConditions, type WrittenConditions } from './breakpoints/record-breakpoint.ts';
import type { CodePlace } from './breakpoints/table.ts';
import { UserError } from './errors.ts';
import { launchMachine, type SourceOptions } from './launch.ts';
import type { MachineHost } from './machine-host.ts';
import type { EndingInfo, LaunchParameters } from './protocol.ts';
import type { Stop } from './run-control.ts';
import { describeStop, type StopWords } from './stop-words.ts';
import type { StackFrame } from './symbols/stack.ts';

const defaults: Omit<LaunchParameters, 'program'> = {
  cmdline: '',
  ramdisk: null,
  memoryMib: 64,
  vcpus: 1,
  dom0: false,
  cpu: 'amd',
  tsc: 'emulate',
  tier1: true,
  pace: 'fast',
};

/** Opens a kernel, stopped at its entry point. Throws UserError, ImageError or KernelImageError: messages for a person. */
export const openMachine = (launch: Partial<LaunchParameters> & { program: string }, sources: SourceOptions): MachineHost =>
  launchMachine({ ...defaults, ...launch }, sources);

export type RunOutcome =
  | { readonly kind: 'stopped'; readonly stop: Stop; readonly words: StopWords | null; readonly stack: readonly StackFrame[] }
  | { readonly kind: 'ended'; readonly ending: EndingInfo };

/** Goes on to the next stop or the end. */
export function runOn(host: MachineHost): Promise<RunOutcome> {
  return new Promise((resolve) => {
    const forget = host.observe({
      stopped: (stop) => {
        forget();
        resolve({ kind: 'stopped', stop, words: describeStop(host, stop), stack: host.stack(stop.vcpu) });
      },
      ended: (ending) => {
        forget();
        resolve({ kind: 'ended', ending });
      },
    });
    host.continue();
  });
}

/**
 * Runs to a place: a breakpoint name ('hypercall:mmuext_op.PIN_L4_TABLE', 'exception:#PF'), a function, or 'file.c:12'. It is the only
 * breakpoint during this run. Throws UserError when there is no such place.
 */
export async function runTo(host: MachineHost, place: string, written: WrittenConditions = {}): Promise<RunOutcome> {
  const id = host.newId();
  const group = 'run to';
  if (isNamed(place)) host.table.setRecords(group, [namedBreakpoint(id, place, written)]);
  else host.table.setCode(group, [{ id, label: place, places: placesOf(host, place), ...parseConditions(written) }]);
  try {
    return await runOn(host);
  } finally {
    host.table.setRecords(group, []);
    host.table.setCode(group, []);
  }
}

function placesOf(host: MachineHost, place: string): readonly CodePlace[] {
  const { symbolizer } = host.guests.of(host.machine.domain);
  const line = /^(.+):([0-9]+)$/.exec(place);
  const places = line
    ? (symbolizer.breakpointsAt(line[1]!, Number(line[2]))?.addresses ?? [])
    : symbolizer.functionsNamed(place).map((f) => f.body);
  if (!places.length) throw new UserError(`The kernel has no ${line ? 'code at' : 'function'} '${place}'.`);
  return places.map((address) => ({ domain: host.machine.domain, address: asVirtual(address) }));
}
