// What is said of grants that somebody has mapped and not unmapped: who granted them, where and when, who maps them, and what went wrong.

import type { CodeMoment, GrantMapView, GrantView, Machine } from '../simulator/machine-types.ts';
import type { GuestSymbols } from './symbols/guest-symbols.ts';

/** Symbols of a domain's kernel; null where it has none. */
export type SymbolsOfDomain = (domain: number) => GuestSymbols | null;

const MOST = 20;

/** One line for each grant that is still mapped, but for those of the toolstack's back ends. */
export function grantLeakLines(machine: Machine, symbolsOf: SymbolsOfDomain): string[] {
  const left = machine.grants().filter(({ maps, ofToolstack }) => maps.length > 0 && !ofToolstack);
  const lines = left.slice(0, MOST).map((grant) => grantLine(grant, symbolsOf));
  return left.length > MOST ? [...lines, `… and ${left.length - MOST} more grants that were never unmapped.`] : lines;
}

function grantLine(grant: GrantView, symbolsOf: SymbolsOfDomain): string {
  const { granting, ref, mfn, granted, maps, takenBack } = grant;
  const frame = mfn ? `, frame ${mfn}` : '';
  const where = granted ? `granted ${place(granted, symbolsOf(granting))}` : 'granted where nobody saw it';
  const end = takenBack ? ` Domain ${granting} ended the access while it was mapped: its page is not free for other uses.` : '';
  return `Grant ${ref} of domain ${granting}${frame}: ${where}; ${maps.map((map) => mapText(map, symbolsOf)).join('; ')}.${end}`;
}

function mapText({ domain, handle, writable, kinds, mapped, overwritten }: GrantMapView, symbolsOf: SymbolsOfDomain): string {
  const how = `${writable ? 'writable' : 'read only'}${kinds.includes('device') ? ' (for a device)' : ''}`;
  const text = `mapped ${how} by domain ${domain} under handle ${handle} ${place(mapped, symbolsOf(domain))}`;
  if (!overwritten) return `${text}, and never unmapped`;
  return `${text}; the entry that maps it was overwritten without an unmap ${place(overwritten, symbolsOf(domain))}, so that it cannot be undone`;
}

function place({ icount, rip }: CodeMoment, symbols: GuestSymbols | null): string {
  const at = `at instruction ${icount.toLocaleString('en')}`;
  if (!symbols) return `${at} by the code at ${rip}`;
  const address = BigInt(rip);
  const frame = symbols.symbolizer.framesAt(address).find(({ file, line }) => file !== undefined && line > 0);
  const line = frame?.file ? ` (${symbols.localPath(frame.file)}:${frame.line})` : '';
  return `${at} by ${symbols.describe(address)}${line}`;
}
