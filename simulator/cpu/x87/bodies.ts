// All x87 instructions by key.

import type { RareBody } from '../rare/context.ts';
import { BASIC } from './basic.ts';
import { STATE } from './state.ts';
import { TRANSCENDENTAL } from './transcendental.ts';
import { TRANSFER } from './transfer.ts';

export const X87: Readonly<Record<string, RareBody>> = { ...STATE, ...BASIC, ...TRANSFER, ...TRANSCENDENTAL };
