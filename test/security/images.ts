// The guests of the security scenarios: all of one width are linked into one image, with the library of test/conformance.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bits, Image } from '../conformance/images.ts';

export const securityFolder = dirname(fileURLToPath(import.meta.url));

export interface Scenario {
  readonly folder: string;
  /** Numbers of the advisories, as 'XSA-148'. */
  readonly advisories: readonly string[];
  readonly expected: string;
  /** The width that it is for; null for both. */
  readonly bits: Bits | null;
}

/** Every folder with a guest, by what the comment at its beginning says. */
export const scenarios = (): Scenario[] =>
  readdirSync(securityFolder)
    .filter((folder) => existsSync(join(securityFolder, folder, 'scenario.c')))
    .sort()
    .map((folder) => {
      const text = readFileSync(join(securityFolder, folder, 'scenario.c'), 'utf8');
      const field = (name: string): string => new RegExp(`^ \\* ${name}: (.+)$`, 'm').exec(text)?.[1] ?? '';
      const bits = field('Bits');
      return {
        folder,
        advisories: field('Advisory').split(', '),
        expected: field('Expected'),
        bits: bits === '64' ? 64 : bits === '32' ? 32 : null,
      };
    });

export const images = (): Image[] =>
  ([64, 32] as const).map((bits) => ({
    name: bits === 64 ? 'security' : 'security32',
    bits,
    vcpus: 1,
    cpu: 'amd' as const,
    scenarios: scenarios()
      .filter((one) => one.bits === null || one.bits === bits)
      .map(({ folder }) => `../../security/${folder}`),
  }));
