// The shapes of the instruction table and of a decoded instruction. No semantics here: simulator/cpu/isa joins by `key`.

/** `b` 1, `w` 2, `d` 4, `q` 8 bytes; `v` operand size 2/4/8; `z` 2 or 4; `y` 4 or 8; `n` 8 in 64-bit mode, else 4; `p` far pointer
 * (2 + v), `s` descriptor-table pseudo-descriptor (2 + n), `a` bound pair (2 v), `t` 10, `x` 16 bytes; none: an address, not an access of
 * known size. In the manuals' notation:
 * E modrm r/m · G modrm reg · M memory only · R register only · Rv/Mw register v, memory w · I immediate (Ibs: sign-extended byte) ·
 * J relative · Z register in opcode · S segment · C control · D debug register · O moffs · X/Y string source/destination · A far pointer ·
 * V xmm in reg, W xmm or memory, U xmm only · P mmx in reg, Q mmx or memory, N mmx only · T st(i);
 * fixed: AL CL DX AX eAX rAX (v-sized accumulator) 1 ST, ES CS SS DS FS GS. */
export type OperandSpec = string;

export type Privilege =
  /** Unprivileged and not sensitive. */
  | 'none'
  /** Faults at CPL > 0. */
  | 'cpl0'
  /** Needs CPL <= IOPL (or the I/O bitmap for port I/O). */
  | 'iopl'
  /** Does not fault, shows or ignores privileged state (a Popek-Goldberg violation). */
  | 'sensitive'
  /** Faults depending on a control bit (CR4.TSD, CR4.PCE, CR4.FSGSBASE, OSXSAVE …). */
  | 'conditional';

/** What happens when a Xen PV guest kernel executes it. Order of severity: silent > fault > emulated. */
export type XenEffect = 'native' | 'silent' | 'fault' | 'emulated';

export interface InstructionRow {
  /** Unique; joins with the body in simulator/cpu/isa. Conditional families (jcc, setcc, cmovcc) are one row, `cc` in the opcode. */
  readonly key: string;
  /** Intel mnemonic, lower case. */
  readonly mnemonic: string;
  /** Other names assemblers use (`jz` for `je`, `sal` for `shl`, `iretd` …), without AT&T size suffixes. */
  readonly aliases?: readonly string[];
  /** Opcode and operands: '00 /r Eb,Gb', '83 /0 Ev,Ibs', '0f 80+cc Jz', 'f3 0f b8 /r Gv,Ev', '50+r Zv'. Order = form number.
   * A leading 66, f2 or f3 is mandatory; `np`: none of the three allowed; `nf`: neither f2 nor f3. '/5r' register form without operand,
   * '/5m' memory form; a byte after the opcode is a whole fixed ModRM ('0f 01 f8'). A leading `w1` or `b1`: only
   * with REX.W or REX.B, before the form of the same opcode without. Trailing `m64`/`m32`: form of one mode only. */
  readonly enc: readonly string[];
  /** Modes in which it exists; both unless given. */
  readonly mode?: '64' | '32';
  /** Operand size defaults to 64 in 64-bit mode (push, near branches …). */
  readonly d64?: boolean;
  /** Operand size is 64 in 64-bit mode and a 66 prefix does not change it (near branches, as Intel processors do it). */
  readonly f64?: boolean;
  /** Accepts a lock prefix when the destination is memory. */
  readonly lock?: boolean;
  /** Flags, as letters of 'oszapc' plus 'd' and 'i'. */
  readonly reads?: string;
  readonly writes?: string;
  readonly undefined?: string;
  /** Ends a block: control transfer or trap. */
  readonly ends?: boolean;
  readonly privilege?: Privilege;
  /** Set for every sensitive instruction: severity, and the rule of abi/rules that explains and replaces it. */
  readonly xen?: { readonly effect: XenEffect; readonly rule: string; readonly note?: string };
  /** CPUID feature it needs, where not in every x86-64. */
  readonly feature?: string;
}

/** `string`: the implicit [rsi] or [rdi] of a string instruction; base and index say nothing of it. */
export const OperandKind = {
  none: 0,
  gpr: 1,
  gpr8: 2,
  segment: 3,
  control: 4,
  debug: 5,
  memory: 6,
  immediate: 7,
  relative: 8,
  far: 9,
  mmx: 10,
  xmm: 11,
  st: 12,
  string: 13,
} as const;
export type OperandKindValue = (typeof OperandKind)[keyof typeof OperandKind];

/** Plain fields, filled in place by decode(): no garbage, no BigInt. 64-bit values are pairs of int32 (lo, hi). */
export interface Decoded {
  /** Index into ROWS; -1: no such instruction (#UD). */
  row: number;
  /** Index into the row's `enc`. */
  form: number;
  /** Bytes, 1 to 15. */
  length: number;
  /** Effective operand size in bytes of v operands; 1 for byte forms. */
  operandSize: number;
  addressSize: number;
  /** 0x00, 0xf2 or 0xf3, when it is a prefix and not part of the opcode. */
  rep: number;
  lock: boolean;
  /** Segment override 0..5 (es cs ss ds fs gs), -1 none. */
  segment: number;
  /** Condition code 0..15 of a cc row, -1 else. */
  cc: number;
  /** Number of explicit operands, 0..4; the arrays below are of length 4. */
  count: number;
  kind: Uint8Array;
  /** gpr: 0..15. gpr8: 0..15, or 16..19 for ah ch dh bh. segment, control, debug, mmx, xmm, st: its number. */
  reg: Uint8Array;
  /** Size in bytes of each operand. */
  size: Uint8Array;
  /** The one memory operand: base and index register 0..15 or -1; scale as a shift 0..3; displacement sign-extended to 64. */
  base: number;
  index: number;
  scale: number;
  dispLo: number;
  dispHi: number;
  /** Base is the address of the next instruction. */
  ripRelative: boolean;
  /** Immediate (or relative displacement) sign-extended to 64 bits; zero-extended where the manual says so. */
  immLo: number;
  immHi: number;
  /** Second immediate: enter's level, a far pointer's selector. */
  imm2: number;
}

/** Why decode() could not finish. */
export type DecodeStatus = 'ok' | 'invalid' | 'too-long' | 'truncated';
