// Moves, stack, branches, strings, traps, hints and fences: the rest of the general-purpose instructions.

import type { InstructionRow } from '../types.ts';

const CC = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');
/** Other spellings of the condition codes, by index. */
const CC_ALIASES: readonly (readonly string[])[] = [
  [],
  [],
  ['c', 'nae'],
  ['nc', 'nb'],
  ['z'],
  ['nz'],
  ['na'],
  ['nbe'],
  [],
  [],
  ['pe'],
  ['po'],
  ['nge'],
  ['nl'],
  ['ng'],
  ['nle'],
];

/** Condition code (0..15) of every suffix of jcc, setcc and cmovcc. */
export const CONDITION_CODES: ReadonlyMap<string, number> = new Map(
  CC.flatMap((name, i) => [name, ...CC_ALIASES[i]!].map((n) => [n, i] as const)),
);

const conditional = (stem: string) => [...CONDITION_CODES.keys()].map((cc) => stem + cc);
const hintNops = [0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f].map((op) => `0f ${op.toString(16)} /r Ev`);

export const GENERAL_ROWS: readonly InstructionRow[] = [
  // Moves
  {
    key: 'mov',
    mnemonic: 'mov',
    aliases: ['movabs'],
    enc: [
      '88 /r Eb,Gb',
      '89 /r Ev,Gv',
      '8a /r Gb,Eb',
      '8b /r Gv,Ev',
      'a0 AL,Ob',
      'a1 rAX,Ov',
      'a2 Ob,AL',
      'a3 Ov,rAX',
      'b0+r Zb,Ib',
      'b8+r Zv,Iv',
      'c6 /0 Eb,Ib',
      'c7 /0 Ev,Iz',
    ],
  },
  { key: 'movzx', mnemonic: 'movzx', aliases: ['movzb', 'movzw'], enc: ['0f b6 /r Gv,Eb', '0f b7 /r Gv,Ew'] },
  { key: 'movsx', mnemonic: 'movsx', aliases: ['movsb', 'movsw'], enc: ['0f be /r Gv,Eb', '0f bf /r Gv,Ew'] },
  { key: 'movsxd', mnemonic: 'movsxd', aliases: ['movsl'], enc: ['63 /r Gv,Ez'], mode: '64' },
  { key: 'lea', mnemonic: 'lea', enc: ['8d /r Gv,M'] },
  { key: 'xchg', mnemonic: 'xchg', enc: ['86 /r Eb,Gb', '87 /r Ev,Gv', '90+r Zv,rAX', 'b1 90 Zv,rAX'], lock: true },
  { key: 'xlat', mnemonic: 'xlat', aliases: ['xlatb'], enc: ['d7'] },
  { key: 'cmovcc', mnemonic: 'cmovcc', aliases: conditional('cmov'), enc: ['0f 40+cc /r Gv,Ev'], reads: 'oszpc' },
  { key: 'setcc', mnemonic: 'setcc', aliases: conditional('set'), enc: ['0f 90+cc /r Eb'], reads: 'oszpc' },
  { key: 'movbe', mnemonic: 'movbe', enc: ['nf 0f 38 f0 /r Gv,Mv', 'nf 0f 38 f1 /r Mv,Gv'], feature: 'movbe' },
  { key: 'movnti', mnemonic: 'movnti', enc: ['np 0f c3 /r My,Gy'] },
  { key: 'cbw', mnemonic: 'cbw', aliases: ['cwde', 'cdqe', 'cbtw', 'cwtl', 'cltq'], enc: ['98'] },
  { key: 'cwd', mnemonic: 'cwd', aliases: ['cdq', 'cqo', 'cwtd', 'cltd', 'cqto'], enc: ['99'] },

  // Stack
  { key: 'push', mnemonic: 'push', enc: ['50+r Zv', '68 Iz', '6a Ibs', 'ff /6 Ev'], d64: true },
  { key: 'pop', mnemonic: 'pop', enc: ['58+r Zv', '8f /0 Ev'], d64: true },
  { key: 'pusha', mnemonic: 'pusha', aliases: ['pushad'], enc: ['60'], mode: '32' },
  { key: 'popa', mnemonic: 'popa', aliases: ['popad'], enc: ['61'], mode: '32' },
  { key: 'enter', mnemonic: 'enter', enc: ['c8 Iw,Ib'], d64: true },
  { key: 'leave', mnemonic: 'leave', enc: ['c9'], d64: true },

  // Near branches
  { key: 'jcc', mnemonic: 'jcc', aliases: conditional('j'), enc: ['70+cc Jb', '0f 80+cc Jz'], f64: true, reads: 'oszpc', ends: true },
  { key: 'jmp', mnemonic: 'jmp', enc: ['eb Jb', 'e9 Jz'], f64: true, ends: true },
  { key: 'jmp-ind', mnemonic: 'jmp', enc: ['ff /4 Ev'], f64: true, ends: true },
  { key: 'call', mnemonic: 'call', enc: ['e8 Jz'], f64: true, ends: true },
  { key: 'call-ind', mnemonic: 'call', enc: ['ff /2 Ev'], f64: true, ends: true },
  { key: 'ret', mnemonic: 'ret', enc: ['c3', 'c2 Iw'], f64: true, ends: true },
  { key: 'jcxz', mnemonic: 'jcxz', aliases: ['jecxz', 'jrcxz'], enc: ['e3 Jb'], f64: true, ends: true },
  { key: 'loop', mnemonic: 'loop', enc: ['e2 Jb'], f64: true, ends: true },
  { key: 'loopz', mnemonic: 'loope', aliases: ['loopz'], enc: ['e1 Jb'], f64: true, reads: 'z', ends: true },
  { key: 'loopnz', mnemonic: 'loopne', aliases: ['loopnz'], enc: ['e0 Jb'], f64: true, reads: 'z', ends: true },

  // Traps
  { key: 'int3', mnemonic: 'int3', enc: ['cc'], ends: true },
  { key: 'int1', mnemonic: 'int1', aliases: ['icebp'], enc: ['f1'], ends: true },
  { key: 'into', mnemonic: 'into', enc: ['ce'], mode: '32', reads: 'o', ends: true },
  { key: 'bound', mnemonic: 'bound', enc: ['62 /r Gv,Ma'], mode: '32' },
  { key: 'ud2', mnemonic: 'ud2', aliases: ['ud2a'], enc: ['0f 0b'], ends: true },
  { key: 'ud1', mnemonic: 'ud1', aliases: ['ud2b'], enc: ['0f b9 /r Gv,Ev'], ends: true },
  { key: 'ud0', mnemonic: 'ud0', enc: ['0f ff /r Gv,Ev'], ends: true },

  // Strings
  { key: 'movs', mnemonic: 'movs', aliases: ['movsb', 'movsw', 'movsd', 'movsq'], enc: ['a4 Yb,Xb', 'a5 Yv,Xv'], reads: 'd' },
  {
    key: 'cmps',
    mnemonic: 'cmps',
    aliases: ['cmpsb', 'cmpsw', 'cmpsd', 'cmpsq'],
    enc: ['a6 Xb,Yb', 'a7 Xv,Yv'],
    reads: 'd',
    writes: 'oszapc',
  },
  { key: 'stos', mnemonic: 'stos', aliases: ['stosb', 'stosw', 'stosd', 'stosq'], enc: ['aa Yb,AL', 'ab Yv,rAX'], reads: 'd' },
  { key: 'lods', mnemonic: 'lods', aliases: ['lodsb', 'lodsw', 'lodsd', 'lodsq'], enc: ['ac AL,Xb', 'ad rAX,Xv'], reads: 'd' },
  {
    key: 'scas',
    mnemonic: 'scas',
    aliases: ['scasb', 'scasw', 'scasd', 'scasq'],
    enc: ['ae AL,Yb', 'af rAX,Yv'],
    reads: 'd',
    writes: 'oszapc',
  },

  // Hints, fences, caches
  { key: 'nop', mnemonic: 'nop', enc: ['90', '0f 18 /r Ev', '0f 0d /r Ev', ...hintNops] },
  { key: 'pause', mnemonic: 'pause', enc: ['f3 90'] },
  { key: 'endbr', mnemonic: 'endbr64', aliases: ['endbr32'], enc: ['f3 0f 1e fa', 'f3 0f 1e fb'] },
  {
    key: 'prefetch',
    mnemonic: 'prefetch',
    aliases: ['prefetchnta', 'prefetcht0', 'prefetcht1', 'prefetcht2', 'prefetchw', 'prefetchwt1'],
    enc: ['0f 18 /0 Mb', '0f 18 /1 Mb', '0f 18 /2 Mb', '0f 18 /3 Mb', '0f 0d /r Mb'],
  },
  { key: 'wait', mnemonic: 'wait', aliases: ['fwait'], enc: ['9b'] },
  { key: 'lfence', mnemonic: 'lfence', enc: ['np 0f ae /5r'] },
  { key: 'mfence', mnemonic: 'mfence', enc: ['np 0f ae /6r'] },
  { key: 'sfence', mnemonic: 'sfence', enc: ['np 0f ae /7r'] },
  { key: 'clflush', mnemonic: 'clflush', enc: ['np 0f ae /7 Mb'] },

  // Extended state
  { key: 'fxsave', mnemonic: 'fxsave', aliases: ['fxsave64'], enc: ['np 0f ae /0 M'] },
  { key: 'fxrstor', mnemonic: 'fxrstor', aliases: ['fxrstor64'], enc: ['np 0f ae /1 M'] },
  { key: 'ldmxcsr', mnemonic: 'ldmxcsr', enc: ['np 0f ae /2 Md'] },
  { key: 'stmxcsr', mnemonic: 'stmxcsr', enc: ['np 0f ae /3 Md'] },
  { key: 'xsave', mnemonic: 'xsave', aliases: ['xsave64'], enc: ['np 0f ae /4 M'], feature: 'xsave' },
  { key: 'xrstor', mnemonic: 'xrstor', aliases: ['xrstor64'], enc: ['np 0f ae /5 M'], feature: 'xsave' },
  { key: 'xsaveopt', mnemonic: 'xsaveopt', aliases: ['xsaveopt64'], enc: ['np 0f ae /6 M'], feature: 'xsaveopt' },
  { key: 'xsavec', mnemonic: 'xsavec', aliases: ['xsavec64'], enc: ['np 0f c7 /4 M'], feature: 'xsavec' },
];
