// Xen's lines: what a debug build of real Xen logged for the conformance scenarios is explained line by line, and the simulator logs the same
// lines at the same places of the same guests.

import { describe, expect, test } from 'vitest';
import { explainLog } from '../../../explain/log/log.ts';
import { knownPlaces, notCompared } from './known.table.ts';
import { comparable, currentScenarios, guests, onSimulator, type Piece, readPieces, recordedImages, scenarioOf } from './lines.ts';

const recorded = recordedImages();

/** The lines of both sides that stand for themselves: dumps of registers and stacks, and what only one side can say, left out. */
const compared = ({ lines }: Piece): string[] =>
  lines.map(comparable).filter((line) => line.includes(' | ') && !(line.slice(0, line.indexOf(' | ')) in notCompared));

test('recordings: most of the images', () => expect(recorded.length).toBeGreaterThanOrEqual(21));

test.each(recorded)('%s: every line of real Xen’s is explained', (image) => {
  const text = readPieces(image).flatMap(({ lines }) => lines.map((line) => `(XEN) ${line}`));
  expect(explainLog(text.join('\n')).unread).toEqual([]);
});

describe('the simulator logs what a debug build of real Xen logs, where it does', () => {
  test.each(guests().filter(({ name }) => recorded.includes(name)))(
    '$name',
    async (image) => {
      const real = new Map(readPieces(image.name).map((piece) => [piece.place, compared(piece)]));
      const ours = new Map(onSimulator(await image.build()).map((piece) => [piece.place, compared(piece)]));
      const current = currentScenarios(image.name);
      const different = [...new Set([...real.keys(), ...ours.keys()])].flatMap((place) => {
        if (!current.has(scenarioOf(place)) && scenarioOf(place) !== 'end') return [];
        const [xen, simulator] = [real.get(place) ?? [], ours.get(place) ?? []];
        if (JSON.stringify(xen) === JSON.stringify(simulator) || `${image.name} ${place}` in knownPlaces) return [];
        return [{ place, xen, simulator }];
      });
      expect(different).toEqual([]);
    },
    60_000,
  );
});

test('nine of ten scenarios are recorded as they are now', () => {
  const all = guests().filter(({ name }) => recorded.includes(name));
  const count = all.reduce((sum, { scenarios }) => sum + scenarios.length, 0);
  const current = all.reduce((sum, { name, scenarios }) => sum + scenarios.filter((one) => currentScenarios(name).has(one)).length, 0);
  expect(current / count).toBeGreaterThanOrEqual(0.9);
});

test('what is not compared, and what differs, says why', () => {
  for (const reason of [...Object.values(notCompared), ...Object.values(knownPlaces)]) expect(reason.length).toBeGreaterThan(20);
  for (const place of Object.keys(knownPlaces)) expect(recorded).toContain(place.split(' ')[0]);
});
