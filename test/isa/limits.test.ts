// 32-bit segments that are not flat, against the host processor (which QEMU's TCG, without limits, cannot replace): limits of data,
// strings, stack and code, expand-down, bases, 16-bit stacks, through segments that the kernel lets a process make for itself.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { segmentCacheOf } from '../../simulator/cpu/descriptors.ts';
import { Bank, Segment } from '../../simulator/cpu/engine-types.ts';
import { testMachine } from './machine.ts';
import { descriptor } from './qemu/arena.ts';
import { assembleAll } from './qemu/assemble-all.ts';

const MEMORY = 0x20000000;
const SIZE = 0x10000;
/** eax ecx edx ebx esp ebp esi edi. */
const REGISTERS = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'] as const;

interface SegmentOf {
  readonly base: number;
  readonly limit: number;
  readonly big: 0 | 1;
  /** 0 data, 1 expand-down, 2 code. */
  readonly contents: 0 | 1 | 2;
  readonly readOnly: 0 | 1;
  readonly pages: 0 | 1;
}
const FLAT: SegmentOf = { base: 0, limit: 0xfffff, big: 1, contents: 0, readOnly: 0, pages: 1 };
const FLAT_CODE: SegmentOf = { ...FLAT, contents: 2 };
/** 0x2000 bytes of the memory. */
const SMALL: SegmentOf = { base: MEMORY + 0x4000, limit: 0x1fff, big: 1, contents: 0, readOnly: 0, pages: 0 };
const DOWN: SegmentOf = { ...SMALL, contents: 1, limit: 0xfff };
const DOWN_16: SegmentOf = { ...DOWN, big: 0 };
const READ_ONLY: SegmentOf = { ...SMALL, readOnly: 1 };
const CODE_READ: SegmentOf = { ...SMALL, contents: 2 };
const STACK_16: SegmentOf = { ...SMALL, limit: 0xbfff, base: MEMORY, big: 0 };

interface Trial {
  readonly name: string;
  readonly source: string;
  readonly data: SegmentOf;
  readonly stack: SegmentOf;
  readonly code: SegmentOf;
  readonly registers: Partial<Record<(typeof REGISTERS)[number], number>>;
  readonly eip: number;
}
const CODE = MEMORY + 0x1000;
const trial = (name: string, source: string, more: Partial<Trial>): Trial => ({
  ...{ name, source, data: FLAT, stack: FLAT, code: FLAT_CODE, registers: {}, eip: CODE },
  ...more,
});

function dataTrials(): Trial[] {
  const accesses: readonly [string, number][] = [
    ...(['mov al, [ebx]', 'mov [ebx], cl', 'cmp byte ptr [ebx], 5', 'setz [ebx]'] as const).map((s): [string, number] => [s, 1]),
    ...(['mov ax, [ebx]', 'mov word ptr [ebx], ds', 'fnstcw [ebx]', 'arpl [ebx], ax', 'lar eax, [ebx]'] as const).map(
      (s): [string, number] => [s, 2],
    ),
    ...(
      [
        'mov eax, [ebx]',
        'mov [ebx], ecx',
        'add [ebx], ecx',
        'bts dword ptr [ebx], 3',
        'xadd [ebx], ecx',
        'push dword ptr [ebx]',
        'pop dword ptr [ebx]',
        'movss xmm0, [ebx]',
        'fld dword ptr [ebx]',
        'ldmxcsr [ebx+0]'.replace('ldmxcsr', 'stmxcsr'),
      ] as const
    ).map((s): [string, number] => [s, 4]),
    ['bound eax, [ebx]', 8],
    ['cmpxchg8b [ebx]', 8],
    ['movq xmm0, [ebx]', 8],
    ['fst qword ptr [ebx]', 8],
    ['fnstenv [ebx]', 28],
    ['fstp tbyte ptr [ebx]', 10],
    ['movups xmm0, [ebx]', 16],
    ['pxor xmm0, xmm0\nmovups [ebx], xmm0', 16],
    ['mov ecx, 40\nbts [ebx], ecx', 9],
    ['xlatb', 0],
    ['mov bx, bx\nmov al, [bx]', 1],
  ];
  const out: Trial[] = [];
  for (const [source, size] of accesses)
    for (const [name, data, edges] of [
      ['small', SMALL, [0, 0x2000 - size - 1, 0x2000 - size, 0x2001 - size, 0x1fff, 0x2000, 0xffffffff, 0xfffffffc]],
      ['expand-down', DOWN, [0xfff - size, 0xfff, 0x1000, 0x2000, 0x1001 - size]],
      ['expand-down of 64 KiB', DOWN_16, [0xfff, 0x1000, 0xbfff - size]],
      ['read-only', READ_ONLY, [0x10, 0x1fff]],
      ['readable code', CODE_READ, [0x10, 0x1fff]],
    ] as const)
      for (const edge of edges)
        out.push(trial(`${source} at ${edge.toString(16)}, ${name}`, `fninit\nfldz\n${source}`, { data, registers: { ebx: edge >>> 0 } }));
  return out;
}

