// Scenarios are linked into few images, so that one start of real Xen runs many of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { images as securityImages } from '../security/images.ts';

export const conformanceFolder = dirname(fileURLToPath(import.meta.url));
export const scenarioFolder = join(conformanceFolder, 'scenarios');

export type Bits = 64 | 32;

export interface Image {
  /** Of a 32-bit guest with 32 at its end: `calls`, `calls32`. */
  readonly name: string;
  readonly bits: Bits;
  readonly vcpus: number;
  /** The processor's maker: QEMU's qemu64, or its Nehalem. */
  readonly cpu: 'amd' | 'intel';
  /** Names of folders under scenarios/, in the order in which they run. */
  readonly scenarios: readonly string[];
}

/** The families that share an image: the first word of a scenario's folder. A family `end` has one image per scenario: it ends its guest. */
const together: Readonly<Record<string, readonly string[]>> = {
  facts: ['facts'],
  calls: ['version', 'memory', 'grant', 'console', 'assist', 'physdev', 'multicall', 'unknown', 'pointer', 'compat'],
  toolstack: ['toolstack'],
  tables: ['mmu', 'mapping', 'types', 'mmuext'],
  processor: ['descriptor', 'trap', 'exception', 'emulate', 'register', 'iret', 'user'],
  events: ['event', 'vcpu', 'sched', 'timer', 'sleep'],
  fifo: ['fifo'],
  machine: ['machine'],
  grants: ['granted'],
  'grants-versions': ['grantversion'],
  'grants-lost': ['grantlost'],
  smp: ['smp'],
};
/** Images of the processor's family that run on Intel's processor too, and the scenarios that are for it alone. */
const INTEL = 'intel';
/** Images for guests with more than one vCPU. */
const vcpusOf: Readonly<Record<string, number>> = { smp: 3 };

/** First words that a scenario's folder may have. */
export const families = (): string[] => [...Object.values(together).flat(), INTEL, 'end'];

/** Which guests a scenario is for: both, unless a line `Bits: 64` or `Bits: 32` of its comment says otherwise. */
function isFor(folder: string, bits: Bits): boolean {
  const only = /^ \* Bits: (64|32)$/m.exec(readFileSync(join(scenarioFolder, folder, 'scenario.c'), 'utf8'))?.[1];
  return only === undefined || Number(only) === bits;
}

/** Folders of scenarios, sorted. One that its author has not filled yet is none. */
export const scenarios = (): string[] =>
  readdirSync(scenarioFolder)
    .filter((folder) => existsSync(join(scenarioFolder, folder, 'scenario.c')))
    .sort();

/** Every image with its scenarios, those of test/security too; throws when a folder belongs to no image. */
export function images(): Image[] {
  const folders = scenarios();
  const families = new Map(Object.entries(together).flatMap(([image, list]) => list.map((family) => [family, image])));
  const lost = folders.find((folder) => !families.has(folder.split('-')[0]!) && !/^(?:end|intel)-/.test(folder));
  if (lost) throw new Error(`test/conformance/scenarios/${lost}: its first word is no family of images.ts`);
  const all: Image[] = [];
  for (const bits of [64, 32] as const) {
    const suffix = bits === 32 ? '32' : '';
    const mine = folders.filter((folder) => isFor(folder, bits));
    for (const image of Object.keys(together)) {
      const its = mine.filter((folder) => families.get(folder.split('-')[0]!) === image);
      if (its.length > 0) all.push({ name: `${image}${suffix}`, bits, vcpus: vcpusOf[image] ?? 1, cpu: 'amd', scenarios: its });
      if (image !== 'processor') continue;
      const intels = mine.filter((folder) => folder.startsWith(`${INTEL}-`));
      all.push({ name: `${image}-${INTEL}${suffix}`, bits, vcpus: 1, cpu: INTEL, scenarios: [...its, ...intels] });
    }
    for (const folder of mine.filter((each) => each.startsWith('end-')))
      all.push({ name: `${folder}${suffix}`, bits, vcpus: 1, cpu: 'amd', scenarios: [folder] });
  }
  return [...all, ...securityImages()];
}

/** In which roles an image is run: what a processor does is the same for dom0 and domU, so Intel's is asked in one. */
export const runsAs = (image: Pick<Image, 'cpu'>, role: 'dom0' | 'domU'): boolean => image.cpu === 'amd' || role === 'dom0';
