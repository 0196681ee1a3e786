// `hyperport scan` against objdump's listing, on GNU Mach for Xen and on our sample, native and ported.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { openKernel } from '../../image/elf/kernel.ts';
import { type ScanResult, scanKernel } from '../../scan/scan.ts';
import { ensureDebian } from '../../scripts/debian.mjs';
import { temporaryFolder, tool } from '../image/compile.ts';

const NAMES = new Set(
  'cli sti hlt clts lgdt lidt lldt ltr lmsw smsw sgdt sidt sldt str lar lsl verr verw arpl iret iretq rdtsc cpuid rdmsr wrmsr in out insb insl insw outsb outsl outsw invlpg wbinvd invd pushf popf pushfl popfl lret lretq ljmp lcall sysenter sysexit sysret swapgs xsaves xrstors int'.split(
    ' ',
  ),
);

/** Address and name of what objdump's listing has of sensitive instructions. */
function listing(path: string): Map<bigint, string> {
  const found = new Map<bigint, string>();
  for (const line of tool('objdump', ['-d', '--no-show-raw-insn', path]).split('\n')) {
    const [, address, name, operands] = /^\s*([0-9a-f]+):\s+(?:rep[nz]*\s+)?(\w+)\s*([^<#]*)/.exec(line) ?? [];
    if (!address || !name || operands === undefined) continue;
    const segment = /^(mov|push|pop)[wlq]?$/.test(name) && /(^|,)%[c-gs]s\s*(,|$)/.test(operands);
    if (NAMES.has(name) || /%[cd][br]?\d\b/.test(operands) || segment) found.set(BigInt(`0x${address}`), name);
  }
  return found;
}

const unread = ({ unread }: ScanResult, address: bigint): boolean =>
  unread.some((part) => address >= part.address && address < part.address + BigInt(part.size));

/** How many findings there are, all of which objdump has; and what objdump has more, outside of bytes that nothing leads to. */
function compare(path: string): { readonly found: number; readonly missed: string[] } {
  const listed = listing(path);
  const result = scanKernel(openKernel(new Uint8Array(readFileSync(path))));
  const found = new Set(result.findings.map(({ address }) => address));
  expect(result.findings.filter(({ address }) => !listed.has(address))).toEqual([]);
  const missed = [...listed].filter(([address]) => !found.has(address) && !unread(result, address));
  return { found: found.size, missed: missed.map(([, name]) => name) };
}

it('GNU Mach for Xen, with tables among its code: every sensitive instruction, and none of the tables’ bytes', async () => {
  const folder = await ensureDebian(['gnumach-image-1.8-xen-486-dbg']);
  const path = join(temporaryFolder(), 'gnumach');
  writeFileSync(path, gunzipSync(readFileSync(join(folder, 'boot/gnumach-1.8-xen-486-dbg.gz'))));
  const { found, missed } = compare(path);
  expect(missed).toEqual([]);
  expect(found).toBeGreaterThan(70);
});

const prebuilt = (name: string) => join(import.meta.dirname, '../../samples/tinykernel/prebuilt', name);

it('the native sample: every sensitive instruction, with its source line', () => {
  const { found, missed } = compare(prebuilt('tinykernel-native.elf'));
  expect(missed).toEqual([]);
  expect(found).toBeGreaterThan(70);
  const { findings } = scanKernel(openKernel(new Uint8Array(readFileSync(prebuilt('tinykernel-native.elf')))));
  expect(findings.filter(({ file, line }) => file === null || line === null)).toEqual([]);
});

it('the ported sample: only what the port keeps on purpose', () => {
  // objdump reads the end of Xen's mark before cpuid as an instruction.
  expect(compare(prebuilt('tinykernel-xen.elf')).missed).toEqual(['outsb', 'cpuid']);
  const { findings } = scanKernel(openKernel(new Uint8Array(readFileSync(prebuilt('tinykernel-xen.elf')))));
  expect([...new Set(findings.map(({ rule, function: name, reach }) => `${rule} in ${name}: ${reach}`))].sort()).toEqual([
    'int-gate in exit: pointer',
    'int-gate in null: pointer',
    'rdtsc in read_tsc: direct',
  ]);
});
