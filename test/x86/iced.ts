// iced-x86 as the oracle of the decoder: compares one instruction's length, name and operands.

import { createRequire } from 'node:module';
import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { registerByName } from '../../x86/registers.ts';
import { ROWS } from '../../x86/rows.ts';
import { OperandKind as K } from '../../x86/types.ts';

const iced = createRequire(import.meta.url)('iced-x86') as typeof import('iced-x86');
const { Decoder, DecoderOptions, EncodingKind, MemorySizeExt, Mnemonic, OpKind, Register } = iced;
type Instruction = import('iced-x86').Instruction;

interface OurRegister {
  readonly kind: number;
  readonly reg: number;
  readonly size: number;
}
const kinds: Readonly<Record<string, number>> = {
  gpr: K.gpr,
  segment: K.segment,
  control: K.control,
  debug: K.debug,
  mmx: K.mmx,
  xmm: K.xmm,
  st: K.st,
};
const registers = new Map<number, OurRegister>();
for (const name of Object.keys(Register)) {
  const ours = registerByName(name.replace(/^ST(\d)$/, 'st($1)'));
  if (!ours) continue;
  const high = /^[A-D]H$/.test(name);
  registers.set(Register[name as keyof typeof Register], {
    kind: ours.size === 1 ? K.gpr8 : kinds[ours.kind]!,
    reg: ours.register! + (high ? 12 : 0),
    size: ours.size ?? 0,
  });
}

/** Families that the table leaves out: there we must say 'invalid' (or whatever the bytes were before the family existed). */
const ABSENT = /^(femms|ptwrite|aadd|aand|aor|axor|x(store|crypt|sha)\w*|montmul|undoc|ccs_\w+|\w+kl|loadiwkey|encodekey\w+)$/;
/** iced gives them names or operands of their own; the bytes mean the same. */
const RENAMED: Readonly<Record<string, readonly string[]>> = {
  nop: ['reservednop', 'prefetchit0', 'prefetchit1'],
  pcmpestrm: ['pcmpestrm64'],
  pcmpestri: ['pcmpestri64'],
};
/** Our operand lists leave out the implicit memory operand of these, and the size of saved state. */
const IMPLICIT_MEMORY = new Set(['xlat', 'maskmovq', 'maskmovdqu']);
/** They read 16 bits; iced writes the register as wide as the operand size. */
const READS_WORD = new Set(['arpl', 'lar', 'lsl', 'mov-to-seg', 'verr', 'verw', 'lldt', 'ltr', 'lmsw', 'lkgs']);
const SEGMENTS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];

const out = newDecoded();
const unsigned = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

function memoryDifference(ins: Instruction, i: number, mode: number): string | undefined {
  if (out.kind[i] !== K.memory) return `operand ${i} is no memory`;
  const base = Register[ins.memoryBase]!;
  const ripRelative = base === 'RIP' || base === 'EIP';
  if (out.ripRelative !== ripRelative) return 'rip-relative';
  if (!ripRelative && (ins.memoryBase === Register.None ? -1 : registers.get(ins.memoryBase)!.reg) !== out.base)
    return `base ${out.base}, iced ${base}`;
  if (!ripRelative && ins.memoryBase !== Register.None && registers.get(ins.memoryBase)!.size !== out.addressSize)
    return `address size ${out.addressSize}`;
  if ((ins.memoryIndex === Register.None ? -1 : registers.get(ins.memoryIndex)!.reg) !== out.index)
    return `index ${out.index}, iced ${Register[ins.memoryIndex]}`;
  if (out.index >= 0 && Math.log2(ins.memoryIndexScale) !== out.scale) return `scale ${out.scale}`;
  const bits = out.addressSize * 8;
  const disp = unsigned(out.dispLo, out.dispHi) + (ripRelative ? BigInt(out.length) : 0n);
  if (BigInt.asUintN(bits, disp) !== BigInt.asUintN(bits, ins.memoryDisplacementU64))
    return `displacement ${disp.toString(16)}, iced ${ins.memoryDisplacementU64.toString(16)}`;
  const segment = ins.segmentPrefix === Register.None ? -1 : SEGMENTS.indexOf(Register[ins.segmentPrefix]!);
  if (segment !== out.segment && !(mode === 64 && segment < 4)) return `segment ${out.segment}, iced ${segment}`;
  const size = MemorySizeExt.size(ins.memorySize);
  if (out.size[i] !== 0 && size !== out.size[i] && ROWS[out.row]!.key !== 'nop') return `memory size ${out.size[i]}, iced ${size}`;
  return undefined;
}

