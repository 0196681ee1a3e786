// What interpreter, vector function and TypeScript bodies answer to each other.

/** What the interpreter returns. */
export const Stop = {
  /** Look up the block at RIP and go on. */
  lookup: 0,
  /** The block at RIP is longer than the budget left. */
  budget: 1,
  /** The slow path or a TypeScript body stopped the instruction of FAULT_RECORD; the engine knows why. */
  fault: 2,
  /** A body raised the vector in RAISED; record in FAULT_RECORD. */
  raised: 3,
} as const;

/** What the function of MMX and SSE cases returns. */
export const VectorStatus = { done: 0, fault: 1, raised: 2 } as const;

/** What a body in TypeScript answers. */
export const RareStatus = {
  /** Done: the next record follows. COUNT holds the budget. */
  done: 0,
  /** It transferred control or used up the budget: RIP and COUNT are set. */
  moved: 1,
  /** It could not complete: nothing has changed, the engine knows why. */
  stopped: 2,
} as const;
export type RareStatusValue = (typeof RareStatus)[keyof typeof RareStatus];
/** First argument of the import `rare`: the body named by the record, a division, or a segment check. */
export const RARE_OF_RECORD = 0;
export const RARE_DIV = 1;
export const RARE_IDIV = 2;
/** Limit and type of the segment of an address record. */
export const RARE_SEGMENT = 3;
/** The same for an access to the stack: offset in SCRATCH_READ, behind it the size, and 256 for a store. */
export const RARE_STACK = 4;
