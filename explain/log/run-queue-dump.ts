// The debug key r: the scheduler's run queues and what each vCPU has left of its share. Format: Xen 4.17, common/sched/{core,credit2,credit}.c.

import type { LogFact, LogLine, LogNote } from './note.ts';
import { domainText } from './words.ts';

const HEAD = /^(sched_smt_power_savings: |Scheduler: |NOW=\d+$)/;
const SCHEDULER = /^Scheduler: (.+?)(?: \((\w+)\))?$/;
const DOMAIN = /^\s+Domain: (\d+) w (\d+) c (\d+) v (\d+)/;
/** 2: [1.0] flags=20 cpu=0 credit=0 [w=256] load=19447 (~7%) — a unit is a vCPU unless Xen schedules whole cores. */
const UNIT =
  /^\s+(?:\d+|run): \[(\d+|32767)\.(\d+)\] (?:pri=-?\d+ )?flags=([0-9a-f]+) cpu=(\d+)(?: credit=(-?\d+) \[w=(\d+)(?:,cap=\d+)?\])?(?: load=\d+ \(~(\d+)%\))?/;
const CURRENT = /^CPU\[(\d+)\] current=(\S+), curr=\S+, prev=\S+/;
/** Figures of the scheduler itself. */
const REST =
  /^(Online Cpus|Cpupool \d+|Cpus:|Scheduling granularity|Active queues|\s+default-weight|Runqueue \d+|\s+(ncpus|cpus|max_weight|pick_bias|instload|aveload|idlers|tickled|fully idle cores)\b|Domain info|CPU\[\d+\] (runq|nr_run)|RUNQ|CPUs info|info:|\s+(ncpus|master|master credit|credit balance|weight|runq_sort|default-weight|tslice|ratelimit|migration delay|idlers|active units)\b|active units:)/;

export const startsRunQueueDump = (line: LogLine): boolean => HEAD.test(line.text);

/** The flags of a unit that tell a porter something (credit2). */
const FLAGS: readonly (readonly [number, string])[] = [
  [1, 'runs or is in a queue'],
  [2, 'its queue waits for it to stop'],
  [4, 'moves to another queue'],
];

export function readRunQueueDump(lines: readonly LogLine[], start: number): { note: LogNote; next: number } {
  const facts: LogFact[] = [];
  const units = new Map<string, string>();
  let next = start;
  let queued = false;
  const waiting: string[] = [];
  let running: string | null = null;
  for (; next < lines.length; next++) {
    const { text } = lines[next]!;
    const scheduler = SCHEDULER.exec(text);
    const domain = DOMAIN.exec(text);
    const unit = UNIT.exec(text);
    const current = CURRENT.exec(text);
    if (/^RUNQ:/.test(text)) queued = true;
    if (/^CPUs info/.test(text)) queued = false;
    if (scheduler) facts.push({ name: 'scheduler', value: scheduler[2] ?? scheduler[1]!, means: scheduler[1]! });
    else if (domain)
      facts.push({
        name: `domain ${domain[1]}`,
        value: text.trim(),
        means: `weight ${domain[2]}${domain[3] === '0' ? ', no cap' : `, at most ${domain[3]}% of a processor`}, ${domain[4]} vCPU${domain[4] === '1' ? '' : 's'}`,
      });
    else if (unit) {
      const name = `d${unit[1]}v${unit[2]}`;
      if (queued) waiting.push(name);
      const flags = Number.parseInt(unit[3]!, 16);
      const said = FLAGS.filter(([bit]) => flags & bit).map(([, words]) => words);
      if (!units.has(name)) {
        units.set(name, text);
        facts.push({
          name,
          value: text.trim(),
          means: [
            `vCPU ${unit[2]} of ${domainText(unit[1]!)}, on processor ${unit[4]}`,
            ...(unit[5] === undefined ? [] : [`${unit[5]} of its share left (weight ${unit[6]})`]),
            ...(unit[7] === undefined ? [] : [`busy ${unit[7]}% of late`]),
            ...(said.length || unit[5] === undefined ? said : ['sleeps']),
          ].join(', '),
        });
      }
    } else if (current) {
      running = current[2]!;
      facts.push({
        name: `processor ${current[1]}`,
        value: running,
        means: /IDLE/.test(running) ? 'runs nothing: no vCPU wanted it when the key was pressed' : `runs ${running}`,
      });
    } else if (!HEAD.test(text) && !REST.test(text)) break;
  }
  const list = [...new Set(waiting)].filter((name) => name !== running);
  return {
    note: {
      kind: 'run-queues',
      line: lines[start]!.number,
      lastLine: lines[next - 1]!.number,
      text: lines[start]!.text.trim(),
      says: `Run queues of the scheduler: ${units.size} ${units.size === 1 ? 'vCPU' : 'vCPUs'}; ${list.length ? `waiting for a processor: ${list.join(', ')}` : 'none waits for a processor'}.`,
      facts,
    },
    next,
  };
}