function stringTrials(): Trial[] {
  const out: Trial[] = [];
  for (const source of [
    'movsb',
    'movsd',
    'rep movsb',
    'rep movsw',
    'rep movsd',
    'stosd',
    'rep stosb',
    'rep stosd',
    'lodsb',
    'rep lodsd',
    'cmpsd',
    'repe cmpsb',
    'scasd',
    'repne scasb',
    'std\nrep movsd',
    'std\nrep stosb',
  ])
    for (const [esi, edi] of [
      [0x1ff8, 0x100],
      [0x100, 0x1ff8],
      [0x1ffd, 0x1ffd],
      [0x2000, 0x10],
      [4, 0x1ffc],
      [0x1ffc, 4],
      [0x100, 0x2000],
      [2, 0x1000],
    ] as const)
      for (const data of [SMALL, READ_ONLY])
        out.push(
          trial(`${source} from ${esi.toString(16)} to ${edi.toString(16)}`, source, {
            data,
            registers: { esi, edi, ecx: 9, eax: 0x11223344 },
          }),
        );
  for (const [esi, edi] of [
    [0x1100, 0xf00],
    [0xf00, 0x1100],
    [0x1010, 0x1020],
  ] as const)
    for (const source of ['rep movsd', 'rep stosd', 'std\nrep movsb'])
      out.push(trial(`${source}, expand-down`, source, { data: DOWN, registers: { esi, edi, ecx: 300 } }));
  return out;
}

function stackTrials(): Trial[] {
  const out: Trial[] = [];
  const sources = [
    'push eax',
    'push ax',
    'push 5',
    'push ds',
    'pop ecx',
    'pop cx',
    'pushfd',
    'pusha',
    'popa',
    'pushaw',
    'popaw',
    'call 1f\n1: nop',
    'enter 16, 0',
    'enter 8, 3',
    'leave',
    'push dword ptr [esp]',
    'pop dword ptr [esp+8]',
    'mov eax, [esp]',
    'mov eax, [ebp]',
    'add [esp+4], ecx',
    'call eax',
  ];
  for (const source of sources)
    for (const [name, stack, places] of [
      ['small', SMALL, [0, 1, 2, 4, 8, 0x20, 0x1ff0, 0x1ff8, 0x1ffc, 0x1ffd, 0x1ffe, 0x2000, 0x2004, 0xffffffff]],
      ['expand-down', DOWN, [0x1000, 0x1002, 0x1004, 0x1020, 0x1800, 0xffc, 0]],
      ['16-bit', STACK_16, [0, 2, 3, 4, 0x1234, 0xc000, 0xbffe, 0x12340004, 0x56780000, 0x10000]],
    ] as const)
      for (const esp of places)
        out.push(
          trial(`${source}, stack at ${esp.toString(16)}, ${name}`, source, {
            stack,
            registers: { esp, ebp: (esp + 0x40) >>> 0, eax: CODE + 0x20, ecx: 3 },
          }),
        );
  return out;
}

