// Every sensitive instruction of the x86 table is found, in AT&T and in Intel syntax. Oracle: GNU as takes each line, so the spelling is real.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { analyse } from '../../server/analysis/analyser.ts';
import { ROWS } from '../../x86/rows.ts';
import { MOV_FROM_CR, MOV_TO_CR } from '../../x86/table/control-registers.table.ts';
import { testGrammars } from './load.ts';

/** Row key: spellings in AT&T syntax, then in Intel syntax; `32:` where 64-bit code has no such instruction. Rows that are not here are
 * written as their mnemonic alone. */
const SPELLINGS: Readonly<Record<string, readonly [att: readonly string[], intel: readonly string[]]>> = {
  pushf: [
    ['pushf', 'pushfq', 'pushfw', '32:pushfl'],
    ['pushf', 'pushfq', '32:pushfd'],
  ],
  popf: [
    ['popf', 'popfq', '32:popfl'],
    ['popf', 'popfq', '32:popfd'],
  ],
  lmsw: [['lmsw %ax', 'lmsw (%rdi)', 'lmsww %ax'], ['lmsw ax']],
  smsw: [
    ['smsw %ax', 'smswl %eax', 'smsw 4(%rsp)'],
    ['smsw ax', 'smsw [rdi]'],
  ],
  lgdt: [
    ['lgdt gdtr(%rip)', 'lgdtq (%rdi)', '32:lgdtl gdtr', '32:lgdt %ds:4(%eax)'],
    ['lgdt [rdi]', 'lgdt [rip+gdtr]'],
  ],
  lidt: [['lidt idtr', 'lidtq (%rax)'], ['lidt [rax+8]']],
  sgdt: [['sgdt (%rsp)'], ['sgdt [rsp]']],
  sidt: [['sidt 8(%rsp)'], ['sidt [rsp]']],
  lldt: [['lldt %ax', 'lldtw (%rdi)'], ['lldt ax']],
  ltr: [['ltr %ax', 'ltrw %cx'], ['ltr ax']],
  sldt: [['sldt %eax', 'sldtq %rax'], ['sldt ax']],
  str: [['str %ax', 'strl %eax'], ['str ax']],
  lar: [['lar %ax,%ecx', 'larl %eax,%ecx'], ['lar ecx, ax']],
  lsl: [['lsl %ax,%ecx', 'lsll %eax,%ecx'], ['lsl ecx, eax']],
  verr: [['verr %ax'], ['verr ax']],
  verw: [['verw ds_selector(%rip)', 'verw %ax'], ['verw [rdi]']],
  arpl: [['32:arpl %ax,%cx'], ['32:arpl cx, ax']],
  'mov-to-seg': [
    ['mov %ax,%ds', 'movl %eax,%es', 'movw (%rdi),%gs', 'mov %eax, %ss'],
    ['mov ds, ax', 'mov fs, eax'],
  ],
  'mov-from-seg': [
    ['mov %cs,%ax', 'movl %ds,%eax', 'movw %ss,2(%rsp)'],
    ['mov eax, cs', 'mov [rdi], ds'],
  ],
  'push-seg': [
    ['push %fs', 'pushq %gs', '32:pushl %ds', '32:push %cs'],
    ['push fs', '32:push ds'],
  ],
  'pop-seg': [
    ['pop %fs', 'popq %gs', '32:popl %ds'],
    ['pop gs', '32:pop ds'],
  ],
  lds: [['32:lds (%eax),%ecx'], ['32:lds ecx, [eax]']],
  les: [['32:les (%eax),%ecx'], ['32:les ecx, [eax]']],
  lss: [['lss (%rdi),%esp', '32:lss stack,%esp'], ['lss esp, [rdi]']],
  lfs: [['lfs (%rdi),%eax'], ['lfs eax, [rdi]']],
  lgs: [['lgs (%rdi),%eax'], ['lgs eax, [rdi]']],
  'call-far': [['32:lcall $8,$1234'], ['32:call 8:1234']],
  'call-far-ind': [
    ['lcall *(%rdi)', 'rex.w lcall *far(%rip)'],
    ['call far ptr [rdi]', 'call fword ptr [rdi]'],
  ],
  'jmp-far': [['32:ljmp $0x10,$1234', '32:ljmpl $8,$entry'], ['32:jmp 0x8:1234']],
  'jmp-far-ind': [
    ['ljmp *(%rdi)', 'rex.w ljmp *(%rax)'],
    ['jmp far ptr [rdi]', 'jmp fword ptr [rax]'],
  ],
  'ret-far': [
    ['lret', 'lretq', 'lret $8'],
    ['retf', 'retf 8'],
  ],
  iret: [
    ['iret', 'iretq', 'iretl'],
    ['iret', 'iretq', 'iretd'],
  ],
  sysret: [
    ['sysret', 'sysretq', 'sysretl'],
    ['sysretq', 'sysretd'],
  ],
  sysexit: [['sysexit', 'sysexitq', 'sysexitl'], ['sysexitq']],
  int: [
    ['int $0x80', 'int $0x82', 'int $13'],
    ['int 0x80', 'int 21'],
  ],
  rdfsbase: [['rdfsbase %rax', 'rdfsbase %ecx'], ['rdfsbase rax']],
  rdgsbase: [['rdgsbase %eax'], ['rdgsbase rax']],
  wrfsbase: [['wrfsbase %rax'], ['wrfsbase rax']],
  wrgsbase: [['wrgsbase %rax', 'wrgsbase %eax'], ['wrgsbase rax']],
  in: [
    ['inb %dx,%al', 'inb $0x60,%al', 'in (%dx),%al', 'inl %dx,%eax', 'inw %dx'],
    ['in al, dx', 'in eax, 0x60'],
  ],
  out: [
    ['outb %al,%dx', 'outb %al,$0x20', 'out %eax,(%dx)', 'outw %ax,%dx', 'outb %dx'],
    ['out dx, al', 'out 0x20, al'],
  ],
  ins: [
    ['insb', 'rep insl', 'rep; insw', 'insb (%dx),%es:(%rdi)'],
    ['insb', 'rep insd'],
  ],
  outs: [
    ['outsb', 'rep outsl', 'outsw'],
    ['outsb', 'rep outsd'],
  ],
  invlpg: [['invlpg (%rax)', 'invlpg 0x1000(%rdi,%rsi,8)', 'invlpg page(%rip)'], ['invlpg [rax]']],
  invpcid: [['invpcid (%rdi),%rax'], ['invpcid rax, [rdi]']],
  xsaves: [['xsaves (%rdi)', 'xsaves64 (%rdi)'], ['xsaves [rdi]']],
  xrstors: [['xrstors (%rdi)', 'xrstors64 (%rdi)'], ['xrstors [rdi]']],
  'mov-to-dr': [['mov %rax,%dr7', 'movq %rcx,%db0', '32:movl %eax,%dr6'], ['mov dr7, rax']],
  'mov-from-dr': [['mov %dr6,%rax', '32:movl %dr7,%eax'], ['mov rax, dr6']],
  vmptrld: [['vmptrld (%rdi)'], ['vmptrld [rdi]']],
  vmptrst: [['vmptrst (%rdi)'], ['vmptrst [rdi]']],
  vmclear: [['vmclear (%rdi)'], ['vmclear [rdi]']],
  vmxon: [['vmxon (%rdi)'], ['vmxon [rdi]']],
  vmread: [['vmread %rax,%rcx', 'vmreadq %rax,(%rdi)'], ['vmread rcx, rax']],
  vmwrite: [['vmwrite %rax,%rcx'], ['vmwrite rcx, rax']],
  invept: [['invept (%rdi),%rax'], ['invept rax, [rdi]']],
  invvpid: [['invvpid (%rdi),%rax'], ['invvpid rax, [rdi]']],
  enqcmds: [['enqcmds (%rdi),%rax'], ['enqcmds rax, [rdi]']],
  wruss: [['wrussq %rax,(%rdi)', 'wrussd %eax,(%rdi)'], ['wrussq [rdi], rax']],
  wrss: [['wrssq %rax,(%rdi)', 'wrssd %eax,(%rdi)'], ['wrssq [rdi], rax']],
  clrssbsy: [['clrssbsy (%rdi)'], ['clrssbsy [rdi]']],
  senduipi: [['senduipi %rax'], ['senduipi rax']],
  hreset: [['hreset $0'], ['hreset 0']],
  lkgs: [['lkgs %ax'], ['lkgs ax']],
};

