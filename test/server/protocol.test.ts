// The language server as an editor sees it: a real process over stdio, with clients of different abilities.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bundleServer, type Client, type ClientOptions, removeBundle, startClient, until } from './client.ts';

let bundle = '';
beforeAll(async () => {
  bundle = await bundleServer();
});
afterAll(() => removeBundle(bundle));

async function withClient(options: ClientOptions, test: (client: Client) => Promise<void>): Promise<void> {
  const client = await startClient(bundle, options);
  try {
    await test(client);
  } finally {
    await client.stop();
  }
}

const PULL = {
  capabilities: {
    textDocument: { diagnostic: {} },
    workspace: { configuration: true, diagnostics: { refreshSupport: true }, workspaceEdit: { documentChanges: true } },
  },
};
const URI = 'file:///src/kernel/cpu.c';
const TEXT = 'void f(void)\n{\n\tg("😀"); asm volatile("cli");\n}\n';

const open = (client: Client, text = TEXT, uri = URI, languageId = 'c') =>
  client.rpc.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId, version: 1, text } });
const change = (client: Client, version: number, changes: unknown[]) =>
  client.rpc.sendNotification('textDocument/didChange', { textDocument: { uri: URI, version }, contentChanges: changes });
const pull = async (client: Client, uri = URI) =>
  ((await client.rpc.sendRequest('textDocument/diagnostic', { textDocument: { uri } })) as { items: { code: string; range: unknown }[] })
    .items;
const at = (line: number, character: number) => ({ line, character });
const enabled = (client: Client) =>
  until(() =>
    client.notifications.some(({ method, params }) => method === 'hyperport/statusChanged' && (params as { enabled: boolean }).enabled),
  );

it('a client that cannot pull gets diagnostics pushed, with places in UTF-16, rule ids, links and severities', () =>
  withClient({}, async (client) => {
    expect(client.initializeResult.capabilities.diagnosticProvider).toBeUndefined();
    await open(client, TEXT.replace('cli', 'cli; wbinvd'));
    const { diagnostics, version } = await until(() => client.published.find(({ diagnostics: some }) => some.length > 0));
    expect(version).toBe(1);
    expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([
      ['cli', 1],
      ['wbinvd', 2],
    ]);
    expect(diagnostics[0]!.range).toEqual({ start: at(2, 24), end: at(2, 27) });
    expect(diagnostics[0]!.codeDescription).toEqual({ href: 'vscode://hyperport.hyperport/rule/cli' });
  }));

it('a client that can pull gets nothing pushed', () =>
  withClient(PULL, async (client) => {
    expect(client.initializeResult.capabilities.diagnosticProvider).toMatchObject({
      interFileDependencies: false,
      workspaceDiagnostics: true,
    });
    await enabled(client);
    await open(client);
    expect((await pull(client)).map(({ code }) => code)).toEqual(['cli']);
    await change(client, 2, [{ range: { start: at(2, 24), end: at(2, 27) }, text: 'hlt' }]);
    expect((await pull(client)).map(({ code }) => code)).toEqual(['hlt']);
    expect(client.published).toEqual([]);
  }));

it('incremental changes are followed, several in one notification too', () =>
  withClient({}, async (client) => {
    await open(client);
    await until(() => client.published.some(({ diagnostics }) => diagnostics.length === 1));
    await change(client, 2, [
      { range: { start: at(0, 0), end: at(0, 0) }, text: '#define stop() asm("hlt")\n' },
      { range: { start: at(3, 24), end: at(3, 27) }, text: 'clts' },
    ]);
    const { diagnostics } = await until(() => client.published.find(({ version }) => version === 2));
    expect(diagnostics.map(({ code, range }) => [code, range])).toEqual([
      ['hlt', { start: at(0, 20), end: at(0, 23) }],
      ['clts', { start: at(3, 24), end: at(3, 28) }],
    ]);
  }));

it('closing a file takes pushed diagnostics back', () =>
  withClient({}, async (client) => {
    await open(client);
    await until(() => client.published.some(({ diagnostics }) => diagnostics.length > 0));
    await client.rpc.sendNotification('textDocument/didClose', { textDocument: { uri: URI } });
    await until(() => client.published.at(-1)!.diagnostics.length === 0);
  }));

