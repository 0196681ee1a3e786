// Oracle: the processor that runs this test (an AMD one). x87 instructions and sequences of them, natively and on the engine, must
// leave the same registers, tags, words, pointers, rflags, memory and faults; results of transcendental instructions may differ by one
// unit of the last place.

import { X87 } from './families.ts';
import { oracleTests } from './oracle-tests.ts';

oracleTests(X87, { perForm: { 64: 60, 32: 60 }, sequences: 1500, forms: 140, atLeast: 30_000 });
