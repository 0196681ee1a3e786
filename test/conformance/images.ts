// Scenarios are linked into few images, so that one start of real Xen runs many of them.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const conformanceFolder = dirname(fileURLToPath(import.meta.url));
export const scenarioFolder = join(conformanceFolder, 'scenarios');

export interface Image {
  readonly name: string;
  /** Names of folders under scenarios/, in the order in which they run. */
  readonly scenarios: readonly string[];
}

/** The families that share an image: the first word of a scenario's folder. A family `end` has one image per scenario: it ends its guest. */
const together: Readonly<Record<string, readonly string[]>> = {
  calls: ['version', 'memory', 'grant', 'console', 'assist', 'physdev', 'multicall', 'unknown', 'pointer'],
  tables: ['mmu', 'mapping', 'types', 'mmuext'],
  processor: ['descriptor', 'trap', 'exception', 'emulate', 'register', 'iret', 'user'],
  events: ['event', 'vcpu', 'sched', 'timer'],
};

/** Every image with its scenarios; throws when a folder belongs to no image. */
export function images(): Image[] {
  const folders = readdirSync(scenarioFolder).sort();
  const ends = folders.filter((folder) => folder.startsWith('end-'));
  const families = new Map(Object.entries(together).flatMap(([image, list]) => list.map((family) => [family, image])));
  const shared = new Map<string, string[]>(Object.keys(together).map((image) => [image, []]));
  for (const folder of folders) {
    if (ends.includes(folder)) continue;
    const image = families.get(folder.split('-')[0]!);
    if (!image) throw new Error(`test/conformance/scenarios/${folder}: its first word is no family of images.ts`);
    shared.get(image)!.push(folder);
  }
  return [
    ...[...shared].filter(([, scenarios]) => scenarios.length > 0).map(([name, scenarios]) => ({ name, scenarios })),
    ...ends.map((name) => ({ name, scenarios: [name] })),
  ];
}
