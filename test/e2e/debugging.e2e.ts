// What a user sees of a debug session in a real VS Code: breakpoints in the gutter, a hypercall breakpoint with a condition,
// the stack with source lines, the guest's console in a terminal, the Hypercalls view.

import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Host, startHost } from './host.ts';
import { lineOf, Workbench } from './workbench.ts';

const sample = join(import.meta.dirname, '../../samples/tinykernel');

let host: Host;
let bench: Workbench;
beforeAll(async () => {
  host = await startHost(sample);
  bench = new Workbench(host.page);
});
afterAll(async () => host?.stop());
afterEach(async (context) => {
  if (context.task.result?.state === 'fail') await host?.screenshot(`failed-${context.task.name.replaceAll(/\W+/g, '-')}`);
});

const stoppedIn = (text: string | RegExp) => bench.stackFrames.filter({ hasText: text }).first().waitFor({ timeout: 30_000 });

describe('debugging the port in VS Code', () => {
  it('takes breakpoints from the gutter of a C and an assembly file', async () => {
    await bench.openFile('xen/paging.c');
    await bench.clickGutter(lineOf(sample, 'xen/paging.c', 'table_operation(MMUEXT_PIN_L4_TABLE, kernel_l4)'));
    await bench.openFile('xen/entry.S');
    await bench.clickGutter(lineOf(sample, 'xen/entry.S', '\tcld'));
    await bench.page.locator('.codicon-debug-breakpoint').first().waitFor();
    await host.screenshot('gutter');
  });

  it('offers hypercalls as breakpoints, with a condition', async () => {
    await bench.command('Hyperport: Add Hypercall Breakpoint');
    await bench.answer('hypercall:mmuext_op.PIN_L4_TABLE');
    await bench.answer("args.uops[0].cmd == 'MMUEXT_PIN_L4_TABLE'");
  });

  it('F5 boots the port and stops at the line in C', async () => {
    await host.page.keyboard.press('F5');
    await stoppedIn('paging_init');
    await bench.variables.first().waitFor();
    await host.screenshot('stopped-in-c');
  });

  it('stops at the hypercall, with our source line in the call stack', async () => {
    await host.page.keyboard.press('F5');
    await stoppedIn('table_operation');
    await host.screenshot('stopped-at-hypercall');
    expect(await bench.stackFrames.allInnerTexts()).toEqual(expect.arrayContaining([expect.stringContaining('kernel_main')]));
  });

  it('stops at the line in assembly', async () => {
    for (let i = 0; i < 4 && !(await bench.stackFrames.filter({ hasText: 'trap_common' }).count()); i++) {
      await host.page.keyboard.press('F5');
      await bench.page.waitForTimeout(1500);
    }
    await stoppedIn(/trap_common|entry\.S/);
    await host.screenshot('stopped-in-assembly');
  });

  it('lists decoded hypercalls', async () => {
    await bench.command('Xen: Focus on Hypercalls View');
    const rows = bench.page.getByRole('treeitem', { name: /^(mmuext_op\.|update_va_mapping|set_trap_table)/ });
    await rows.first().waitFor();
    expect((await rows.first().innerText()).replaceAll('\u00a0', ' ')).toMatch(/ = 0\s*i=[0-9,]+ \w+\.[chS]:\d+/);
    await host.screenshot('hypercalls');
  });

  it("shows the guest's console in a terminal that takes input", async () => {
    await bench.command('Remove All Breakpoints');
    await host.page.keyboard.press('F5');
    await bench.command('Hyperport: Show Guest Console');
    const text = () => bench.terminalContents();
    await expect.poll(text, { timeout: 40_000 }).toContain('tinykernel>');
    await bench.typeInTerminal('help');
    await expect.poll(text, { timeout: 15_000 }).toContain('power off');
    await host.screenshot('console');
    await bench.typeInTerminal('quit');
    await expect.poll(text, { timeout: 15_000 }).toContain('tinykernel: bye');
  });

  it('stops at a refused hypercall and says why', async () => {
    await bench.toggleBreakpoint('Refused Hypercall');
    await bench.startConfiguration('tinykernel with wrong page-table entries');
    await bench.exceptionWidget.filter({ hasText: 'in use as a top-level (level 4) page table' }).waitFor({ timeout: 30_000 });
    await stoppedIn('paging_wrong_entries');
    await host.screenshot('refused');
    await bench.command('Debug: Stop');
  });

  it('reaches nothing outside 127.0.0.1', () => {
    expect(host.external).toEqual([]);
  });
});
