// Feature names in a FEATURES note or string, and feature bits of SUPPORTED_FEATURES.

import { FEATURES } from './notes.table.ts';

const nameOf = (bit: number): string => FEATURES.find((feature) => feature.bit === bit)?.name ?? `bit ${bit}`;

/**
 * Reads 'a|!b|c' into the two sets as Xen does: unknown names are skipped, an unknown required one stops the reading.
 * @returns the unknown required name, or null.
 */
export function readFeatureString(text: string, supported: Set<number>, required: Set<number>): string | null {
  for (const part of text.split('|')) {
    const must = part.startsWith('!');
    const name = must ? part.slice(1) : part;
    const feature = FEATURES.find((candidate) => candidate.inString && candidate.name === name);
    if (!feature) {
      if (must) return name;
      continue;
    }
    supported.add(feature.bit);
    if (must) required.add(feature.bit);
  }
  return null;
}

/** Names in a FEATURES string that Xen does not know (and ignores). */
export const unknownFeatures = (text: string): readonly string[] =>
  text.split('|').filter((part) => part !== '' && !part.startsWith('!') && !FEATURES.some((f) => f.inString && f.name === part));

export const featureBits = (value: bigint): readonly number[] =>
  Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => (value >> BigInt(bit)) & 1n);

export const describeBits = (value: bigint): string => featureBits(value).map(nameOf).join(', ') || 'none';

export const describeFeatureString = (text: string): string =>
  text
    .split('|')
    .map((part) => (part.startsWith('!') ? `${part.slice(1)} (required)` : part))
    .join(', ');
