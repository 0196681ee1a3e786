// Which forms of the instruction table the host-CPU oracles compare, and why they do not compare the others.

import { FEATURES } from '../../simulator/cpu/code.ts';
import { DEFINITIONS } from '../../simulator/cpu/isa/all.ts';
import { FORMS } from '../../x86/opcode-map.ts';
import { ROWS } from '../../x86/rows.ts';
import { FAMILIES } from './families.ts';
import { NOT_COMPARED } from './not-compared.table.ts';
import { formName } from './oracle.ts';

const MODELS = ['amd', 'intel'] as const;
export type Model = (typeof MODELS)[number];

/** Models whose decoder knows the form; without one its bytes are #UD, or the older instruction that they were. */
export function modelsOf(row: number, form: number): readonly Model[] {
  const { feature, enc, key } = ROWS[row]!;
  // The row of pextrw has a form of SSE4.1.
  if (key === 'pextrw' && enc[form]!.startsWith('66 0f 3a')) return [];
  return MODELS.filter((model) => feature === undefined || (FEATURES[model] as readonly string[]).includes(feature));
}

export interface UncomparedForm {
  readonly name: string;
  readonly key: string;
  /** null: nobody knows. */
  readonly reason: string | null;
}

/** Forms that a model executes and no family compares. */
export function uncomparedForms(): UncomparedForm[] {
  const out: UncomparedForm[] = [];
  for (const bits of [64, 32] as const) {
    const compared = new Set(FAMILIES.flatMap((family) => family.forms(bits).map((ref) => formName(bits, ref))));
    for (const { row, index, modes, encoding } of FORMS) {
      if (!modes.includes(bits === 64 ? 1 : 0) || (encoding.rexB && bits === 32) || modelsOf(row, index).length === 0) continue;
      const { key } = ROWS[row]!;
      const name = formName(bits, { row, form: index });
      if (compared.has(name)) continue;
      out.push({ name, key, reason: DEFINITIONS.has(key) ? (NOT_COMPARED.get(key) ?? null) : null });
    }
  }
  return out;
}
