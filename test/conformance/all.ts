// Everything: each image on real Xen (or what was kept of it) and on the simulator, in both roles. The body of `npm run conformance`.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildImage } from './build.ts';
import { compare, type Role } from './compare.ts';
import { figuresOf, type Proof, proofsOf, rows } from './coverage.ts';
import { type Image, images, runsAs } from './images.ts';
import { documentedOf, hypercallPage, unexplained } from './page.ts';
import { type Recorded, readRecording, writeRecording } from './recording.ts';
import { onSimulator, onXen, onXenAsDomU } from './run.ts';
import { unreachable } from './unreachable.table.ts';

export interface Options {
  /** Write what real Xen printed to recorded/. */
  readonly record: boolean;
  /** Take what real Xen printed from recorded/ instead of starting it. */
  readonly offline: boolean;
  /** Print the outcomes and scenarios of each row. */
  readonly coverage: boolean;
  /** Write docs/hypercalls.md. */
  readonly page: boolean;
  readonly print: (line: string) => void;
}

interface Built extends Image {
  readonly elf: string;
}

/** The page that is made from the recordings. */
export const pagePath = fileURLToPath(new URL('../../docs/hypercalls.md', import.meta.url));

/** What real Xen printed in one role, by image. */
async function realOf(built: readonly Built[], role: Role, offline: boolean): Promise<Map<string, Recorded>> {
  const found = new Map<string, Recorded>();
  if (!offline && role === 'domU') {
    for (const bits of [64, 32] as const) {
      const runs = await onXenAsDomU(
        built.filter((image) => image.bits === bits),
        bits,
      );
      for (const [name, run] of Object.entries(runs)) found.set(name, run);
    }
    return found;
  }
  for (const { name, ...image } of built) {
    const run = offline ? readRecording(name, role) : await onXen(image);
    if (!run) throw new Error(`recorded/${name}-${role}.txt is missing: run npm run conformance -- --record`);
    found.set(name, run);
  }
  return found;
}

/** Answers the figures: pairs of row and outcome in which the simulator agrees with real Xen, and what differs. Prints differences and coverage. */
export async function conformance({ record, offline, coverage, page, print }: Options): Promise<{ passed: number; failed: number }> {
  const built: Built[] = [];
  for (const image of images()) built.push({ ...image, elf: await buildImage(image) });
  const proofs: Proof[] = [];
  let [compared, known, unknown, elsewhere] = [0, 0, 0, 0];
  for (const role of ['dom0', 'domU'] as const) {
    const mine = built.filter((image) => runsAs(image, role));
    const real = await realOf(mine, role, offline);
    for (const { name, bits, elf, ...image } of mine) {
      const xen = real.get(name)!;
      if (record) writeRecording(name, role, xen);
      const ours = onSimulator(elf, role, image);
      const { differences, ...result } = compare(xen.lines, ours.lines, role);
      const found = proofsOf(ours, xen, bits, role);
      proofs.push(...found);
      compared += result.compared;
      // A domain that Xen's watchdog ends does not end the machine as the harness sees it.
      if (xen.end !== ours.end && xen.end !== 'none') {
        elsewhere++;
        print(`${role} ${name}: ends as ${xen.end} on real Xen, as ${ours.end} on the simulator`);
      }
      const failing = differences.filter(({ reason }) => reason === null);
      known += differences.length - failing.length;
      unknown += failing.length;
      elsewhere += Math.max(0, failing.length - found.filter(({ simulator }) => simulator === 'different').length);
      for (const one of failing) print(`${role} ${name} [${one.scenario}] ${one.name}: Xen ${one.xen}, simulator ${one.simulator}`);
    }
  }
  const figures = figuresOf(proofs);
  if (coverage) for (const row of rows()) print(rowLine(row, proofs));
  for (const bits of [64, 32] as const) {
    const missing = figures.missing[bits].filter((row) => !unreachable[row]?.[bits]);
    print(`${figures.called[bits]} of ${figures.rows} rows are called by a ${bits}-bit domU; not called: ${missing.join(' ') || 'none'}`);
  }
  const pairs = documentedOf(proofs);
  const unseen = pairs.filter(({ seen, unreachable: why }) => !seen && why === null);
  print(
    `${pairs.length} (row, errno) pairs are named by the public headers: ${pairs.filter(({ seen }) => seen).length} seen on real Xen, ${pairs.filter(({ seen, unreachable: why }) => !seen && why !== null).length} unreachable with a reason, missing: ${unseen.map(({ row, errno }) => `${row} ${errno}`).join(', ') || 'none'}`,
  );
  print(`rows without a scenario that succeeds and without a reason: ${unexplained(proofs, rows()).join(' ') || 'none'}`);
  print(`${compared} lines compared, ${unknown} differ, ${known} are known to`);
  if (page) {
    writeFileSync(pagePath, hypercallPage(proofs));
    print(`wrote ${pagePath}`);
  }
  return { passed: figures.pairs - figures.failed, failed: figures.failed + elsewhere };
}

function rowLine(row: string, proofs: readonly Proof[]): string {
  const mine = proofs.filter(({ operation }) => operation === row);
  const outcomes = [...new Set(mine.map(({ outcome }) => outcome))].sort();
  return `${row}: ${outcomes.join(' ')} (${[...new Set(mine.map(({ scenario }) => scenario))].sort().join(', ')})`;
}
