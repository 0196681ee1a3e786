// Everything live: each image on real Xen and on the simulator, in both roles. The body of `npm run conformance`.

import { buildImage } from './build.ts';
import { compare, type Role } from './compare.ts';
import { coverage, type Outcome, outcomesOf } from './coverage.ts';
import { type Bits, images } from './images.ts';
import { type Recorded, readRecording, writeRecording } from './recording.ts';
import { onSimulator, onXen, onXenAsDomU } from './run.ts';

export interface Options {
  /** Write what real Xen printed to recorded/. */
  readonly record: boolean;
  /** Take what real Xen printed from recorded/ instead of starting it. */
  readonly offline: boolean;
  /** Print the whole coverage table. */
  readonly coverage: boolean;
  readonly print: (line: string) => void;
}

/** Answers the figures; prints differences, coverage and the count. */
export async function conformance({ record, offline, coverage: table, print }: Options): Promise<{ passed: number; failed: number }> {
  const built: { name: string; bits: Bits; elf: string }[] = [];
  for (const image of images()) built.push({ name: image.name, bits: image.bits, elf: await buildImage(image) });
  const outcomes: Outcome[] = [];
  const failedScenarios = new Set<string>();
  let compared = 0;
  let known = 0;
  let unknown = 0;
  for (const role of ['dom0', 'domU'] as const satisfies Role[]) {
    const real: Record<string, Recorded | null> = {};
    for (const bits of offline || role === 'dom0' ? [] : ([64, 32] as const)) {
      const mine = built.filter((image) => image.bits === bits);
      Object.assign(real, await onXenAsDomU(mine, bits));
    }
    for (const { name, bits, elf } of built) {
      const xen = offline ? readRecording(name, role) : role === 'dom0' ? await onXen(elf, bits) : real[name]!;
      if (!xen) throw new Error(`recorded/${name}-${role}.txt is missing: run npm run conformance -- --record`);
      if (record) writeRecording(name, role, xen);
      const ours = onSimulator(elf, role);
      const result = compare(xen.lines, ours.lines, role);
      compared += result.compared;
      outcomes.push(...outcomesOf(ours));
      if (xen.end !== ours.end && !(xen.end === 'none' && ours.end === 'crash')) {
        unknown++;
        print(`${role} ${name}: ends as ${xen.end} on real Xen, as ${ours.end} on the simulator`);
      }
      for (const one of result.differences) {
        if (one.reason) {
          known++;
          continue;
        }
        unknown++;
        failedScenarios.add(`${role} ${one.scenario}`);
        print(`${role} [${one.scenario}] ${one.name}: Xen ${one.xen}, simulator ${one.simulator}`);
      }
    }
  }
  const rows = coverage(outcomes);
  const covered = rows.filter((row) => row.outcomes.length > 0);
  if (table) for (const row of covered) print(`${row.operation}: ${row.outcomes.join(' ')} (${row.scenarios.join(', ')})`);
  print(`not covered: ${rows.flatMap((row) => (row.outcomes.length === 0 ? [row.operation] : [])).join(' ')}`);
  print(`the simulator does not carry out: ${[...new Set(outcomes.flatMap((o) => (o.unimplemented ? [o.operation] : [])))].join(' ')}`);
  const pairs = new Set(outcomes.map((one) => `${one.operation} ${one.outcome}`)).size;
  print(`${compared} lines compared, ${unknown} differ, ${known} known differences`);
  print(`${covered.length} of ${rows.length} rows of the hypercall tables are called, ${pairs} pairs of operation and outcome`);
  return { passed: pairs, failed: unknown };
}
