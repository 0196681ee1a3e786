// The rules of refusals.

import type { RefusalRule } from './rule.ts';

export const refusalRules: readonly RefusalRule[] = [];
