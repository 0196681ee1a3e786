// One inline asm statement of a C file: where it stands, its template and its operands.

import type { Node } from 'web-tree-sitter';

export interface AsmOperand {
  /** Name in brackets, where given. */
  readonly name?: string;
  readonly constraint: string;
  /** The C expression, as written. */
  readonly value: string;
  readonly output: boolean;
}

/** `block`: directly in a block. `single`: the body of an if, else or loop. `macro`: in a #define. `expression`: no statement of its own. */
export type Placement = 'block' | 'single' | 'macro' | 'expression' | 'file';

export interface AsmStatement {
  /** The whole statement with its semicolon, where it has one. */
  readonly start: number;
  readonly end: number;
  readonly hasSemicolon: boolean;
  readonly placement: Placement;
  readonly templateStart: number;
  readonly templateEnd: number;
  /** It has operand lists, if empty ones: only then % and {|} mean something in the template. */
  readonly extended: boolean;
  /** In the order of %0, %1 …: outputs first. */
  readonly operands: readonly AsmOperand[];
}

const BODY_OF = /^(if_statement|else_clause|for_statement|while_statement|do_statement)$/;

/**
 * Reads a `gnu_asm_expression`. `shift` is added to every offset: the tree may be of a part of the file.
 * `macroEnd`: where the macro body ends that the statement stands in, null outside of macros. A semicolon behind it was put there to parse.
 */
export function readAsm(node: Node, shift: number, macroEnd: number | null): AsmStatement | null {
  const code = node.childForFieldName('assembly_code');
  if (!code) return null;
  const statement = node.parent?.type === 'expression_statement' ? node.parent : null;
  const last = statement?.lastChild;
  const hasSemicolon = last?.type === ';' && !last.isMissing && (macroEnd === null || last.endIndex + shift <= macroEnd);
  return {
    start: node.startIndex + shift,
    end: (hasSemicolon ? last : node).endIndex + shift,
    hasSemicolon,
    placement: placementOf(statement, macroEnd !== null),
    templateStart: code.startIndex + shift,
    templateEnd: code.endIndex + shift,
    extended: node.childForFieldName('output_operands') !== null || node.childForFieldName('goto_labels') !== null,
    operands: [...operandsOf(node, 'output_operands', true), ...operandsOf(node, 'input_operands', false)],
  };
}

function placementOf(statement: Node | null, inMacro: boolean): Placement {
  if (inMacro) return 'macro';
  if (!statement) return 'expression';
  const parent = statement.parent;
  if (!parent || parent.type === 'translation_unit') return 'file';
  return BODY_OF.test(parent.type) ? 'single' : 'block';
}

function operandsOf(node: Node, field: string, output: boolean): AsmOperand[] {
  const list = node.childForFieldName(field);
  if (!list) return [];
  return list.childrenForFieldName('operand').flatMap((operand) => {
    const constraint = operand?.childForFieldName('constraint');
    const value = operand?.childForFieldName('value');
    if (!operand || !constraint || !value) return [];
    const name = operand.childForFieldName('symbol')?.text;
    return [
      {
        ...(name ? { name } : {}),
        constraint: [...constraint.text.matchAll(/"([^"]*)"/g)].map((m) => m[1]).join(''),
        value: value.text,
        output,
      },
    ];
  });
}
