// The floating-point operations that generated code leaves to TypeScript, by number.

import type { Core } from '../core.ts';

export function makeFloat(_core: Core): (operation: number, d: number, s: number, immediate: number) => number {
  return () => 0;
}
