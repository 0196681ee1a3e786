// Instructions on single flags.

import { ARITHMETIC_FLAGS, FLAG } from './builder.ts';
import { def } from './definitions.ts';

def('clc', {}, () => (b) => b.mergeFlags(FLAG.c, b.k32(0)));
def('stc', {}, () => (b) => b.mergeFlags(FLAG.c, b.k32(FLAG.c)));
def('cmc', {}, () => (b) => b.setFlags(b.xor(b.eflags(), b.k32(FLAG.c))));
def('cld', {}, () => (b) => b.setSystemFlags(b.and(b.systemFlags(), b.k32(~FLAG.d))));
def('std', {}, () => (b) => b.setSystemFlags(b.or(b.systemFlags(), b.k32(FLAG.d))));

const LOW = FLAG.s | FLAG.z | FLAG.a | FLAG.p | FLAG.c;
def('sahf', {}, () => (b) => {
  const high = b.and(b.wrap(b.shr(b.reg(0, 4), b.k32(8))), b.k32(LOW));
  b.setFlags(b.let(b.or(b.and(b.eflags(), b.k32(ARITHMETIC_FLAGS & ~LOW)), high)));
});
def('lahf', {}, () => (b) => {
  const flags = b.or(b.and(b.eflags(), b.k32(LOW)), b.k32(2));
  b.setReg(0, 2, b.or(b.and(b.reg(0, 2), b.k32(0xff)), b.shl(flags, b.k32(8))));
});
def('salc', {}, () => (b) => b.setReg(0, 1, b.sub(b.k32(0), b.cf())));
