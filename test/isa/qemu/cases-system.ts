// Instructions of the system above ring 0, and encodings that fall back, by processor model. Left out, because QEMU 7.2 does otherwise
// than the manuals say: lock with mov and bt (it takes them), clflush (it does not touch the page), sysenter and sysexit in 32-bit code of
// AMD's processors in long mode (it knows them; AMD APM volume 3: #UD), syscall in 32-bit code of Intel's (SDM volume 2: #UD).

import { byteOffset, DATA } from './arena.ts';
import type { Vector } from './vectors.ts';

const MODES = [64, 32, 'ring1'] as const;
const SYSEXIT = '.byte 0x0f, 0x35';
/** Privileged or invalid in every mode. */
const REFUSED = [
  'hlt',
  'cli',
  'sti',
  'clts',
  'invd',
  'wbinvd',
  'lmsw ax',
  'lgdt [ebx]',
  'lidt [ebx]',
  'lldt ax',
  'ltr ax',
  'invlpg [ebx]',
  'in al, dx',
  'in eax, 0x60',
  'out 0x80, al',
  'out dx, eax',
  'insb',
  'rep insd',
  'outsb',
  'rep outsw',
  'rdmsr',
  'wrmsr',
  'rdpmc',
  'ud2',
  '.byte 0x0f, 0xff, 0xc0',
  '.byte 0x0f, 0xb9, 0xc0',
  'swapgs_',
  'mov_cr',
  'mov_dr',
  '.byte 0x0f, 0x07',
  '.byte 0x0f, 0x35',
  '.byte 0x0f, 0x01, 0xd9',
  '.byte 0x0f, 0x01, 0xc1',
  '.byte 0x0f, 0x01, 0xd0',
  '.byte 0x0f, 0x01, 0xd1',
  '.byte 0x0f, 0xc7, 0xf0',
  '.byte 0x0f, 0xc7, 0xf8',
  '.byte 0xf3, 0x0f, 0xae, 0xc0',
  '.byte 0xf3, 0x0f, 0xae, 0xd0',
  '.byte 0x0f, 0x0a',
  '.byte 0x0f, 0x24, 0xc0',
  '.byte 0xf0, 0x90',
  '.byte 0xf0, 0x01, 0xc0',
  '.byte 0xc5, 0xf8, 0x77',
  '.byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2',
] as const;
/** Work, or fall back to an older instruction. */
const WORKING = [
  '.byte 0xf3, 0x0f, 0xbc, 0x03\ncmp ecx, ecx', // tzcnt without BMI1 is bsf
  '.byte 0xf3, 0x0f, 0xbd, 0xc1\ncmp ecx, ecx', // lzcnt without ABM is bsr
  '.byte 0x0f, 0x0d, 0x0b', // prefetchw
  '.byte 0x0f, 0x18, 0x0b', // prefetcht0
  '.byte 0xf3, 0x90', // pause
  '.byte 0x0f, 0x1f, 0x03', // long nop
  '.byte 0xf3, 0x0f, 0x1e, 0xfa', // endbr64 as a nop
  'lock cmpxchg8b [ebx]',
  'lock add [ebx], ecx',
  'xchg [ebx], ecx',
  'lock bts dword ptr [ebx], 3',
  'lfence',
  'mfence',
  'sfence',
  'smsw_',
  'int 0x80',
  'int3',
  '.byte 0xcd, 0x03',
  '.byte 0xcd, 0x04',
  'int 0x81',
  'int 0x20',
  'pushf_',
];
const LEGACY = [
  'into',
  'mov eax, 0x7fffffff\ninc eax\ninto',
  'mov eax, 5\nmov dword ptr [ebx], 1\nmov dword ptr [ebx+4], 9\nbound eax, [ebx]',
  'mov eax, 50\nbound eax, [ebx]',
  'daa',
  'aam 0',
  'arpl cx, ax',
  '.byte 0xd6',
  'les eax, [ebx]',
  'push cs\npush ds\npop ds\npush es\npop es',
  'pusha\npopa',
  'aaa\naas\ndas\naad 7',
];
const LONG_ONLY = [
  '.byte 0x06',
  '.byte 0x0e',
  '.byte 0x16',
  '.byte 0x1e',
  '.byte 0x07',
  '.byte 0x17',
  '.byte 0x1f',
  '.byte 0x27',
  '.byte 0x2f',
  '.byte 0x37',
  '.byte 0x3f',
  '.byte 0x60',
  '.byte 0x61',
  '.byte 0x62, 0x03',
  '.byte 0x82, 0xc0, 1',
  '.byte 0x9a, 0, 0, 0, 0, 0, 0',
  '.byte 0xc4, 0xc0',
  '.byte 0xce',
  '.byte 0xd4, 10',
  '.byte 0xd5, 10',
  '.byte 0xea, 0, 0, 0, 0, 0, 0',
  'cmpxchg16b [rbx+8]',
  'lock cmpxchg16b [rbx]',
  'syscall',
  'swapgs',
];

const spell = (text: string, wide: boolean): string =>
  text
    .replace('swapgs_', wide ? 'swapgs' : 'nop')
    .replace('mov_cr', wide ? 'mov rax, cr0' : 'mov eax, cr0')
    .replace('mov_dr', wide ? 'mov dr7, rax' : 'mov dr7, eax')
    .replace('smsw_', 'nop')
    .replace('pushf_', wide ? 'pushfq' : 'pushfd');

export function systemCases(model: 'amd' | 'intel'): Vector[] {
  const out: Vector[] = [];
  const add = (mode: Vector['mode'], text: string): void => {
    out.push({
      name: `${mode} ${text.replaceAll('\n', ', ')}`,
      mode,
      code: `${spell(text, mode === 64)}\nint3`,
      registers: { rbx: DATA + 0x100n, rcx: 0x12345678n },
      patches: [[byteOffset(DATA + 0x100n), 0x50n]],
    });
  };
  for (const mode of MODES) {
    for (const text of REFUSED) if (!(text === SYSEXIT && model === 'amd' && mode !== 64)) add(mode, text);
    for (const text of WORKING) add(mode, text);
    for (const text of mode === 64 ? LONG_ONLY : LEGACY) add(mode, text);
    // 15 bytes are the most.
    for (const prefixes of [13, 14, 15]) add(mode, `.fill ${prefixes}, 1, 0x3e\nnop`);
    // syscall in 32-bit code is AMD's, sysenter in long mode Intel's.
    if (mode !== 64 && model === 'amd') add(mode, '.byte 0x0f, 0x05');
    if (model === 'intel' || mode === 64) add(mode, 'sysenter');
  }
  return model === 'amd' ? out : out.filter(({ name }) => !/lzcnt/.test(name));
}
