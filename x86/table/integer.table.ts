// Arithmetic, logic, shifts, bits and decimal adjustment of the general registers. Flags: Intel SDM volume 1, appendix A.
// For shifts and rotates a count of 0 writes no flag and `o` is defined for a count of 1 only.

import type { InstructionRow } from '../types.ts';

const arithmetic = (mnemonic: string, n: number, flags: Partial<InstructionRow>): InstructionRow => {
  const op = (i: number) => (n * 8 + i).toString(16).padStart(2, '0');
  return {
    key: mnemonic,
    mnemonic,
    enc: [
      `${op(0)} /r Eb,Gb`,
      `${op(1)} /r Ev,Gv`,
      `${op(2)} /r Gb,Eb`,
      `${op(3)} /r Gv,Ev`,
      `${op(4)} AL,Ib`,
      `${op(5)} rAX,Iz`,
      `80 /${n} Eb,Ib`,
      `81 /${n} Ev,Iz`,
      `82 /${n} Eb,Ib m32`,
      `83 /${n} Ev,Ibs`,
    ],
    ...flags,
  };
};

const shift = (mnemonic: string, digits: readonly number[], flags: Partial<InstructionRow>): InstructionRow => ({
  key: mnemonic,
  mnemonic,
  enc: digits.flatMap((n) => [`c0 /${n} Eb,Ib`, `c1 /${n} Ev,Ib`, `d0 /${n} Eb,1`, `d1 /${n} Ev,1`, `d2 /${n} Eb,CL`, `d3 /${n} Ev,CL`]),
  ...flags,
});

const sum = { writes: 'oszapc' };
const logic = { writes: 'oszpc', undefined: 'a' };

