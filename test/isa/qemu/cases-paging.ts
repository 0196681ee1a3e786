// Page faults and accessed and dirty bits: every entry on the way with every flag, all kinds of access, superpages, borders.

import { byteOffset, CODE, DATA, directoryOffset, entryOffset, HIGH, LARGE, leaf, PTE, SELECTOR, STACK } from './arena.ts';
import type { Vector } from './vectors.ts';

const { P, W, U, A, D, PS, NX } = PTE;
const MODES = [64, 32, 'ring1'] as const;
/** Instructions that read what they write: QEMU 7.2 looks at the page for reading first, processors for writing (error code 6 or 7,
 * seen on AMD's). */
const UPDATES = new Set(['update', 'cmpxchg', 'xchg', 'xadd']);
const ACCESSES: readonly [string, string][] = [
  ['read', 'mov eax, [ebx]'],
  ['write', 'mov [ebx], eax'],
  ['update', 'add [ebx], eax'],
  ['push', 'push [ebx]'],
  ['pop', 'pop [ebx]'],
  ['fetch', 'jmp rbx'],
  ['movs from', 'mov esi, ebx\nlea edi, [ebx+0x2000]\nmovsd'],
  ['movs to', 'mov edi, ebx\nlea esi, [ebx+0x2000]\nmovsd'],
  ['rep stos', 'mov edi, ebx\nmov ecx, 9\nrep stosd'],
  ['cmpxchg', 'cmpxchg [ebx], ecx'],
  ['xchg', 'xchg [ebx], ecx'],
  ['sse', 'movups xmm0, [ebx]\nmovups [ebx], xmm0'],
  ['x87', 'fldz\nfstp tbyte ptr [ebx]'],
];

const code = (mode: Vector['mode'], access: string): string => {
  const text =
    mode === 64
      ? access
          .replaceAll('[ebx', '[rbx')
          .replaceAll('push eax', 'push rax')
          .replaceAll('pop ecx', 'pop rcx')
          .replaceAll('push [', 'push qword ptr [')
          .replaceAll('pop [', 'pop qword ptr [')
      : access.replaceAll('rbx', 'ebx').replaceAll('push [', 'push dword ptr [').replaceAll('pop [', 'pop dword ptr [');
  return `${text}\nint3`;
};

function flags(): Vector[] {
  const out: Vector[] = [];
  const combinations = [
    0n,
    P,
    P | U,
    P | W,
    P | W | U,
    P | U | NX,
    P | W | U | NX,
    W | U,
    P | W | U | A,
    P | W | U | A | D,
    P | U | A | D,
    P | W | A,
    P | W | U | (1n << 40n),
    P | W | U | (1n << 51n),
    P | (1n << 45n),
    W | (1n << 45n),
  ];
  for (const mode of MODES)
    for (const [name, access] of ACCESSES)
      for (const bits of combinations)
        if (!UPDATES.has(name) || ((bits & (P | W | U)) === (P | W | U) && bits < 1n << 40n))
          out.push({
            name: `${mode} ${name}, entry ${bits.toString(16)}`,
            mode,
            code: code(mode, access),
            patches: [[entryOffset(DATA), leaf(DATA, bits)], ...target(name)],
          });
  return out;
}
/** Where a fetch goes lies an int3. */
const target = (access: string): [number, Uint8Array][] => (access === 'fetch' ? [[byteOffset(DATA), Uint8Array.of(0xcc)]] : []);

/** The same rights taken away one or two levels up. */
function upper(): Vector[] {
  const out: Vector[] = [];
  const tables: readonly [string, number][] = [
    ['directory', directoryOffset(CODE)],
    ['pdpt', 0x1008],
  ];
  const high: readonly [string, number, number][] = [
    ['level 2', 0x19ff8, 26],
    ['level 3', 0x18ff8, 25],
    ['level 4', 0x00ff8, 24],
  ];
  for (const [table, at, page] of high)
    for (const bits of [
      0n,
      P,
      P | W,
      P | U,
      P | W | U,
      P | W | U | NX,
      P | W | U | A,
      P | W | U | (1n << 45n),
      ...(table === 'level 4' ? [P | W | U | PS] : []),
    ])
      for (const [name, access] of [
        ['read', 'mov eax, [rbx]'],
        ['write', 'mov [rbx], eax'],
        ['fetch', 'jmp rbx'],
      ] as const)
        out.push({
          name: `64 ${name}, ${table} entry ${bits.toString(16)}`,
          mode: 64,
          code: `${access}\nint3`,
          registers: { rbx: HIGH + 0x10n },
          patches: [[at, BigInt(0x1000000 + page * 4096) | bits]],
        });
  for (const [table, at] of tables)
    for (const bits of [P | W, P | U | W | A])
      for (const mode of MODES)
        out.push({
          name: `${mode} own code behind ${table} entry ${bits.toString(16)}`,
          mode,
          code: 'mov eax, [ebx]\nint3',
          patches: [[at, BigInt(0x1000000 + (table === 'pdpt' ? 3 : 4) * 4096) | bits]],
        });
  return out;
}

/** 2 MiB pages. */
function large(): Vector[] {
  const out: Vector[] = [];
  const at = directoryOffset(LARGE);
  for (const mode of MODES)
    for (const bits of [P | W | U, P | U, P | W, P | W | U | NX, P | W | U | A | D, 0n])
      for (const [name, access] of ACCESSES.slice(0, 6).filter(([name]) => !UPDATES.has(name)))
        for (const low of [0n, 0x2000n])
          out.push({
            name: `${mode} ${name} in a 2 MiB page ${(bits | low).toString(16)}`,
            mode,
            code: code(mode, access),
            registers: { rbx: LARGE + 0xe000n },
            patches: [
              [at, 0x1000000n | PS | bits | low],
              [byteOffset(DATA + 0x2000n), Uint8Array.of(0xcc)],
            ],
          });
  // A page seen through both sizes.
  for (const mode of MODES)
    out.push({
      name: `${mode} one frame through both sizes`,
      mode,
      code: 'mov eax, 0x1234\nmov [ebx], eax\nmov ecx, 0x4020c000\nmov edx, [ecx]\nmov [ecx+4], edx\nmov esi, [ebx+4]\nint3',
    });
  return out;
}