function codeTrials(): Trial[] {
  const out: Trial[] = [];
  const based: SegmentOf = { base: MEMORY + 0x2000, limit: 0xfff, big: 1, contents: 2, readOnly: 0, pages: 0 };
  const add = (name: string, source: string, eip: number, registers: Trial['registers'] = {}): void => {
    out.push(trial(name, source, { code: based, eip, registers: { esp: MEMORY + 0x8000, ebx: MEMORY + 0x9000, ...registers } }));
  };
  add('straight on', 'nop\nmov eax, 5\nadd eax, ecx', 0x100);
  add('a short jump', 'jmp 1f\nnop\n1: mov eax, 1', 0x100);
  add('a loop', 'mov ecx, 5\n1: inc eax\nloop 1b', 0x100);
  add('a call', 'call 1f\nint3\n1: pop eax\npush eax', 0x100);
  add('call and return', 'call 1f\nmov edx, 5\nint3\n1: mov eax, [esp]\nret', 0x100);
  add('a jump to a register', 'mov eax, 0x108\njmp eax\n.org 8\nmov edx, 7', 0x100);
  for (const to of [0xff0, 0xffe, 0xfff, 0x1000, 0x20001000, 0xffffffff]) {
    const hex = `0x${to.toString(16)}`;
    add(`a jump to ${hex}`, `mov eax, ${hex}\njmp eax`, 0x100);
    add(`a call of ${hex}`, `mov eax, ${hex}\ncall eax`, 0x100);
    add(`a return to ${hex}`, `push ${hex}\nret`, 0x100);
    add(`a jump through memory to ${hex}`, `mov dword ptr [ebx], ${hex}\njmp [ebx]`, 0x100);
    add(`a call through memory of ${hex}`, `mov dword ptr [ebx], ${hex}\ncall [ebx]`, 0x100);
    const relative = (opcode: string, length: number): string => `.byte ${opcode}\n.long ${(to - (0x100 + length)) | 0}`;
    add(`a direct jump to ${hex}`, relative('0xe9', 5), 0x100);
    add(`a direct call of ${hex}`, relative('0xe8', 5), 0x100);
    add(`a branch taken to ${hex}`, `test eax, eax\n.byte 0x0f, 0x85\n.long ${(to - 0x108) | 0}`, 0x100, { eax: 1 });
    add(`a branch not taken to ${hex}`, `test eax, eax\n.byte 0x0f, 0x85\n.long ${(to - 0x108) | 0}\nmov edx, 3`, 0x100, { eax: 0 });
  }
  for (const at of [0xff0, 0xff9, 0xffa, 0xffb, 0xffc, 0xffd, 0xffe, 0xfff]) {
    add(`code up to the limit from ${at.toString(16)}`, 'mov eax, 0x12345678', at);
    add(`nops up to the limit from ${at.toString(16)}`, 'nop\nnop\nnop\nnop\nnop\nnop\nnop\nnop', at);
    add(`loop beyond the limit from ${at.toString(16)}`, 'mov ecx, 5\n.byte 0xe2, 0x7f', at);
    add(`jecxz beyond the limit from ${at.toString(16)}`, '.byte 0xe3, 0x7f', at, { ecx: 0 });
  }
  const shifted = (eip: number): Partial<Trial> => ({
    code: { ...based, base: MEMORY + 0x2ffc - 0x100 },
    eip,
    registers: { esp: MEMORY + 0x8000 },
  });
  out.push(trial('an instruction over a page border in a based segment', 'mov eax, 0x12345678\nmov edx, 0x9abcdef0', shifted(0x100)));
  return out;
}

const codeLength = 48;
function onHost(trials: readonly Trial[], code: readonly Uint8Array[]): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'hyperport-limits-'));
  try {
    const segment = (s: SegmentOf): string => `{ ${s.base}u, ${s.limit}u, ${s.big}, ${s.contents}, ${s.readOnly}, ${s.pages} }`;
    const rows = trials.map((t, n) => {
      const registers = REGISTERS.map((name) => `${registerOf(t, name)}u`).join(', ');
      return `{ ${segment(t.data)}, ${segment(t.stack)}, ${segment(t.code)}, { ${registers} }, ${t.eip}u, ${code[n]!.length}, { ${[...code[n]!].join(', ')} } },`;
    });
    writeFileSync(join(dir, 'trials.h'), rows.join('\n'));
    const source = join(dirname(fileURLToPath(import.meta.url)), 'native/limits.c');
    execFileSync('gcc', ['-O1', '-no-pie', '-mno-red-zone', '-I', dir, '-o', join(dir, 'limits'), source], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return execFileSync(join(dir, 'limits'), { encoding: 'utf8', maxBuffer: 64 << 20, timeout: 30_000 })
      .trim()
      .split('\n');
  } finally {
    rmSync(dir, { recursive: true });
  }
}
const registerOf = (t: Trial, name: (typeof REGISTERS)[number]): number =>
  (t.registers[name] ?? (name === 'esp' ? MEMORY + 0x8000 : name === 'ebp' ? MEMORY + 0x8100 : name === 'ebx' ? 0x100 : 0x01020304)) >>> 0;

