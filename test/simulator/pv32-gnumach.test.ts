// GNU Mach for 32-bit (PAE) Xen guests: that of Debian 11 boots until it misses its bootstrap code; that of Debian 12 dies on real Xen,
// as it stores into a page directory in use. Oracle: calls with results, console, fault and instruction counts recorded on real
// Xen 4.17 built with PV32.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseElf } from '../../image/elf/parse.ts';
import { Symbolizer } from '../../image/symbolizer.ts';
import { otherDebian } from '../../scripts/debian.mjs';
import { configOf, runSession, type Session } from './run.ts';

const PACKAGE = 'gnumach-image-1.8-xen-486';
const KINDS = ['hypercall', 'exception', 'undecoded'] as const;

async function image(suite: string): Promise<Uint8Array> {
  return readFileSync(join(await otherDebian(PACKAGE, { suite, architecture: 'i386' }), 'boot/gnumach-1.8-xen-486.gz'));
}

/** How often each call was made and with what result. */
function counted(session: Session): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const r of session.records) {
    if (r.kind !== 'hypercall') continue;
    const key = `${r.name}${r.operation ? `.${r.operation}` : ''} ${r.ret}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** The same in both releases until the kernel runs on its own tables. */
const START = {
  'set_callbacks 0': 1,
  'vm_assist.enable 0': 2,
  'mmuext_op.PIN_L1_TABLE 0': 112,
  'mmuext_op.UNPIN_TABLE 0': 1,
  'update_descriptor 0': 4,
  'set_gdt 0': 1,
  'set_trap_table 0': 1,
};

describe('GNU Mach of Debian 11, 32 bit', () => {
  let session: Session;
  beforeAll(async () => {
    session = runSession(configOf(await image('bullseye')), { kinds: KINDS, limit: 40_000_000 });
  });

  test('boots to the panic that it ends with on real Xen', () => {
    const lines = session.console.split('\r').join('').trimEnd().split('\n');
    expect(lines[0]).toBe('GNU Mach 1.8+git20201129-xen-486');
    expect(lines[1]).toBe('Running on xen-3.0-x86_32p.');
    expect(lines).toContain("hd: No block device (ENOENT). Hoping you don't need any");
    expect(lines.at(-1)).toBe('panic ../kern/bootstrap.c:165: bootstrap_create: No bootstrap code loaded with the kernel!');
    expect(session.result).toMatchObject({ kind: 'ended', ending: { kind: 'crash' } });
  });

  test('makes the calls that it makes on real Xen, with the same results', () => {
    const counts = counted(session);
    // Their number follows the clock.
    delete counts['set_timer_op 0'];
    expect(counts).toEqual({
      ...START,
      'update_va_mapping 0': 132,
      'mmu_update.NORMAL_PT_UPDATE 0': 463,
      'mmuext_op.NEW_BASEPTR 0': 3,
      'memory_op.decrease_reservation 1': 9,
      'mmuext_op.SET_LDT 0': 2,
      'stack_switch 0': 2,
      'event_channel_op_compat.send 0': SENDS,
      'event_channel_op_compat.bind_virq 0': 2,
      'fpu_taskswitch 0': 4,
      'grant_table_op.setup_table 0': 1,
      'set_debugreg 0': 5,
      'sched_op_compat.yield 0': 2,
      'sched_op_compat.shutdown 0': 1,
    });
  });

  test('meets no exception and nothing that the simulator lacks', () => {
    expect(session.records.filter((r) => r.kind !== 'hypercall')).toEqual([]);
  });
});

describe('GNU Mach of Debian 12, 32 bit', () => {
  let session: Session;
  beforeAll(async () => {
    session = runSession(configOf(await image('bookworm')), { kinds: KINDS, limit: 5_000_000 });
  });

  test('makes the calls that it makes on real Xen, with the same results', () => {
    expect(counted(session)).toEqual({
      ...START,
      'update_va_mapping 0': 128,
      'mmu_update.NORMAL_PT_UPDATE 0': 117,
      'mmuext_op.NEW_BASEPTR 0': 1,
      'memory_op.decrease_reservation 1': 8,
      'mmuext_op.SET_LDT 0': 1,
      'stack_switch 0': 1,
      'sched_op_compat.shutdown 0': 1,
    });
  });

  test('faults at the store into its page directory, which the fault names with its type', () => {
    const faults = session.records.filter((r) => r.kind === 'exception');
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject({
      vector: 14,
      error: '0x3',
      refusal: { rule: 'store-to-page-table', facts: { frame: { type: 'l2' } } },
    });
  });

  test('the line of the source is that of the store into the page directory', async () => {
    const fault = session.records.find((r) => r.kind === 'exception')!;
    const folder = await otherDebian(`${PACKAGE}-dbg`, { suite: 'bookworm', architecture: 'i386' });
    const symbolizer = new Symbolizer(parseElf(gunzipSync(readFileSync(join(folder, 'boot/gnumach-1.8-xen-486-dbg.gz')))));
    const rip = BigInt(fault.rip!);
    const line = symbolizer.lineAt(rip);
    expect([symbolizer.functionAt(rip)?.name, line?.file.split('/').at(-1), line?.line]).toEqual([
      'i386at_init',
      'model_dep.c',
      SOURCE_LINE,
    ]);
  });

  test('ends after as many instructions as on real Xen, within what the recording counts too many', () => {
    expect(session.result).toMatchObject({ kind: 'ended', ending: { kind: 'crash' } });
    // The recording counts whole translation blocks, those of executions that were restarted too.
    const expected = RECORDED_INSTRUCTIONS + FOR_RF;
    expect(expected - session.machine.icount()).toBeGreaterThanOrEqual(0);
    expect(expected - session.machine.icount()).toBeLessThan(RECORDED_TOO_MANY);
  });
});

const RECORDED_INSTRUCTIONS = 1_671_835;
const RECORDED_TOO_MANY = 20;
/** The kernel prints the fault's saved flags: with RF, which QEMU's processor does not save, they have two more digits. */
const FOR_RF = 180;
/** addr2line's answer for the store. */
const SOURCE_LINE = 545;
/** One for each piece of output. */
const SENDS = 612;
