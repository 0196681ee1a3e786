// Lines of one image from two machines, by scenario and name.
import { knownDifferences } from './known-differences.table.ts';

export interface Difference {
  readonly scenario: string;
  readonly name: string;
  readonly xen: string;
  readonly simulator: string;
  /** Why it is there and stays; null: it is not known. */
  readonly reason: string | null;
}

export interface Comparison {
  /** Lines with a value that were compared. */
  readonly compared: number;
  readonly differences: Difference[];
}

export type Role = 'dom0' | 'domU';

interface Line {
  readonly scenario: string;
  readonly name: string;
  readonly value: string;
  /** Place of the line in what was given. */
  readonly index: number;
}

/** `name = value` lines with the scenario they belong to. A name that comes again in a scenario is told apart by its count. */
export function valuesOf(lines: readonly string[]): Line[] {
  let scenario = '';
  const seen = new Map<string, number>();
  const out: Line[] = [];
  for (const [index, line] of lines.entries()) {
    const heading = /^\[(.*)\]$/.exec(line);
    if (heading) {
      scenario = heading[1]!;
      seen.clear();
      continue;
    }
    const [, name = line, value = ''] = /^(.*) =(?: (.*))?$/.exec(line) ?? [];
    const text = name.trim();
    const count = (seen.get(text) ?? 0) + 1;
    seen.set(text, count);
    out.push({ scenario, name: count > 1 ? `${text} (${count})` : text, value, index });
  }
  return out;
}

/** Compares line by line, within each scenario by name, so that a missing line does not move all others. */
export function compare(xenLines: readonly string[], simulatorLines: readonly string[], role: Role): Comparison {
  const key = ({ scenario, name }: Line) => `${scenario}\0${name}`;
  const simulator = new Map(valuesOf(simulatorLines).map((line) => [key(line), line]));
  const differences: Difference[] = [];
  const add = (line: Line, xen: string, ours: string) => {
    const known = knownDifferences.find(
      (row) =>
        row.scenario === line.scenario &&
        row.name === line.name &&
        row.xen === xen &&
        row.simulator === ours &&
        (row.role === undefined || row.role === role),
    );
    differences.push({ scenario: line.scenario, name: line.name, xen, simulator: ours, reason: known?.reason ?? null });
  };
  const xen = valuesOf(xenLines);
  for (const line of xen) {
    const ours = simulator.get(key(line));
    if (ours?.value !== line.value) add(line, line.value, ours?.value ?? '(no such line)');
    simulator.delete(key(line));
  }
  for (const line of simulator.values()) add(line, '(no such line)', line.value);
  return { compared: xen.length, differences };
}