/** Newer than the assembler of Debian 12 (binutils 2.40): found by name, without the oracle. */
const NEWER = new Set(['wrmsrns', 'rdmsrlist', 'wrmsrlist', 'erets', 'eretu', 'lkgs', 'pbndkb']);

interface Line {
  readonly text: string;
  readonly rule: string;
  readonly bits: 64 | 32;
  readonly check: boolean;
}

function lines(dialect: 0 | 1): Line[] {
  const made = ROWS.flatMap(({ key, mnemonic, xen, mode }): Line[] => {
    if (!xen || xen.effect === 'native' || /^mov-(to|from)-cr$/.test(key)) return [];
    const texts = SPELLINGS[key]?.[dialect] ?? [mode === '32' ? `32:${mnemonic}` : mnemonic];
    return texts.map((text) => ({
      text: text.replace(/^32:/, ''),
      rule: xen.rule,
      bits: text.startsWith('32:') ? 32 : 64,
      check: !NEWER.has(key),
    }));
  });
  for (const [to, table] of [
    [false, MOV_FROM_CR],
    [true, MOV_TO_CR],
  ] as const) {
    for (const [number, { rule }] of Object.entries(table)) {
      const operands = dialect === 0 ? (to ? `%rax,%cr${number}` : `%cr${number},%rax`) : to ? `cr${number}, rax` : `rax, cr${number}`;
      made.push({ text: `mov ${operands}`, rule, bits: 64, check: true });
    }
  }
  return made;
}