it('a quick fix comes as an edit of the document at its version, for the finding at the cursor only', () =>
  withClient(PULL, async (client) => {
    await enabled(client);
    await open(client, 'void f(void)\n{\n\tasm("cli");\n\tasm("sti; hlt");\n}\n');
    const actions = (line: number, context: object = { diagnostics: [] }) =>
      client.rpc.sendRequest('textDocument/codeAction', {
        textDocument: { uri: URI },
        range: { start: at(line, 7), end: at(line, 7) },
        context,
      }) as Promise<Record<string, unknown>[]>;
    const [cli, ...more] = await actions(2);
    expect(more).toEqual([]);
    expect(cli).toMatchObject({
      title: 'Mask events in vcpu_info',
      kind: 'quickfix',
      edit: {
        documentChanges: [
          {
            textDocument: { uri: URI, version: 1 },
            edits: [{ range: { start: at(2, 1), end: at(2, 12) }, newText: 'this_vcpu->evtchn_upcall_mask = 1;\n\tbarrier();' }],
          },
        ],
      },
    });
    expect((await actions(3)).map(({ title }) => title)).toEqual(['Unmask events and wait with SCHEDOP_block']);
    expect(await actions(0)).toEqual([]);
    expect(await actions(2, { diagnostics: [], only: ['refactor'] })).toEqual([]);
  }));

it('hover tells native meaning, PV meaning, replacement and hypercall signatures', () =>
  withClient(PULL, async (client) => {
    await enabled(client);
    await open(client, 'void f(long x)\n{\n\tasm("mov %0,%%cr3" :: "r"(x));\n}\n');
    const hover = (character: number) =>
      client.rpc.sendRequest('textDocument/hover', { textDocument: { uri: URI }, position: at(2, character) }) as Promise<{
        contents: { value: string };
      } | null>;
    const value = (await hover(9))!.contents.value;
    for (const part of [
      '`mov %0,%cr3`',
      '**Native:** Switches the address space',
      '**Xen PV:**',
      '**Instead:** mmuext_op MMUEXT_NEW_BASEPTR',
      'HYPERVISOR_mmuext_op(struct mmuext_op *uops',
      'vscode://hyperport.hyperport/rule/mov-to-cr3',
    ])
      expect(value).toContain(part);
    expect(await hover(2)).toBeNull();
  }));

it('assembly is told by name, other names and languages get nothing', () =>
  withClient(PULL, async (client) => {
    await enabled(client);
    const cases: [string, string, string[]][] = [
      ['file:///w/a.S', 'some-asm', ['hlt']],
      ['file:///w/a.s', 'plaintext', ['hlt']],
      ['file:///w/a.rs', 'c', []],
      ['file:///w/a.nasm', 'gas', ['hlt']],
      ['file:///w/a.asm', 'plaintext', ['hlt']],
      ['untitled:one', 'gas', ['hlt']],
      ['untitled:two', 'plaintext', []],
    ];
    for (const [uri, language, codes] of cases) {
      await open(client, '\thlt\n', uri, language);
      expect(
        (await pull(client, uri)).map(({ code }) => code),
        uri,
      ).toEqual(codes);
    }
  }));

