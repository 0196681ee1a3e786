// Rows of the hypercall tables that no scenario can call, and why, by kind of guest.
import type { Bits } from './images.ts';

export const unreachable: Readonly<Record<string, Partial<Readonly<Record<Bits, string>>>>> = {};
