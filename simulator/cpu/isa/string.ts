// String instructions: bodies in TypeScript, which work through pages and count every repetition.

import { defRare } from './definitions.ts';

defRare('movs stos lods cmps scas xlat');
