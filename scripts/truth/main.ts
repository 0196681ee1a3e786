// `npm run truth`: how much of what real binaries execute the analyser finds in their sources. One line a tree; see test/truth/README.md.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measure, type Report } from './measure.ts';
import { truthOf } from './sites.ts';
import { SourceText } from './source-text.ts';
import { grubPc } from './trees/grub.ts';
import { linux } from './trees/linux.ts';
import { seabios } from './trees/seabios.ts';
import { syslinux } from './trees/syslinux.ts';
import { tinykernel } from './trees/tinykernel.ts';
import { xen } from './trees/xen.ts';

export const TREES = [tinykernel, seabios, grubPc, syslinux, xen, linux];

const percent = (found: number, all: number): string => (all === 0 ? '100.00' : ((100 * found) / all).toFixed(2));

const lineOf = ({ name, sites, sitesFound, calls, callsFound, findings }: Report): string =>
  `${name} sites=${sites} found=${sitesFound} recall=${percent(sitesFound, sites)}% callsites=${calls} found=${callsFound} callrecall=${percent(callsFound, calls)}% findings=${findings}`;

/** Measures the named trees, prints a line for each, and writes what was found of each into `out`. */
export async function run(root: string, names: readonly string[], out: string, say: (line: string) => void): Promise<Report[]> {
  const reports: Report[] = [];
  for (const maker of TREES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const cache = join(root, '.cache', 'truth');
    mkdirSync(cache, { recursive: true });
    const tree = await maker.make(root, cache, say);
    const source = new SourceText(tree.root, tree.read ?? (() => true));
    const truth = await truthOf(tree, source);
    const report = await measure(tree, source, truth);
    mkdirSync(out, { recursive: true });
    writeFileSync(join(out, `${tree.name}.json`), `${JSON.stringify(report, null, 1)}\n`);
    say(lineOf(report));
    reports.push(report);
  }
  return reports;
}
