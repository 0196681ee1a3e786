// One assembler instruction as the analysis sees it, wherever it stands: in a .S file, a macro body or an inline asm template.

export type Dialect = 'att' | 'intel';

export type OperandKind = 'gpr' | 'control' | 'debug' | 'segment' | 'immediate' | 'memory' | 'template' | 'other';

export interface Operand {
  readonly kind: OperandKind;
  /** As written, trimmed; a template operand shows its percent sign. */
  readonly text: string;
  /** Register name in lower case without %, for the four register kinds. */
  readonly register?: string;
  /** Immediate: the expression without `$`. Template: the number or name. */
  readonly value?: string;
}

export interface Instruction {
  /** Lower case, as written (with an AT&T size suffix, where it has one). */
  readonly mnemonic: string;
  readonly prefixes: readonly string[];
  /** In Intel order, destination first, whichever dialect it was written in. */
  readonly operands: readonly Operand[];
  readonly dialect: Dialect;
  /** Normalised text: prefixes, mnemonic and operands with single blanks. */
  readonly text: string;
  /** Offsets in the source file, in UTF-16 units; the end is exclusive. */
  readonly start: number;
  readonly end: number;
}
