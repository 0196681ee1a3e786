// All request families of the debug adapter.

import type { Family } from './handler.ts';
import { breakpointRequests } from './requests/breakpoints.ts';
import { customRequests } from './requests/custom.ts';
import { dataBreakpointRequests } from './requests/data-breakpoints.ts';
import { disassemblyRequests } from './requests/disassembly.ts';
import { evaluateRequests } from './requests/evaluate.ts';
import { exceptionRequests } from './requests/exceptions.ts';
import { executionRequests } from './requests/execution.ts';
import { launchRequests } from './requests/launch.ts';
import { memoryRequests } from './requests/memory.ts';
import { sourceRequests } from './requests/sources.ts';
import { stackRequests } from './requests/stack.ts';
import { variableRequests } from './requests/variables.ts';

export const families: Family = {
  ...launchRequests,
  ...executionRequests,
  ...breakpointRequests,
  ...dataBreakpointRequests,
  ...exceptionRequests,
  ...stackRequests,
  ...variableRequests,
  ...memoryRequests,
  ...disassemblyRequests,
  ...evaluateRequests,
  ...sourceRequests,
  ...customRequests,
};
