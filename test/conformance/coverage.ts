// Which hypercalls the scenarios made and what came back: pairs of operation and outcome, taken from the simulator's own trace.
import { errnoName } from '../../abi/errno.ts';
import { hypercalls } from '../../abi/hypercalls.ts';
import type { SimulatorRun } from '../oracle/simulator.ts';

export interface Outcome {
  readonly operation: string;
  /** '0', 'a value', or an errno with its sign. */
  readonly outcome: string;
  readonly scenario: string;
  /** Not carried out by the simulator: real Xen may know it. */
  readonly unimplemented: boolean;
}

/** Marks in a run: hypercalls belong to the line that is printed after them. */
export interface MarkedRun {
  readonly run: SimulatorRun;
  /** For each hypercall, how many characters of console output there were. */
  readonly consoleAt: readonly number[];
}

function outcomeOf(ret: number | null): string {
  if (ret === null) return 'no return';
  if (ret === 0) return '0';
  return ret < 0 && ret > -4096 ? `-${errnoName(ret) ?? -ret}` : 'a value';
}

/** Pairs of every hypercall but the output's own, with the scenario that made it. */
export function outcomesOf({ run, consoleAt }: MarkedRun): Outcome[] {
  const headings = [...run.console.matchAll(/^\[(.*)\]\r?$/gm)];
  const out: Outcome[] = [];
  for (const [n, call] of run.hypercalls.entries()) {
    const at = consoleAt[n]!;
    const scenario = headings.filter((heading) => heading.index < at).at(-1)?.[1];
    if (scenario === undefined) continue;
    const operation = call.operation ? `${call.name}.${call.operation}` : call.name;
    out.push({ operation, outcome: outcomeOf(call.ret), scenario, unimplemented: call.unimplemented === true });
  }
  return out;
}

/** One row for each row of the hypercall tables: the outcomes seen, and by which scenarios. */
export function coverage(outcomes: readonly Outcome[]): { operation: string; outcomes: string[]; scenarios: string[] }[] {
  return hypercalls().flatMap((call) => {
    const names = call.operations ? call.operations.list.map((operation) => `${call.name}.${operation.name}`) : [call.name];
    return names.map((operation) => {
      const seen = outcomes.filter((one) => one.operation === operation);
      return {
        operation,
        outcomes: [...new Set(seen.map((one) => one.outcome))].sort(),
        scenarios: [...new Set(seen.map((one) => one.scenario))].sort(),
      };
    });
  });
}
