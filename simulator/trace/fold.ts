// One record for each hypercall, however often it was entered: what comparisons between runs, and with real Xen, look at.

import type { TraceRecord } from './records.ts';

type HypercallRecord = Extract<TraceRecord, { kind: 'hypercall' }>;

/** Leaves out the rounds of a continued call that are not its last: that one has the arguments of the first, and the answer. */
export const foldContinuations = (records: readonly HypercallRecord[]): HypercallRecord[] => records.filter((record) => !record.continued);
