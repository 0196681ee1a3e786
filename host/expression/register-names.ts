// Register names as debuggers write them, including the narrow ones: eax, r8d, ax, al, ah, eip.

const legacy = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const full = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];

interface Part {
  readonly of: string;
  readonly shift: bigint;
  readonly bits: number;
}

const parts = new Map<string, Part>();
legacy.forEach((name, i) => {
  parts.set(`e${name}`, { of: full[i]!, shift: 0n, bits: 32 });
  parts.set(name, { of: full[i]!, shift: 0n, bits: 16 });
});
for (const letter of 'acdb') {
  parts.set(`${letter}l`, { of: `r${letter}x`, shift: 0n, bits: 8 });
  parts.set(`${letter}h`, { of: `r${letter}x`, shift: 8n, bits: 8 });
}
for (const name of ['sp', 'bp', 'si', 'di']) parts.set(`${name}l`, { of: `r${name}`, shift: 0n, bits: 8 });
for (let n = 8; n < 16; n++) {
  parts.set(`r${n}d`, { of: `r${n}`, shift: 0n, bits: 32 });
  parts.set(`r${n}w`, { of: `r${n}`, shift: 0n, bits: 16 });
  parts.set(`r${n}b`, { of: `r${n}`, shift: 0n, bits: 8 });
}
parts.set('eip', { of: 'rip', shift: 0n, bits: 32 });
parts.set('eflags', { of: 'rflags', shift: 0n, bits: 32 });
parts.set('pc', { of: 'rip', shift: 0n, bits: 64 });

const otherCase: Readonly<Record<string, string>> = {
  fs_base: 'fsBase',
  fsbase: 'fsBase',
  gs_base: 'gsBase',
  gsbase: 'gsBase',
  gsbasekernel: 'gsBaseKernel',
  gsbaseuser: 'gsBaseUser',
};

/** Null when there is no such register, or its value is not known in the frame. */
export function registerValue(registers: Readonly<Record<string, bigint | number>>, name: string, bits: 64 | 32): bigint | null {
  const lower = name.toLowerCase();
  const whole = registers[otherCase[lower] ?? lower];
  if (whole !== undefined) return BigInt(whole);
  const part = parts.get(lower);
  const from = part && registers[part.of];
  if (part === undefined || from === undefined) return null;
  return BigInt.asUintN(Math.min(part.bits, bits), BigInt(from) >> part.shift);
}

/** The register that a name stands for as a whole ('pc' is rip; in 32-bit code eax is rax): null for a part of one, or none. */
export function wholeRegister(registers: Readonly<Record<string, bigint | number>>, name: string, bits: 64 | 32): string | null {
  const lower = name.toLowerCase();
  const whole = otherCase[lower] ?? lower;
  if (Object.hasOwn(registers, whole)) return whole;
  const part = parts.get(lower);
  return part && part.shift === 0n && part.bits >= (part.of === 'rflags' ? 32 : bits) ? part.of : null;
}
