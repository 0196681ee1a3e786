// GNU Mach as Debian 12 ships it for Xen (64 bit, gzip, legacy __xen_guest string, hypercall page by page number). On real Xen it
// dies: with its own page tables in use it stores into one of them directly. Oracle: the calls with their results, the fault and the
// instruction count recorded on real Xen 4.17.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { explainRefusal } from '../../explain/refusal.ts';
import { parseElf } from '../../image/elf/parse.ts';
import { Symbolizer } from '../../image/symbolizer.ts';
import { ensureDebian } from '../../scripts/debian.mjs';
import { configOf, runSession, type Session } from './run.ts';

const PACKAGE = 'gnumach-image-1.8-xen-486';
/** Call, result, count. */
const RECORDED: Readonly<Record<string, number>> = {
  'set_callbacks 0': 1,
  'update_va_mapping 0': 134,
  'vm_assist.enable 0': 2,
  'mmuext_op.PIN_L1_TABLE 0': 112,
  'mmu_update.NORMAL_PT_UPDATE 0': 121,
  'mmuext_op.NEW_BASEPTR 0': 1,
  'mmuext_op.UNPIN_TABLE 0': 1,
  'memory_op.decrease_reservation 1': 9,
  'update_descriptor 0': 4,
  'set_gdt 0': 1,
  'set_trap_table 0': 1,
  'mmuext_op.SET_LDT 0': 1,
  'stack_switch 0': 1,
  'sched_op_compat.shutdown 0': 1,
};
const FAULT = { vector: 14, error: '0x3', address: '0x400cd000', rip: '0x4000524c', refusal: { rule: 'store-to-page-table' } };
/** Level of the table that it stores into. */
const TABLE_LEVEL = 2;
/** By the -dbg package (addr2line says the same: hyp_free_page, inlined). */
const SOURCE_LINE = 251;
/** At the fault. The recording counts whole translation blocks, those of executions that were restarted too. */
const RECORDED_INSTRUCTIONS = 1_554_810;
const RECORDED_TOO_MANY = 10;

describe('GNU Mach 1.8 of Debian 12', () => {
  let session: Session;
  beforeAll(async () => {
    const image = join(await ensureDebian([PACKAGE]), 'boot/gnumach-1.8-xen-486.gz');
    if (!existsSync(image)) throw new Error(`${PACKAGE} has no ${image}`);
    session = runSession(configOf(readFileSync(image)), { kinds: ['hypercall', 'exception'], limit: 5_000_000 });
  });

  test('makes the calls that it makes on real Xen, with the same results', () => {
    const counts: Record<string, number> = {};
    for (const r of session.records) {
      if (r.kind !== 'hypercall') continue;
      const key = `${r.name}${r.operation ? `.${r.operation}` : ''} ${r.ret}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
    expect(counts).toEqual(RECORDED);
  });

  test('faults at the same store, after as many instructions (within what the recording counts too many), and the fault says that it hit a page table', () => {
    const faults = session.records.filter((r) => r.kind === 'exception');
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatchObject(FAULT);
    expect(RECORDED_INSTRUCTIONS - faults[0]!.icount).toBeGreaterThanOrEqual(0);
    expect(RECORDED_INSTRUCTIONS - faults[0]!.icount).toBeLessThan(RECORDED_TOO_MANY);
  });

  test('the fault names the frame, its type, both reasons, and the line of the source', async () => {
    const fault = session.records.find((r) => r.kind === 'exception')!;
    const refusal = fault.kind === 'exception' ? fault.refusal! : null;
    expect(refusal!.facts).toMatchObject({ assist: false, level: TABLE_LEVEL, frame: { type: `l${TABLE_LEVEL}` } });
    expect(explainRefusal(refusal!).summary).toMatch(
      /the domain never enabled the writable_pagetables assist; enabling it would not help: Xen emulates stores into level 1 tables only, and this is one of level \d/,
    );
    const debug = join(await ensureDebian([`${PACKAGE}-dbg`]), 'boot/gnumach-1.8-xen-486-dbg.gz');
    const symbolizer = new Symbolizer(parseElf(gunzipSync(readFileSync(debug))));
    const line = symbolizer.lineAt(BigInt(FAULT.rip));
    expect([symbolizer.functionAt(BigInt(FAULT.rip))?.name, line?.file.split('/').at(-1), line?.line]).toEqual([
      'i386at_init',
      'xen.h',
      SOURCE_LINE,
    ]);
  });

  test('ends as its fault handler ends it: with a shutdown', () => {
    expect(session.result).toMatchObject({ kind: 'ended', ending: { kind: 'crash' } });
  });
});
