// The calls whose 32-bit form is more than the same structures in another layout; all others have one handler for both widths.

import type { Handler } from '../call.ts';
import { iret32 } from './iret.ts';
import { callbackOp32, setCallbacks32 } from './traps.ts';

export const compatHandlers: Readonly<Record<number, Handler>> = {
  4: setCallbacks32,
  23: iret32,
  30: callbackOp32,
};
