// State that x87 and SSE share.

import { defRare } from './definitions.ts';

defRare('ldmxcsr stmxcsr fxsave fxrstor');