it('hyperport.enable: auto is on with signs of a kernel, off without, and follows the setting', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-ws-'));
  const settings: Record<string, unknown> = { enable: 'auto' };
  try {
    writeFileSync(join(folder, 'main.c'), 'int main(void) { asm("cpuid"); return 0; }\n');
    await withClient({ ...PULL, folder, settings }, async (client) => {
      await until(() => client.notifications.some(({ method }) => method === 'hyperport/statusChanged'));
      expect(await client.rpc.sendRequest('hyperport/status')).toMatchObject({
        enabled: false,
        why: expect.stringContaining('no signs of a kernel'),
      });
      await open(client);
      expect(await pull(client)).toEqual([]);
      settings.enable = 'on';
      await client.rpc.sendNotification('workspace/didChangeConfiguration', { settings: null });
      await until(() => client.notifications.some(({ method }) => method === 'workspace/diagnostic/refresh'));
      expect((await pull(client)).map(({ code }) => code)).toEqual(['cli']);
    });
    settings.enable = 'auto';
    for (const [name, text, why] of [
      ['kernel.lds', 'ENTRY(start)\nSECTIONS\n{\n  . = 0x100000;\n}\n', 'kernel.lds is a linker script'],
      ['boot/head.S', 'start:\n\tlgdt gdtr\n', 'boot/head.S has lgdt or cr3'],
      ['boot/mb.S', '\t.long 0x1badb002\n', 'boot/mb.S has a multiboot header'],
      ['Kbuild', 'obj-y += a.o\n', 'Kbuild is of the kernel build system'],
      ['notes.S', 'ELFNOTE(Xen, XEN_ELFNOTE_ENTRY, .quad start)\n', 'notes.S has Xen ELF notes'],
    ] as const) {
      rmSync(folder, { recursive: true });
      mkdirSync(join(folder, 'boot'), { recursive: true });
      writeFileSync(join(folder, name), text);
      await withClient({ ...PULL, folder, settings }, async (client) => {
        await enabled(client);
        expect(await client.rpc.sendRequest('hyperport/status')).toEqual({ enabled: true, why: `auto: ${why}` });
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('the workspace is analysed on request only, with progress, and can be cancelled', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-ws-'));
  try {
    for (let i = 0; i < 300; i++) writeFileSync(join(folder, `f${i}.c`), `void f${i}(void) { asm("cli"); outb(0x20, 0x20); }\n`.repeat(20));
    writeFileSync(join(folder, 'notes.txt'), 'cli\n');
    await withClient({ folder }, async (client) => {
      await enabled(client);
      expect(client.published).toEqual([]);
      const progress: { kind: string; percentage?: number }[] = [];
      client.rpc.onNotification('$/progress', ({ value }: { value: { kind: string } }) => void progress.push(value));
      const report = await client.rpc.sendRequest('hyperport/analyseWorkspace', { workDoneToken: 'token' });
      expect(report).toEqual({
        files: 300,
        findings: 12_000,
        bySeverity: { silent: 6000, fault: 0, emulated: 0, idiom: 6000 },
        warnings: 0,
        cancelled: false,
      });
      expect(client.published.length).toBe(300);
      expect(progress[0]!.kind).toBe('begin');
      expect(progress.at(-1)!.kind).toBe('end');
      expect(progress.some(({ percentage }) => percentage === 100)).toBe(true);
    });
    await withClient({ ...PULL, folder }, async (client) => {
      await enabled(client);
      const { CancellationTokenSource } = await import('vscode-jsonrpc/node');
      const source = new CancellationTokenSource();
      const running = client.rpc.sendRequest('hyperport/analyseWorkspace', {}, source.token);
      await new Promise((next) => setTimeout(next, 60));
      source.cancel();
      expect(await running).toMatchObject({ cancelled: true });
      const all = (await client.rpc.sendRequest('hyperport/analyseWorkspace', {})) as { cancelled: boolean };
      expect(all.cancelled).toBe(false);
      const workspace = (await client.rpc.sendRequest('workspace/diagnostic', { previousResultIds: [] })) as { items: unknown[] };
      expect(workspace.items.length).toBe(300);
      expect(client.published).toEqual([]);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('without a folder the request for the workspace says what to do', () =>
  withClient({}, async (client) => {
    await expect(client.rpc.sendRequest('hyperport/analyseWorkspace', {})).rejects.toThrow(/Open the folder of the kernel/);
  }));

it('requests that come before the client has given its settings wait for them, without a refresh', () =>
  withClient({ capabilities: { textDocument: { diagnostic: {} }, workspace: { configuration: true } } }, async (client) => {
    await open(client);
    const where = { textDocument: { uri: URI }, position: at(2, 25) };
    const [items, shown, actions] = await Promise.all([
      pull(client),
      client.rpc.sendRequest('textDocument/hover', where),
      client.rpc.sendRequest('textDocument/codeAction', {
        textDocument: { uri: URI },
        range: { start: at(2, 24), end: at(2, 27) },
        context: { diagnostics: [] },
      }),
    ]);
    expect(items.map(({ code }) => code)).toEqual(['cli']);
    expect(shown).toMatchObject({ contents: { value: expect.stringContaining('`cli`') } });
    expect(actions).toHaveLength(1);
    expect(client.notifications.filter(({ method }) => method === 'workspace/diagnostic/refresh')).toEqual([]);
  }));
