// The floating-point unit's control instructions. Its arithmetic, MMX and SSE have no bodies yet.

import { defRare } from './definitions.ts';

defRare('fninit fnclex fldcw fnstcw fnstsw ldmxcsr stmxcsr fxsave fxrstor wait');
