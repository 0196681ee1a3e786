// The instruction table: every sensitive instruction is there with what Xen PV does to it, and the encodings are sound.

import { describe, expect, it } from 'vitest';
import { candidateRows, findInstruction } from '../../x86/mnemonics.ts';
import { buildOpcodeTables, FORMS } from '../../x86/opcode-map.ts';
import { FEATURES, ROWS } from '../../x86/rows.ts';
import { MOV_FROM_CR, MOV_TO_CR } from '../../x86/table/control-registers.table.ts';
import type { XenEffect } from '../../x86/types.ts';

/** What a kernel cannot keep under Xen PV, by what happens to it. Restated here so that no row can quietly go. */
const SENSITIVE: Readonly<Record<Exclude<XenEffect, 'native'>, string>> = {
  silent: `cli sti pushf pushfd pushfq popf popfd popfq smsw sgdt sidt sldt str lar lsl verr verw arpl lds les lfs lgs lss
    iret iretd iretq syscall sysenter int cpuid`,
  fault: `hlt lmsw lgdt lidt lldt ltr sysret sysexit swapgs rdfsbase rdgsbase wrfsbase wrgsbase rdpmc invlpg invpcid invd monitor mwait
    stac clac rdpkru wrpkru xsaves xrstors retf lret lcall ljmp
    vmcall vmlaunch vmresume vmxoff vmfunc vmptrld vmptrst vmclear vmxon vmread vmwrite invept invvpid
    vmrun vmmcall vmload vmsave stgi clgi skinit invlpga tdcall seamcall
    rsm getsec encls enclv pconfig hreset enqcmds wruss wrss setssbsy clrssbsy senduipi uiret clui stui testui
    invlpgb tlbsync vmgexit pbndkb psmash pvalidate rmpadjust rmpupdate wrmsrns rdmsrlist wrmsrlist erets eretu lkgs`,
  emulated: 'clts rdmsr wrmsr rdtsc rdtscp xsetbv wbinvd wbnoinvd in out ins insb insw insd outs outsb outsw outsd',
};

describe('sensitive instructions', () => {
  for (const [effect, names] of Object.entries(SENSITIVE)) {
    it.each(names.trim().split(/\s+/))(`%s is there, ${effect} under Xen PV`, (name) => {
      const rows = candidateRows(name, 'intel').map((i) => ROWS[i]!);
      expect(rows.length).toBeGreaterThan(0);
      expect(rows.map((row) => row.xen?.effect)).toContain(effect);
      expect(rows.every((row) => row.xen && row.privilege && row.privilege !== 'none')).toBe(true);
    });
  }
  it.each([
    ['mov-from-cr', 'emulated'],
    ['mov-to-cr', 'emulated'],
    ['mov-from-dr', 'emulated'],
    ['mov-to-dr', 'emulated'],
    ['mov-to-seg', 'silent'],
    ['pop-seg', 'silent'],
    ['mov-from-seg', 'silent'],
    ['push-seg', 'silent'],
    ['call-far', 'fault'],
    ['call-far-ind', 'fault'],
    ['jmp-far', 'fault'],
    ['jmp-far-ind', 'fault'],
    ['ret-far', 'fault'],
  ])('row %s is %s', (key, effect) => {
    expect(ROWS.find((row) => row.key === key)?.xen?.effect).toBe(effect);
  });
  it('every control register that exists says what reading and writing it does', () => {
    const rules = (table: typeof MOV_FROM_CR) =>
      Object.fromEntries(Object.entries(table).map(([n, xen]) => [`cr${n}`, `${xen.rule} ${xen.effect}`]));
    expect(rules(MOV_FROM_CR)).toEqual({
      cr0: 'mov-cr0 emulated',
      cr2: 'mov-from-cr2 emulated',
      cr3: 'mov-from-cr3 emulated',
      cr4: 'mov-cr4 emulated',
      cr8: 'mov-cr8 fault',
    });
    expect(rules(MOV_TO_CR)).toEqual({
      cr0: 'mov-cr0 emulated',
      cr2: 'mov-to-cr2 emulated',
      cr3: 'mov-to-cr3 emulated',
      cr4: 'mov-cr4 emulated',
      cr8: 'mov-cr8 fault',
    });
  });
  it('instructions that may stay have nothing to say', () => {
    for (const name of [
      'mov',
      'nop',
      'pause',
      'mfence',
      'ud2',
      'int3',
      'xsave',
      'xrstor',
      'xsaveopt',
      'xsavec',
      'clflush',
      'prefetcht0',
      'fninit',
      'lahf',
    ])
      expect(findInstruction(name, [], 'intel')?.xen, name).toBeUndefined();
    expect(findInstruction('xgetbv', [], 'intel')?.xen?.effect).toBe('native');
  });
});

describe('the table', () => {
  it('has unique keys', () => {
    const keys = ROWS.map((row) => row.key);
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
  });
  it('has no two rows for the same bytes, whatever features a processor has', () => {
    const all = [...FEATURES];
    expect(() => buildOpcodeTables(new Set(all))).not.toThrow();
    expect(() => buildOpcodeTables(new Set())).not.toThrow();
    for (const feature of all)
      expect(() => buildOpcodeTables(new Set(all.filter((f) => f !== feature))), `without ${feature}`).not.toThrow();
  });
  it('names flags by their letters', () => {
    for (const row of ROWS)
      for (const flags of [row.reads, row.writes, row.undefined]) expect(flags ?? 'o', row.key).toMatch(/^[oszapcdi]+$/);
  });
  it('uses rule ids in kebab case', () => {
    for (const row of ROWS) if (row.xen) expect(row.xen.rule).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });
  it('calls privileged what has a rule, and the other way round', () => {
    for (const row of ROWS) expect(row.xen !== undefined, row.key).toBe(row.privilege !== undefined);
  });
  it('keeps the form number within a row', () => {
    for (const row of ROWS)
      expect(FORMS.filter((form) => ROWS[form.row] === row).map((form) => form.index)).toEqual(row.enc.map((_, i) => i));
  });
});