function operandDifference(ins: Instruction, i: number, mode: number): string | undefined {
  const theirs = ins.opKind(i);
  const kind = out.kind[i]!;
  if (theirs === OpKind.Register) {
    const r = registers.get(ins.opRegister(i));
    if (!r) return `register ${Register[ins.opRegister(i)]} is unknown`;
    if (r.kind !== kind || r.reg !== out.reg[i])
      return `operand ${i}: kind ${kind} register ${out.reg[i]}, iced ${Register[ins.opRegister(i)]}`;
    if (r.size !== 0 && r.size !== out.size[i] && !READS_WORD.has(ROWS[out.row]!.key))
      return `operand ${i}: size ${out.size[i]}, iced ${r.size}`;
    return undefined;
  }
  if (theirs === OpKind.Memory) return memoryDifference(ins, i, mode);
  if (theirs === OpKind.NearBranch16 || theirs === OpKind.NearBranch32 || theirs === OpKind.NearBranch64) {
    const bits = theirs === OpKind.NearBranch16 ? 16 : theirs === OpKind.NearBranch32 ? 32 : 64;
    if (kind !== K.relative) return `operand ${i} is no branch target`;
    // xbegin takes its width from its own rules; the width of its fallback address is not ours to say.
    if (ROWS[out.row]!.key !== 'xbegin' && bits !== out.operandSize * 8) return `branch of ${out.operandSize} bytes, iced ${bits} bits`;
    return BigInt.asUintN(bits, unsigned(out.immLo, out.immHi) + BigInt(out.length)) === BigInt.asUintN(bits, ins.nearBranchTarget)
      ? undefined
      : 'branch target';
  }
  if (theirs === OpKind.FarBranch16 || theirs === OpKind.FarBranch32) {
    const offset = theirs === OpKind.FarBranch16 ? ins.farBranch16 : ins.farBranch32;
    return kind === K.far && out.imm2 === ins.farBranchSelector && out.immLo >>> 0 === offset ? undefined : 'far pointer';
  }
  if (theirs >= OpKind.Immediate8 && theirs <= OpKind.Immediate32to64) {
    if (kind !== K.immediate) return `operand ${i} is no immediate`;
    const second = theirs === OpKind.Immediate8_2nd;
    const bits = (out.size[i] ?? 0) * 8;
    const ours = second ? BigInt(out.imm2) : unsigned(out.immLo, out.immHi);
    return BigInt.asUintN(bits, ours) === BigInt.asUintN(bits, ins.immediate(i))
      ? undefined
      : `immediate ${ours}, iced ${ins.immediate(i)}`;
  }
  if (kind !== K.string) return `operand ${i}: kind ${kind}, iced ${OpKind[theirs]}`;
  return MemorySizeExt.size(ins.memorySize) === out.size[i] ? undefined : `string element of ${out.size[i]}`;
}

/** Bytes of the instruction that difference() looked at last, as iced counts them; 1 when iced finds none. */
export let lastLength = 1;

/** How our decoding of bytes[offset…] differs from iced's, in words; undefined when they agree. Looks at 15 bytes. */
export function difference(bytes: Uint8Array, offset: number, mode: 64 | 32 | 16): string | undefined {
  const window = bytes.subarray(offset, offset + 15);
  const decoder = new Decoder(mode, window, DecoderOptions.None);
  const ins = decoder.decode();
  lastLength = ins.isInvalid ? 1 : ins.length;
  try {
    const status = decodeAny(bytes, offset, offset + window.length, mode, out);
    if (ins.isInvalid || ins.encoding !== EncodingKind.Legacy)
      return status === 'ok'
        ? `we decode ${ROWS[out.row]!.key}, iced ${ins.isInvalid ? 'nothing' : EncodingKind[ins.encoding]}`
        : undefined;
    const name = Mnemonic[ins.mnemonic]!.toLowerCase();
    if (ABSENT.test(name)) return undefined;
    if (status !== 'ok') return `${status}, iced ${name}`;
    const row = ROWS[out.row]!;
    if (out.length !== ins.length) return `${row.key}: length ${out.length}, iced ${ins.length}`;
    // With REX.B this is an exchange with r8 on processors (tried on AMD EPYC); iced says pause.
    if (name === 'pause' && row.key === 'xchg') return undefined;
    if (![row.mnemonic, ...(row.aliases ?? []), ...(RENAMED[row.key] ?? [])].includes(name)) return `${row.key}, iced ${name}`;
    if (IMPLICIT_MEMORY.has(row.key) || (row.key === 'nop' && ins.opCount === 2)) return undefined;
    if (ins.opCount !== out.count) return `${row.key}: ${out.count} operands, iced ${ins.opCount}`;
    if (ins.hasLockPrefix !== out.lock) return `${row.key}: lock`;
    for (let i = 0; i < out.count; i++) {
      const what = operandDifference(ins, i, mode);
      if (what) return `${row.key}: ${what}`;
    }
    return undefined;
  } finally {
    ins.free();
    decoder.free();
  }
}

/** Length that iced finds, 0 for an invalid instruction; and its name. */
export function icedName(bytes: Uint8Array, mode: 64 | 32): { readonly length: number; readonly name: string } {
  const decoder = new Decoder(mode, bytes, DecoderOptions.None);
  const ins = decoder.decode();
  const result = { length: ins.isInvalid ? 0 : ins.length, name: Mnemonic[ins.mnemonic]!.toLowerCase() };
  ins.free();
  decoder.free();
  return result;
}
