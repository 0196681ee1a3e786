// What a user sees of the analysis in a real VS Code: squiggles in C and assembly, a quick fix that is saved, the picker.

import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Host, startHost } from './host.ts';
import { eventually, lineOf, Workbench } from './workbench.ts';

const sample = join(import.meta.dirname, '../../samples/tinykernel');

let host: Host;
let bench: Workbench;
beforeAll(async () => {
  host = await startHost(sample);
  bench = new Workbench(host.page);
  copyFileSync(join(import.meta.dirname, '../explain/logs/debug-keys.txt'), join(host.workspace, 'xen.log'));
});
afterAll(async () => host?.stop());
afterEach(async (context) => {
  if (context.task.result?.state === 'fail') await host?.screenshot(`failed-${context.task.name.replaceAll(/\W+/g, '-')}`);
});

describe('the analyser in VS Code', () => {
  it('underlines privileged instructions in an assembly file', async () => {
    await bench.openFile('native/entry.S');
    await bench.goToLine(lineOf(sample, 'native/entry.S', 'iretq'));
    await bench.squiggles.first().waitFor({ timeout: 30_000 });
    await host.screenshot('squiggles-assembly');
  });

  it('underlines inline assembly in a C file and says what to do', async () => {
    await bench.openFile('native/idt.c');
    await bench.goToLine(lineOf(sample, 'native/idt.c', 'idt_pointer.limit ='));
    await bench.errors.first().waitFor();
    await host.page.keyboard.press('F8');
    await bench.markerText.filter({ hasText: 'set_trap_table' }).first().waitFor();
    await host.screenshot('squiggles-c');
    await host.page.keyboard.press('Escape');
  });

  it('applies a quick fix, which is saved and removes its squiggle', async () => {
    await host.page.keyboard.press('Control+.');
    await bench.quickFixes.first().waitFor();
    await host.screenshot('quick-fix');
    await bench.quickFixes.filter({ hasText: 'set_trap_table' }).first().click();
    await bench.line('HYPERVISOR_set_trap_table').first().waitFor();
    await host.page.keyboard.press('Control+S');
    const path = join(host.workspace, 'native/idt.c');
    await eventually('the fix is on disk', () => readFileSync(path, 'utf8').includes('HYPERVISOR_set_trap_table'));
    expect(readFileSync(path, 'utf8')).not.toContain('lidt');
    await eventually('its squiggle is gone', async () => (await bench.errors.count()) === 0);
    await host.screenshot('quick-fix-applied');
  });

  it('analyses the whole workspace when asked', async () => {
    await bench.command('Hyperport: Analyse Workspace');
    await bench.notification(/findings in \d+ files/).waitFor({ timeout: 30_000 });
    await bench.command('Problems: Focus on Problems View');
    await bench.problems.filter({ hasText: 'boot.S' }).first().waitFor();
    await host.screenshot('problems');
  });

  it('explains an open log of Xen’s beside it, with the kernel of launch.json', async () => {
    await bench.openFile('xen.log');
    await bench.command('Hyperport: Explain Xen Log');
    await host.page.locator('.tab', { hasText: 'Xen log 1' }).waitFor();
    expect(await bench.pageHeading.innerText()).toBe('Xen log, explained');
    await bench.pageText(/echo at samples\/tinykernel\/xen\/shell\.c:\d+/).waitFor();
    await host.screenshot('explain-log');
    await bench.command('View: Close All Editors');
  });

  it('opens a rule page offline', async () => {
    await bench.command('Hyperport: Open Rule Page');
    await bench.answer('mov-to-cr3');
    await host.page.locator('.tab', { hasText: 'mov-to-cr3' }).waitFor();
    expect(await bench.pageHeading.innerText()).toMatch(/CR3/i);
    await host.screenshot('rule-page');
  });

  it('reaches nothing outside 127.0.0.1', () => {
    expect(host.external).toEqual([]);
  });
});
