// The value of an instruction's operand, as far as the source says it.

import type { Operand } from '../../syntax/instruction.ts';
import { evaluate } from '../constants.ts';
import type { Site } from '../site.ts';

/** An immediate, or a template operand (%0, %[port]) whose C expression is constant. Null: not known here. */
export function constantOf(operand: Operand | undefined, site: Site, constants: ReadonlyMap<string, string>): number | null {
  if (operand?.kind === 'immediate') return evaluate(operand.value ?? '', constants);
  // A name without a mark: in Intel syntax a macro of the preprocessor stands like this.
  if (operand?.kind === 'other') return /^[A-Za-z_]\w*$/.test(operand.text) ? evaluate(operand.text, constants) : null;
  if (operand?.kind !== 'template') return null;
  const expression = site.asm?.statement.operands.find(({ name }, i) => name === operand.value || String(i) === operand.value)?.value;
  return expression === undefined ? null : evaluate(expression, constants);
}
