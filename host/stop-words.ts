// Why the machine stopped, in words: a title for the call stack, a text for the editor, and what the Debug Console is told.

import type { WatchedAccess } from '../simulator/machine-types.ts';
import type { TraceRecord } from '../simulator/trace/records.ts';
import { crashFilter, recordFilters } from './breakpoints/filters.ts';
import type { MachineHost } from './machine-host.ts';
import { hex } from './numbers.ts';
import type { Stop } from './run-control.ts';
import { isWrapper } from './symbols/stack.ts';
import { explainCrash, explainInFull } from './words.ts';

export interface StopWords {
  readonly title: string;
  /** One line. */
  readonly text: string;
  /** With the refusal explained: objects, what to do, Xen's own line. */
  readonly full: string;
  /** For the Debug Console; null when the source position says it all. */
  readonly console: string | null;
}

const callName = (record: { readonly name: string; readonly operation: string | null }): string =>
  record.operation === null ? record.name : `${record.name}.${record.operation}`;

/** A record in one sentence. */
export function describeRecord(record: TraceRecord): string {
  switch (record.kind) {
    case 'hypercall-entry':
      return `The guest is about to call ${callName(record)}.`;
    case 'hypercall': {
      const result = record.ret === null ? 'does not return' : `returned ${record.ret}`;
      if (record.unimplemented)
        return `${callName(record)} is not implemented by the simulator: it ${result}. A real Xen would carry it out.`;
      return `${callName(record)} ${result}${record.reason === null ? '.' : `: ${record.reason}`}`;
    }
    case 'exception': {
      const error = record.error === null ? '' : `, error code ${record.error}`;
      const address = record.address === null ? '' : `, address ${record.address}`;
      return `${record.name} is delivered to the guest${error}${address}${record.reason === null ? '.' : `: ${record.reason}`}`;
    }
    case 'upcall':
      return `The event callback is entered: ${record.virqs.length ? `${record.virqs.join(', ')}, ` : ''}port ${record.ports.join(', ')}.`;
    case 'emulate':
      return `The hypervisor emulated '${record.instruction}' (rule ${record.rule})${record.detail === null ? '.' : `: ${record.detail}`}`;
    case 'undecoded':
      return `The simulator does not know this instruction: ${record.instruction ?? record.bytes}. A real processor may carry it out.`;
    default:
      return `A record of kind ${record.kind}.`;
  }
}

export function describeStop(host: MachineHost, stop: Stop): StopWords | null {
  if (stop.kind === 'crash') {
    const text = explainCrash(stop.ending as never);
    return { title: crashFilter.label, text: text.split('\n')[0]!, full: text, console: `${text}\n  at ${position(host, stop.vcpu)}` };
  }
  if (stop.kind === 'data') {
    const text = stop.accesses.map((access) => describeAccess(host, stop.vcpu, access)).join('\n');
    const [first] = stop.accesses;
    const title = first?.access === 'read' ? 'Watched memory was read' : 'Watched memory was written';
    return {
      title,
      text: text.split('\n')[0]!,
      full: text,
      console: `${text}\n  by the instruction at ${host.guests.ofVcpu(stop.vcpu).describe(stop.instruction)}`,
    };
  }
  if (stop.kind !== 'record') return null;
  const refusal = 'refusal' in stop.record ? stop.record.refusal : undefined;
  const text = describeRecord(stop.record);
  const full = refusal ? `${callOf(stop.record)}${explainInFull(refusal)}` : text;
  const filter = recordFilters.find((f) => stop.filters.includes(f.id));
  const title = filter && !stop.ids.length ? filter.label : titleOf(stop.record);
  return { title, text, full, console: `${full}\n  at ${position(host, stop.vcpu)}` };
}

/** Little-endian bytes as a number, or as bytes when they are more than a register holds. */
function bytesText(bytes: Uint8Array): string {
  if (bytes.length > 8) return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ');
  return hex(bytes.reduceRight((value, b) => (value << 8n) | BigInt(b), 0n));
}

function describeAccess(host: MachineHost, vcpu: number, { address, length, access, before, after }: WatchedAccess): string {
  const symbol = host.guests.ofVcpu(vcpu).symbolizer.symbolText(address);
  const place = `${hex(address)}${symbol ? ` <${symbol}>` : ''}`;
  const size = `${length} byte${length === 1 ? '' : 's'}`;
  const were = length === 1 ? 'was' : 'were';
  if (access === 'read') return `${size} at ${place} ${were} read: ${bytesText(after)}.`;
  const change = bytesText(before) === bytesText(after) ? `still ${bytesText(after)}` : `${bytesText(before)} became ${bytesText(after)}`;
  return `${size} at ${place} ${were} ${access === 'update' ? 'read and written' : 'written'}: ${change}.`;
}

/** What the explanation of a refusal begins with. */
function callOf(record: TraceRecord): string {
  if (record.kind === 'hypercall') return `${callName(record)} returned ${record.ret}.\n`;
  return record.kind === 'exception' ? `${record.name} is delivered to the guest.\n` : '';
}

function titleOf(record: TraceRecord): string {
  if (record.kind === 'hypercall-entry' || record.kind === 'hypercall') return `Hypercall ${callName(record)}`;
  if (record.kind === 'upcall') return `Event ${record.virqs.join(', ') || `port ${record.ports.join(', ')}`}`;
  if (record.kind === 'exception') return `Exception ${record.name}`;
  return record.kind === 'emulate' ? `Emulated ${record.instruction}` : record.kind;
}

/** Function and line of the innermost frame with source: behind the hypercall page, the caller. */
function position(host: MachineHost, vcpu: number): string {
  const frames = host.stack(vcpu, 4);
  const frame = frames.find((f) => f.file !== null && !isWrapper(f)) ?? frames[0];
  if (!frame) return 'an unknown place';
  return frame.file === null ? frame.name : `${frame.name} (${frame.file}:${frame.line})`;
}
