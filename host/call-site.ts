// The source line of the guest that made a trace record: of a hypercall through the hypercall page, the line that called the stub.

import type { Machine } from '../simulator/machine-types.ts';
import type { Guests } from './guests.ts';
import type { TracedRecord, TraceRecord } from './protocol.ts';
import { readWord } from './stepping/drives.ts';
import type { GuestSymbols } from './symbols/guest-symbols.ts';

type Source = NonNullable<TracedRecord['source']>;
const cache = new WeakMap<GuestSymbols, Map<bigint, Source | null>>();

/** Call while the record is being made, with the vCPU's registers as they are then. Null where no source is known. */
export function callSite(machine: Machine, guests: Guests, record: TraceRecord): Source | null {
  if (record.rip === undefined) return null;
  const vcpu = machine.vcpuOf(record.domain, record.vcpu);
  if (vcpu === null) return null;
  const symbols = guests.of(record.domain);
  const rip = BigInt(record.rip);
  const stub = symbols.stubAt(rip);
  if (!stub) return sourceOf(symbols, rip);
  // Done, iret has left the stack that it was called on.
  if (record.kind === 'hypercall' && record.name === 'iret') return null;
  const { rsp } = machine.registers(vcpu);
  const back = readWord(machine, vcpu, rsp + (machine.bits === 64 ? 16n : 0n));
  return back === null ? null : sourceOf(symbols, back - 1n);
}

function sourceOf(symbols: GuestSymbols, address: bigint): Source | null {
  const known = cache.get(symbols) ?? new Map<bigint, Source | null>();
  cache.set(symbols, known);
  let source = known.get(address);
  if (source === undefined) {
    source = find(symbols, address);
    known.set(address, source);
  }
  return source;
}

/** Of inlined functions the outermost is of no use (a whole file inlined into main) and the innermost is the stub's own wrapper in a
 * header: the first frame in another file than a header, else the innermost. */
function find(symbols: GuestSymbols, address: bigint): Source | null {
  const frames = symbols.symbolizer.framesAt(address).filter((f) => f.file !== undefined && f.line > 0);
  const frame = frames.find((f) => !f.file!.endsWith('.h')) ?? frames[0];
  if (!frame?.file) return null;
  const column = frame.column > 0 ? { column: frame.column } : {};
  return { path: symbols.localPath(frame.file), line: frame.line, ...column, name: frame.function };
}
