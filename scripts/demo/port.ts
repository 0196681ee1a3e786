// Part 2 of the demo: the port boots on the simulator, stops at a hypercall, makes a mistake that is explained, and ends.

import { relative } from 'node:path';
import { openMachine, type RunOutcome, runOn, runTo } from '../../host/scripted-run.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';

const PORT = 'samples/tinykernel/prebuilt/tinykernel-xen.elf';
const FIRST_STOP = 'hypercall:mmuext_op.PIN_L4_TABLE';
/** Rows of the trace summary. */
const SHOWN = 10;

type Stopped = Extract<RunOutcome, { kind: 'stopped' }>;

export async function showPort(root: string): Promise<void> {
  const host = openMachine({ program: `${root}/${PORT}`, cmdline: 'wrong-pte' }, { cwd: root });
  const calls: Extract<TraceRecord, { kind: 'hypercall' }>[] = [];
  host.machine.subscribe(['hypercall'], (record) => {
    if (record.kind === 'hypercall') calls.push(record);
  });
  let atLineStart = true;
  host.observe({
    console: (_domain, bytes) => {
      for (const part of new TextDecoder().decode(bytes).split(/(?<=\n)/)) {
        process.stdout.write(atLineStart ? `  | ${part}` : part);
        atLineStart = part.endsWith('\n');
      }
    },
  });

  console.log(`\n== ${PORT} as domU with 64 MB, to ${FIRST_STOP}\n`);
  const pin = stopped(await runTo(host, FIRST_STOP), FIRST_STOP);
  console.log(`\n${pin.words?.text ?? FIRST_STOP} The stack:`);
  for (const frame of pin.stack) {
    const place = frame.file === null ? `0x${frame.pc.toString(16)}` : `${relative(root, frame.file)}:${frame.line}`;
    console.log(`  ${frame.name.padEnd(34)} ${place}${frame.inlined ? ' (inlined)' : ''}`);
  }

  console.log('\n== on, to the first hypercall that Xen refuses (the command line has wrong-pte)\n');
  const refused = stopped(await runTo(host, 'hypercall:*', { condition: 'ret < 0 && reason != null' }), 'a refused hypercall');
  console.log(`\n${(refused.words?.console ?? '').replaceAll(`${root}/`, '')}`);

  console.log('\n== on, to the end\n');
  const end = await runOn(host);
  host.run.end();
  if (end.kind !== 'ended' || end.ending.exitCode !== 0) throw new Error('the port did not switch itself off');
  console.log(`\n${end.ending.text}`);
  summary(calls, host.machine.icount());
}

function stopped(outcome: RunOutcome, where: string): Stopped {
  if (outcome.kind === 'stopped') return outcome;
  throw new Error(`the port ended before ${where}: ${outcome.ending.text}`);
}

function summary(calls: readonly Extract<TraceRecord, { kind: 'hypercall' }>[], instructions: number): void {
  const byName = new Map<string, { count: number; refused: number }>();
  for (const { name, operation, reason } of calls) {
    const key = operation === null ? name : `${name}.${operation}`;
    const row = byName.get(key) ?? { count: 0, refused: 0 };
    byName.set(key, { count: row.count + 1, refused: row.refused + (reason === null ? 0 : 1) });
  }
  const rows = [...byName].sort((a, b) => b[1].count - a[1].count);
  console.log(`\nThe trace: ${calls.length} hypercalls of ${rows.length} kinds in ${instructions.toLocaleString('en-US')} instructions`);
  for (const [name, { count, refused }] of rows.slice(0, SHOWN)) {
    console.log(`  ${String(count).padStart(5)} ${name}${refused > 0 ? ` (${refused} refused)` : ''}`);
  }
  if (rows.length > SHOWN) console.log(`        and ${rows.length - SHOWN} more`);
}