const sum = (bytes: Uint8Array): number => {
  let s = 0;
  for (const b of bytes) s = (Math.imul(s, 31) + b) | 0;
  return s >>> 0;
};

function onEngine(trials: readonly Trial[], code: readonly Uint8Array[]): string[] {
  const m = testMachine();
  const pages = SIZE / 4096;
  const frames = m.map(BigInt(MEMORY), pages);
  const vcpu = m.engine.vcpus[0]!;
  const cache = (s: SegmentOf) =>
    segmentCacheOf(
      descriptor({
        ...{ base: s.base, limit: s.limit, big: s.big === 1, pages: s.pages === 1 },
        type: s.contents === 2 ? (s.readOnly ? 9 : 11) : (s.contents === 1 ? 4 : 0) | (s.readOnly ? 1 : 3),
      }),
    );
  const page = Uint8Array.from({ length: SIZE }, (_, i) => (i < 0x4000 ? 0xcc : i * 7 + (i >> 8)));
  return trials.map((t, n) => {
    const fill = page.slice();
    fill.set(code[n]!, t.code.base + t.eip - MEMORY);
    frames.forEach((mfn, k) => {
      m.engine.ram.set(fill.subarray(k * 4096, (k + 1) * 4096), mfn * 4096);
      m.engine.written(mfn * 4096, 4096);
    });
    REGISTERS.forEach((name, r) => {
      vcpu.setReg(r, BigInt(registerOf(t, name)));
    });
    vcpu.rip = BigInt(t.eip);
    vcpu.rflags = 0x246;
    vcpu.setSegment(Segment.ds, 0x0f, cache(t.data));
    vcpu.setSegment(Segment.es, 0x0f, cache(t.data));
    vcpu.setSegment(Segment.ss, 0x17, cache(t.stack));
    vcpu.setSegment(Segment.cs, 0x1f, cache(t.code));
    vcpu.setMode({ bits: 32, cpl: 3, bank: Bank.user });
    const exit = m.engine.run(0, 5000);
    const error = exit.errorCode === -1 ? 0 : exit.errorCode;
    const registers = REGISTERS.map((_, r) => vcpu.regLo(r) >>> 0);
    const memory = new Uint8Array(SIZE);
    frames.forEach((mfn, k) => {
      memory.set(m.engine.ram.subarray(mfn * 4096, (mfn + 1) * 4096), k * 4096);
    });
    return [exit.vector, error, vcpu.ripLo() >>> 0, ...registers, vcpu.rflags & 0xcd5, sum(memory)].map((v) => v.toString(16)).join(' ');
  });
}

test('a 16-bit code segment is refused by name, and nothing of it runs', () => {
  const m = testMachine();
  m.map(BigInt(MEMORY), 1);
  const vcpu = m.engine.vcpus[0]!;
  vcpu.rip = BigInt(MEMORY);
  vcpu.setSegment(Segment.cs, 0x1f, { base: 0n, limit: 0xffff_ffff, attributes: 0x80fb });
  vcpu.setMode({ bits: 32, cpl: 3, bank: Bank.user });
  expect(m.engine.run(0, 5)).toMatchObject({ kind: 'exception', vector: 6, executed: 0, unsupported: '16-bit code' });
});

const families: readonly [string, () => Trial[]][] = [
  ['data', dataTrials],
  ['strings', stringTrials],
  ['the stack', stackTrials],
  ['code', codeTrials],
];
for (const [name, make] of families)
  test(`limits and bases of segments are the host processor's: ${name}`, () => {
    const trials = make();
    const code = assembleAll(trials.map(({ source }) => ({ source: `${source}\nint3`, bits: 32 as const })));
    expect(Math.max(...code.map(({ length }) => length))).toBeLessThanOrEqual(codeLength);
    const host = onHost(trials, code);
    const engine = onEngine(trials, code);
    const found = trials.flatMap((t, n) => (host[n]?.trim() === engine[n] ? [] : [`${t.name}: host ${host[n]}, engine ${engine[n]}`]));
    expect(found).toEqual([]);
  }, 60_000);
