// All structures of the interface by their C names.

import { eventStructures } from './event.table.ts';
import { grantStructures } from './grant.table.ts';
import { headStructures } from './heads.table.ts';
import { hvmStructures } from './hvm.table.ts';
import { ioStructures } from './io.table.ts';
import { memoryStructures } from './memory.table.ts';
import { miscStructures } from './misc.table.ts';
import { mmuStructures } from './mmu.table.ts';
import { physdevStructures } from './physdev.table.ts';
import { platformStructures } from './platform.table.ts';
import { schedStructures } from './sched.table.ts';
import { sharedInfoStructures } from './shared-info.table.ts';
import { startStructures } from './start.table.ts';
import { vcpuStructures } from './vcpu.table.ts';

export const structures = {
  ...startStructures,
  ...sharedInfoStructures,
  ...vcpuStructures,
  ...mmuStructures,
  ...memoryStructures,
  ...eventStructures,
  ...schedStructures,
  ...physdevStructures,
  ...grantStructures,
  ...miscStructures,
  ...platformStructures,
  ...hvmStructures,
  ...ioStructures,
  ...headStructures,
} as const;

export type StructureName = keyof typeof structures;
