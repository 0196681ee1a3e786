// The x87 instructions: all have bodies in TypeScript, in simulator/cpu/x87.

import { X87_ROWS } from '../../../x86/table/x87.table.ts';
import { defRare } from './definitions.ts';

defRare([...X87_ROWS.map((row) => row.key), 'wait'].join(' '));