/** Over the border of two pages, with the second, the first or both closed. */
function borders(): Vector[] {
  const out: Vector[] = [];
  const closed: readonly [string, [number, bigint][]][] = [
    ['second absent', [[entryOffset(DATA + 0x1000n), 0n]]],
    ['second read-only', [[entryOffset(DATA + 0x1000n), leaf(DATA + 0x1000n, P | U)]]],
    ['first absent', [[entryOffset(DATA), 0n]]],
    ['first read-only', [[entryOffset(DATA), leaf(DATA, P | U)]]],
    [
      'both read-only',
      [
        [entryOffset(DATA), leaf(DATA, P | U)],
        [entryOffset(DATA + 0x1000n), leaf(DATA + 0x1000n, P | U)],
      ],
    ],
    [
      'first read-only, second absent',
      [
        [entryOffset(DATA), leaf(DATA, P | U)],
        [entryOffset(DATA + 0x1000n), 0n],
      ],
    ],
    ['open', []],
  ];
  for (const mode of MODES)
    for (const [name, patches] of closed)
      for (const [what, access] of [
        ['read', 'mov eax, [ebx+0xffd]'],
        ['write', 'mov [ebx+0xffd], eax'],
        ['push', 'mov [ebx+0xff0], eax\nlea esp, [ebx+0x1002]\npush eax'],
        ['call', 'lea esp, [ebx+0x1002]\ncall 1f\n1: nop'],
        ['rep movs', 'lea edi, [ebx+0xff6]\nlea esi, [ebx+0x2000]\nmov ecx, 5\nrep movsd'],
        ['rep movs from', 'lea esi, [ebx+0xff6]\nlea edi, [ebx+0x2000]\nmov ecx, 5\nrep movsd'],
        ['rep stos', 'lea edi, [ebx+0xff6]\nmov ecx, 7\nrep stosw'],
        ['std rep stos', 'std\nlea edi, [ebx+0x1006]\nmov ecx, 7\nrep stosd'],
        ['rep scas', 'lea edi, [ebx+0xff6]\nmov ecx, 50\nmov al, 1\nrepne scasb'],
        ['enter', 'lea esp, [ebx+0x1804]\nenter 8, 0'],
      ] as const)
        out.push({ name: `${mode} ${what} over a border, ${name}`, mode, code: code(mode, access), patches });
  // Instructions that lie over a border.
  for (const mode of MODES)
    for (const [name, entry] of [
      ['open', P | W | U],
      ['absent', 0n],
      ['not executable', P | W | U | NX],
    ] as const)
      for (let n = 1; n < 6; n++)
        out.push({
          name: `${mode} code over a border, ${n} bytes before, second page ${name}`,
          mode,
          code: `.org ${4096 - n}\nmov eax, 0x12345678\nint3`,
          registers: { rip: CODE + 4096n - BigInt(n) },
          patches: [[entryOffset(CODE + 0x1000n), leaf(CODE + 0x1000n, entry)]],
        });
  return out;
}

/** Addresses with bits 63 to 47 not alike: #GP. (Through the stack segment it is #SS, for which QEMU 7.2 has #GP too.) */
function canonical(): Vector[] {
  const out: Vector[] = [];
  for (const address of [0x800000000000n, 0x8000000000000000n, 0xffff7fffffffffffn, 0x7ffffffffffdn, 0xfffffffffffffffdn, 0x7fffffffffffn])
    for (const [name, access] of [
      ['read', 'mov eax, [rbx]'],
      ['write', 'mov [rbx], eax'],
      ['rep movs', 'mov rdi, rbx\nmov ecx, 3\nrep movsb'],
      ['lods', 'mov rsi, rbx\nlodsd'],
    ] as const)
      out.push({ name: `64 ${name} at ${address.toString(16)}`, mode: 64, code: `${access}\nint3`, registers: { rbx: address } });
  return out;
}

/** A guest that changes its own tables, with and without the TLB knowing. */
function translations(): Vector[] {
  const table = LARGE + BigInt(entryOffset(DATA));
  return MODES.flatMap((mode): Vector[] => [
    {
      name: `${mode} a right that is given takes effect after the fault`,
      mode,
      code: `mov eax, ${Number(leaf(DATA, P | W | U))}\nmov edx, 0x${table.toString(16)}\nmov [edx], eax\nmov ecx, [ebx]\nmov [ebx], ecx\nint3`,
      patches: [[entryOffset(DATA), 0n]],
    },
    ...(mode === 'ring1' ? [] : [{ name: `${mode} supervisor page`, mode, code: 'mov eax, [0x100000]\nint3' }]),
    {
      name: `${mode} stack page`,
      mode,
      code: code(mode, `mov esp, 0x${STACK.toString(16)}\npush eax\npop ecx`),
      segments: [SELECTOR.data, SELECTOR.data, 0, 0].map((s) => (mode === 'ring1' ? 0 : s)) as [number, number, number, number],
    },
  ]);
}

export const pagingCases = (): Vector[] => [...flags(), ...upper(), ...large(), ...borders(), ...canonical(), ...translations()];
