// The machine-check call as dom0 uses it: the processors, and what was found wrong with them, which is nothing.
// Source: answers of Xen 4.17, recorded in test/conformance/recorded/machine*; arch/x86/cpu/mcheck/mce.c.

import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no } from '../call.ts';
import { capabilityWords } from './domain-info.ts';

const FETCH = 1;
const PROCESSORS = 3;
/** Which queue fetch means, and that an entry of it was handled. */
const QUEUES = 3;
const ACKNOWLEDGE = 4;
const NO_DATA = 1;
/** Arguments begin here; of a 32-bit guest too. */
const ARGUMENTS = 8;
/** Registers that the description of a processor has room for. */
const MSRS = 8;

const invalid = (what: string, field: string): Answer => no(refuse('EINVAL', 'field-value', { what, field }));

function fetch(call: Call, view: DataView, bytes: Uint8Array, what: string): HandlerResult {
  const flags = view.getUint32(ARGUMENTS, true);
  if ((flags & QUEUES) !== 1 && (flags & QUEUES) !== 2) return invalid(what, 'flags');
  if (flags & ACKNOWLEDGE) return 0;
  const wide = call.bits === 64;
  const data = wide ? view.getBigUint64(ARGUMENTS + 16, true) : BigInt(view.getUint32(ARGUMENTS + 12, true));
  if (data === 0n) return invalid(what, 'data');
  view.setUint32(ARGUMENTS, NO_DATA, true);
  view.setBigUint64(ARGUMENTS + (wide ? 8 : 4), 0n, true);
  return call.write(call.args[0]!, bytes) ? 0 : call.fault('xen_mc');
}

function processors(call: Call, view: DataView, bytes: Uint8Array, what: string): HandlerResult {
  const wide = call.bits === 64;
  const info = wide ? view.getBigUint64(ARGUMENTS + 8, true) : BigInt(view.getUint32(ARGUMENTS + 8, true));
  if (info !== 0n) {
    if (view.getInt32(ARGUMENTS, true) <= 0) return invalid(what, 'ncpus');
    if (!call.write(info, processor(call))) return call.fault('info');
  }
  view.setUint32(ARGUMENTS, 1, true);
  return call.write(call.args[0]!, bytes) ? 0 : call.fault('xen_mc');
}

/** Offsets of the description that are not one word behind the other. */
const AT = { vendor: 52, brand: 68, capabilities: 132, msrs: 168 } as const;
const BRAND_LEAVES = [0x8000_0002, 0x8000_0003, 0x8000_0004];
const AMD_VENDOR = 2;
const INTEL_VENDOR = 1;
const MCG_CAP = 0x179n;
/** Banks of the processor, and that MCG_CTL is there. */
const BANKS = 0x10an;
const CACHE_KIB = 512;
const CACHE_LINE = 64;

/** The one processor: core 0 of package 0, with one thread; what cpuid says of it, and its machine-check capability. */
function processor(call: Call): Uint8Array {
  const wide = call.bits === 64;
  const msrsAt = AT.msrs + (wide ? 8 : 4);
  const bytes = new Uint8Array(msrsAt + MSRS * 16);
  const view = new DataView(bytes.buffer);
  const { policy } = call.domain;
  const { eax: level, ebx, ecx, edx } = policy.native(0, 0);
  const one = policy.native(1, 0);
  const family = (one.eax >> 8) & 15;
  const words: readonly (readonly [number, number])[] = [
    [20, 1],
    [24, 1],
    [28, 1],
    [32, level],
    [36, family === 15 ? 15 + ((one.eax >> 20) & 0xff) : family],
    [40, call.hv.config.cpu === 'amd' ? AMD_VENDOR : INTEL_VENDOR],
    [44, ((one.eax >> 4) & 15) | ((one.eax >> 12) & 0xf0)],
    [48, one.eax & 15],
    ...[ebx, edx, ecx].map((word, n) => [AT.vendor + 4 * n, word] as const),
    ...capabilityWords(call).map((word, n) => [AT.capabilities + 4 * n, word] as const),
    [160, CACHE_KIB],
    [164, CACHE_LINE],
    [AT.msrs, 1],
  ];
  for (const [at, word] of words) view.setInt32(at, word, true);
  BRAND_LEAVES.forEach((leaf, n) => {
    const part = policy.native(leaf, 0);
    for (const [k, word] of [part.eax, part.ebx, part.ecx, part.edx].entries()) view.setInt32(AT.brand + 16 * n + 4 * k, word, true);
  });
  view.setBigUint64(msrsAt, MCG_CAP, true);
  view.setBigUint64(msrsAt + 8, BANKS, true);
  return bytes;
}

const operations: Readonly<Record<number, typeof fetch>> = { [FETCH]: fetch, [PROCESSORS]: processors };

/** A command of dom0's, whose version was found right. Null: the simulator does not know it. */
export function machineCheck(call: Call, command: number, bytes: Uint8Array, what: string): HandlerResult | null {
  const copy = bytes.slice();
  return operations[command]?.(call, new DataView(copy.buffer), copy, what) ?? null;
}
