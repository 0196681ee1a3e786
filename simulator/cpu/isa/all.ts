// Loads every definition.
import './alu.ts';
import './bits.ts';
import './control.ts';
import './flags.ts';
import './fpu.ts';
import './mmx-integer.ts';
import './move.ts';
import './shift.ts';
import './sse-compare.ts';
import './sse-convert.ts';
import './sse-float.ts';
import './sse-move.ts';
import './stack.ts';
import './string.ts';
import './system.ts';
import './x87.ts';

export { DEFINITIONS } from './definitions.ts';
