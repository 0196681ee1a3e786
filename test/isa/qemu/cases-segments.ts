// Loads of segment registers with every kind of descriptor, and the instructions that look at descriptors.

import { descriptor, FREE_GDT, FREE_LDT, selectorOffset } from './arena.ts';
import type { Vector } from './vectors.ts';

type Mode = Vector['mode'];
const MODES: readonly Mode[] = [64, 32, 'ring1'];
export const cplOf = (mode: Mode): number => (mode === 'ring1' ? 1 : 3);

interface Kind {
  readonly name: string;
  readonly raw: bigint;
}
/** All types, privileges and both presences; code also as 64-bit and as reserved (L with D). */
export function descriptorKinds(): Kind[] {
  const out: Kind[] = [];
  for (const system of [false, true])
    for (let type = 0; type < 16; type++)
      for (const dpl of [0, 1, 3])
        for (const present of [true, false]) {
          const flags = { type, system, dpl, present, base: 0x40010000, limit: 0xfff };
          const name = `${system ? 'system' : type & 8 ? 'code' : 'data'} type ${type} DPL ${dpl}${present ? '' : ' absent'}`;
          out.push({ name, raw: descriptor(flags) });
          if (!system && type & 8 && present) {
            out.push({ name: `${name} long`, raw: descriptor({ ...flags, base: 0, long: true }) });
            out.push({ name: `${name} long and big`, raw: descriptor({ ...flags, base: 0, long: true }) | (1n << 54n) });
          }
        }
  return out;
}

function loads(): Vector[] {
  const out: Vector[] = [];
  const kinds = descriptorKinds();
  const one = (mode: Mode, target: string, kind: Kind, selector: number, code: string): void => {
    out.push({
      name: `${mode} ${target} = ${selector.toString(16)}: ${kind.name}`,
      mode,
      code: `mov ecx, ${selector}\n${code}\nint3`,
      patches: [[selectorOffset(selector), kind.raw]],
    });
  };
  kinds.forEach((kind, n) => {
    for (const mode of MODES) {
      const cpl = cplOf(mode);
      for (const table of [FREE_GDT, FREE_LDT]) one(mode, 'ds', kind, table | cpl, 'mov ds, ecx');
      one(mode, 'ss', kind, FREE_GDT | cpl, 'mov ss, ecx\nnop');
      // One of the other registers and privileges for each kind, in turn.
      const rpl = n & 3;
      const pick = n % 4;
      if (pick === 0) one(mode, 'es', kind, FREE_LDT | rpl, 'mov es, ecx');
      if (pick === 1) one(mode, 'fs', kind, FREE_GDT | rpl, 'push rcx\npop fs'.replace('rcx', mode === 64 ? 'rcx' : 'ecx'));
      if (pick === 2) one(mode, 'gs', kind, FREE_GDT | rpl, 'mov [ebx+4], ecx\nlgs eax, [ebx]');
      if (pick === 3) one(mode, 'ss', kind, FREE_GDT | rpl, 'mov [ebx+4], ecx\nlss esp, [ebx]');
    }
  });
  return out;
}

/** Selectors that name nothing: null, and beyond both tables. */
function outside(): Vector[] {
  const out: Vector[] = [];
  for (const mode of MODES)
    for (const selector of [0, 1, 2, 3, 0x800, 0x7fb, 0x803, 0x204, 0x1ff, 0x207, 0xfff8, 0xffff])
      for (const target of ['ds', 'es', 'ss', 'fs', 'gs'])
        out.push({
          name: `${mode} ${target} = ${selector.toString(16)}`,
          mode,
          code: `mov eax, ${selector}\nmov ${target}, eax\nnop\nint3`,
        });
  for (const mode of MODES) out.push({ name: `${mode} mov cs`, mode, code: 'mov eax, 0x43\n.byte 0x8e, 0xc8\nint3' });
  return out;
}

/** QEMU 7.2 takes the system types of legacy mode (16-bit and busy TSS, call and task gates) for lar and lsl in long mode too; manuals
 * do not (AMD APM volume 3, lar: valid types in long mode are 2, 9, b, c). system.test.ts says what the engine does. */
const LEGACY_TYPES = / type (1|3|4|5) /;

/** lar, lsl, verr, verw of every kind. */
function probes(): Vector[] {
  const out: Vector[] = [];
  descriptorKinds().forEach((kind, n) => {
    if (kind.name.startsWith('system') && LEGACY_TYPES.test(kind.name)) return;
    for (const mode of MODES) {
      const selector = FREE_GDT | (n & 3);
      out.push({
        name: `${mode} probes of ${selector.toString(16)}: ${kind.name}`,
        mode,
        // Each result's zero flag is kept in a register.
        code: `mov ecx, ${selector}\nxor edx, edx\nlar eax, ecx\nsetz dl\nlsl edi, ecx\nsetz dh\nverr cx\nsetz bl\nverw cx\nsetz bh\nlar si, cx\nint3`,
        patches: [[selectorOffset(selector), kind.raw]],
      });
    }
  });
  for (const mode of MODES)
    for (const selector of [0, 3, 0x800, 0x204])
      out.push({
        name: `${mode} lar ${selector.toString(16)}`,
        mode,
        code: `mov ecx, ${selector}\nlar eax, ecx\nsetz dl\nlsl edi, ecx\nsetz dh\nverr cx\nverw cx\nint3`,
      });
  return out;
}

/** What segment registers show. */
function reads(): Vector[] {
  return MODES.map((mode) => ({
    name: `${mode} selectors read`,
    mode,
    code: 'mov eax, cs\nmov ecx, ss\nmov edx, ds\nmov word ptr [ebx], es\nmov si, fs\nint3',
  }));
}

export const segmentCases = (): Vector[] => [...loads(), ...outside(), ...probes(), ...reads()];