function assembles(source: string, bits: 64 | 32): void {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-as-'));
  try {
    writeFileSync(join(folder, 'a.s'), source);
    execFileSync('as', [`--${bits}`, '-o', join(folder, 'a.o'), join(folder, 'a.s')], { stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [dialect, name] of [
  [0, 'AT&T'],
  [1, 'Intel'],
] as const) {
  it(`every sensitive instruction in ${name} syntax has a finding of its rule`, async () => {
    const grammars = await testGrammars();
    const all = lines(dialect);
    expect(all.length).toBeGreaterThan(120);
    for (const bits of [64, 32] as const) {
      const some = all.filter((line) => line.bits === bits);
      const head = dialect === 0 ? '' : '.intel_syntax noprefix\n';
      assembles(
        `${head}${some
          .filter(({ check }) => check)
          .map(({ text }) => `\t${text}\n`)
          .join('')}`,
        bits,
      );
      const { findings, warnings } = analyse(grammars, { path: 'all.S', text: `${head}${some.map(({ text }) => `\t${text}\n`).join('')}` });
      expect(warnings).toEqual([]);
      expect(findings.map(({ rule, instruction }) => `${rule}: ${instruction.split(' ')[0]}`)).toEqual(
        some.map(({ rule, text }) => `${rule}: ${text.split(/; */).at(-1)!.split(' ')[0]}`),
      );
    }
  });
}

it('ordinary instructions have no finding', async () => {
  const ordinary = [
    'mov %rax,%rcx',
    'mov %gs:8,%rax',
    'movq %rax,%gs:(%rdi)',
    'push %rax',
    'pop %rcx',
    'call *%rax',
    'jmp 1f',
    '1: ret',
    'int3',
    'int $3',
    'xgetbv',
    'xsave (%rdi)',
    'insertq %xmm0,%xmm1',
    'movsb',
    'movsl',
    'lock incl (%rax)',
    'stosq',
    'lea cr3(%rip),%rax',
    'clc',
    'std',
    'cld',
    'invlpgs = 1',
    '.ascii "cli; hlt"',
    '# cli',
    '// sti',
    '/* hlt */ nop',
  ];
  const text = ordinary.map((line) => `\t${line}\n`).join('');
  const { findings } = analyse(await testGrammars(), { path: 'plain.S', text });
  expect(findings).toEqual([]);
});
