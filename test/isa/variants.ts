// Ways to run an engine that must not differ: the oracles take them as a parameter.

import { createEngine } from '../../simulator/cpu/engine.ts';
import type { Engine, EngineConfig } from '../../simulator/cpu/engine-types.ts';

export interface Variant {
  readonly name: string;
  create(config: EngineConfig): Engine;
}

/** The interpreter. */
export const TIER0: Variant = { name: 'tier 0', create: createEngine };
/** Every variant, the interpreter first. */
export const VARIANTS: readonly Variant[] = [TIER0];