export const INTEGER_ROWS: readonly InstructionRow[] = [
  arithmetic('add', 0, { ...sum, lock: true }),
  arithmetic('or', 1, { ...logic, lock: true }),
  arithmetic('adc', 2, { ...sum, reads: 'c', lock: true }),
  arithmetic('sbb', 3, { ...sum, reads: 'c', lock: true }),
  arithmetic('and', 4, { ...logic, lock: true }),
  arithmetic('sub', 5, { ...sum, lock: true }),
  arithmetic('xor', 6, { ...logic, lock: true }),
  arithmetic('cmp', 7, sum),
  {
    key: 'test',
    mnemonic: 'test',
    enc: ['84 /r Eb,Gb', '85 /r Ev,Gv', 'a8 AL,Ib', 'a9 rAX,Iz', 'f6 /0 Eb,Ib', 'f7 /0 Ev,Iz', 'f6 /1 Eb,Ib', 'f7 /1 Ev,Iz'],
    ...logic,
  },
  { key: 'not', mnemonic: 'not', enc: ['f6 /2 Eb', 'f7 /2 Ev'], lock: true },
  { key: 'neg', mnemonic: 'neg', enc: ['f6 /3 Eb', 'f7 /3 Ev'], ...sum, lock: true },
  { key: 'inc', mnemonic: 'inc', enc: ['fe /0 Eb', 'ff /0 Ev', '40+r Zv m32'], writes: 'oszap', lock: true },
  { key: 'dec', mnemonic: 'dec', enc: ['fe /1 Eb', 'ff /1 Ev', '48+r Zv m32'], writes: 'oszap', lock: true },
  { key: 'mul', mnemonic: 'mul', enc: ['f6 /4 Eb', 'f7 /4 Ev'], writes: 'oc', undefined: 'szap' },
  { key: 'imul1', mnemonic: 'imul', enc: ['f6 /5 Eb', 'f7 /5 Ev'], writes: 'oc', undefined: 'szap' },
  { key: 'imul', mnemonic: 'imul', enc: ['0f af /r Gv,Ev', '69 /r Gv,Ev,Iz', '6b /r Gv,Ev,Ibs'], writes: 'oc', undefined: 'szap' },
  { key: 'div', mnemonic: 'div', enc: ['f6 /6 Eb', 'f7 /6 Ev'], undefined: 'oszapc' },
  { key: 'idiv', mnemonic: 'idiv', enc: ['f6 /7 Eb', 'f7 /7 Ev'], undefined: 'oszapc' },

  shift('rol', [0], { writes: 'oc', undefined: 'o' }),
  shift('ror', [1], { writes: 'oc', undefined: 'o' }),
  shift('rcl', [2], { reads: 'c', writes: 'oc', undefined: 'o' }),
  shift('rcr', [3], { reads: 'c', writes: 'oc', undefined: 'o' }),
  shift('shl', [4, 6], { aliases: ['sal'], writes: 'oszpc', undefined: 'oa' }),
  shift('shr', [5], { writes: 'oszpc', undefined: 'oa' }),
  shift('sar', [7], { writes: 'oszpc', undefined: 'oa' }),
  { key: 'shld', mnemonic: 'shld', enc: ['0f a4 /r Ev,Gv,Ib', '0f a5 /r Ev,Gv,CL'], writes: 'oszpc', undefined: 'oa' },
  { key: 'shrd', mnemonic: 'shrd', enc: ['0f ac /r Ev,Gv,Ib', '0f ad /r Ev,Gv,CL'], writes: 'oszpc', undefined: 'oa' },

  { key: 'bt', mnemonic: 'bt', enc: ['0f a3 /r Ev,Gv', '0f ba /4 Ev,Ib'], writes: 'c', undefined: 'osap' },
  { key: 'bts', mnemonic: 'bts', enc: ['0f ab /r Ev,Gv', '0f ba /5 Ev,Ib'], writes: 'c', undefined: 'osap', lock: true },
  { key: 'btr', mnemonic: 'btr', enc: ['0f b3 /r Ev,Gv', '0f ba /6 Ev,Ib'], writes: 'c', undefined: 'osap', lock: true },
  { key: 'btc', mnemonic: 'btc', enc: ['0f bb /r Ev,Gv', '0f ba /7 Ev,Ib'], writes: 'c', undefined: 'osap', lock: true },
  { key: 'bsf', mnemonic: 'bsf', enc: ['0f bc /r Gv,Ev'], writes: 'z', undefined: 'osapc' },
  { key: 'bsr', mnemonic: 'bsr', enc: ['0f bd /r Gv,Ev'], writes: 'z', undefined: 'osapc' },
  { key: 'tzcnt', mnemonic: 'tzcnt', enc: ['f3 0f bc /r Gv,Ev'], writes: 'zc', undefined: 'osap', feature: 'bmi1' },
  { key: 'lzcnt', mnemonic: 'lzcnt', enc: ['f3 0f bd /r Gv,Ev'], writes: 'zc', undefined: 'osap', feature: 'lzcnt' },
  { key: 'popcnt', mnemonic: 'popcnt', enc: ['f3 0f b8 /r Gv,Ev'], writes: 'oszapc', feature: 'popcnt' },
  { key: 'bswap', mnemonic: 'bswap', enc: ['0f c8+r Zv'] },

  { key: 'cmpxchg', mnemonic: 'cmpxchg', enc: ['0f b0 /r Eb,Gb', '0f b1 /r Ev,Gv'], ...sum, lock: true },
  { key: 'cmpxchg8b', mnemonic: 'cmpxchg8b', enc: ['0f c7 /1 Mq'], writes: 'z', lock: true },
  { key: 'cmpxchg16b', mnemonic: 'cmpxchg16b', enc: ['w1 0f c7 /1 Mx'], mode: '64', writes: 'z', lock: true },
  { key: 'xadd', mnemonic: 'xadd', enc: ['0f c0 /r Eb,Gb', '0f c1 /r Ev,Gv'], ...sum, lock: true },

  { key: 'daa', mnemonic: 'daa', enc: ['27'], mode: '32', reads: 'ac', writes: 'szapc', undefined: 'o' },
  { key: 'das', mnemonic: 'das', enc: ['2f'], mode: '32', reads: 'ac', writes: 'szapc', undefined: 'o' },
  { key: 'aaa', mnemonic: 'aaa', enc: ['37'], mode: '32', reads: 'a', writes: 'ac', undefined: 'oszp' },
  { key: 'aas', mnemonic: 'aas', enc: ['3f'], mode: '32', reads: 'a', writes: 'ac', undefined: 'oszp' },
  { key: 'aam', mnemonic: 'aam', enc: ['d4 Ib'], mode: '32', writes: 'szp', undefined: 'oac' },
  { key: 'aad', mnemonic: 'aad', enc: ['d5 Ib'], mode: '32', writes: 'szp', undefined: 'oac' },

  { key: 'clc', mnemonic: 'clc', enc: ['f8'], writes: 'c' },
  { key: 'stc', mnemonic: 'stc', enc: ['f9'], writes: 'c' },
  { key: 'cmc', mnemonic: 'cmc', enc: ['f5'], reads: 'c', writes: 'c' },
  { key: 'cld', mnemonic: 'cld', enc: ['fc'], writes: 'd' },
  { key: 'std', mnemonic: 'std', enc: ['fd'], writes: 'd' },
  { key: 'sahf', mnemonic: 'sahf', enc: ['9e'], writes: 'szapc' },
  { key: 'lahf', mnemonic: 'lahf', enc: ['9f'], reads: 'szapc' },
  { key: 'salc', mnemonic: 'salc', enc: ['d6'], mode: '32', reads: 'c' },
];
