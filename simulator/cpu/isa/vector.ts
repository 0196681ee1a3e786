// Definitions of MMX and SSE instructions.

import type { Width } from '../emit/expressions.ts';
import type { Insn } from './builder.ts';
import { def, type MemoryUse } from './definitions.ts';
import type { VectorBuilder, VectorBytes } from './vector-builder.ts';

export type VectorBody = (b: VectorBuilder, i: Insn) => void;
interface VectorOptions {
  readonly forms?: readonly string[];
  readonly sizes?: readonly Width[];
  /** Bytes of the memory operand where they are not 8 for mmx forms and 16 for others. */
  readonly memory?: number | ((form: string, w: Width) => number);
  readonly unaligned?: boolean;
  readonly use?: MemoryUse;
  readonly entersMmx?: (form: string) => boolean;
}

export const XMM_FORMS = ['xx', 'xm'] as const;
export const BOTH_FORMS = ['qq', 'qm', 'xx', 'xm'] as const;
const ANY: readonly Width[] = [4];

export function vector(keys: string, options: VectorOptions, body: (key: string) => VectorBody): void {
  const { memory } = options;
  const size = (form: string, w: Width): number =>
    typeof memory === 'function' ? memory(form, w) : (memory ?? (form.includes('q') ? 8 : 16));
  const use = {
    memorySize: size,
    aligned: options.unaligned !== true,
    entersMmx: options.entersMmx ?? ((form: string) => form.includes('q')),
  };
  def(
    keys,
    { forms: options.forms ?? XMM_FORMS, sizes: options.sizes ?? ANY, memory: options.use ?? 'auto', vector: use },
    (key) => (b, i) => body(key)(b as VectorBuilder, i),
  );
}

/** Bytes of the registers of this form. */
export const registerBytes = (i: Insn): VectorBytes => (i.d.kind === 'q' || i.s.kind === 'q' ? 8 : 16);

/** A body that computes the destination from both operands, lane by lane: `value` pushes the result. */
export const lanewise =
  (value: (b: VectorBuilder, loadD: () => void, loadS: () => void, i: Insn) => void): VectorBody =>
  (b, i) => {
    const bytes = registerBytes(i);
    const d = b.place(i.d);
    const s = b.place(i.s);
    b.vstore(i.d, d, bytes, () =>
      value(
        b,
        () => b.vload(d, bytes),
        () => b.vload(s, bytes),
        i,
      ),
    );
  };
