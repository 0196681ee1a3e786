// Ways to run an engine that must not differ: the oracles take them as a parameter.

import { createEngine } from '../../simulator/cpu/engine.ts';
import type { Engine, EngineConfig } from '../../simulator/cpu/engine-types.ts';

export interface Variant {
  readonly name: string;
  create(config: EngineConfig): Engine;
}

/** The interpreter. */
export const TIER0: Variant = { name: 'tier 0', create: (config) => createEngine({ ...config, tier1: false }) };
/** The translator: every block is translated, in a module of its own, when it is met. */
export const TIER1: Variant = {
  name: 'tier 1',
  create: (config) => createEngine({ ...config, tier1: true, tier1Options: { threshold: 1, batch: 1, eager: true } }),
};
/** Every variant, the interpreter first. */
export const VARIANTS: readonly Variant[] = [TIER0, TIER1];
