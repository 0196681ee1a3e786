// The machine-host process as the editor starts it: bundled, DAP on stdin and stdout, the machine in a worker.

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encodeMessage, MessageReader } from '../../debug-adapter/framing.ts';
import { repository, tinykernel } from './client.ts';

let folder: string;
let child: ChildProcess | null = null;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hyperport-host-'));
  const common = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', absWorkingDir: repository, logLevel: 'error' } as const;
  await build({ ...common, entryPoints: ['debug-adapter/main.ts'], outfile: join(folder, 'machine-host.cjs') });
  await build({ ...common, entryPoints: ['debug-adapter/worker.ts'], outfile: join(folder, 'machine-worker.cjs') });
  copyFileSync(join(repository, 'node_modules/iced-x86/iced_x86_bg.wasm'), join(folder, 'iced_x86_bg.wasm'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  child?.kill('SIGKILL');
  child = null;
});

class HostProcess {
  readonly messages: DebugProtocol.ProtocolMessage[] = [];
  readonly exit: Promise<number | null>;
  private readonly process: ChildProcess;
  private readonly reader = new MessageReader();
  private wake: () => void = () => {};
  private seq = 1;

  constructor() {
    this.process = child = spawn(process.execPath, [join(folder, 'machine-host.cjs')], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.exit = new Promise((resolve) => this.process.on('exit', resolve));
    this.process.stdout!.on('data', (chunk: Buffer) => {
      this.messages.push(...(this.reader.push(chunk) as DebugProtocol.ProtocolMessage[]));
      this.wake();
    });
  }

  write(bytes: Uint8Array | string): void {
    this.process.stdin!.write(bytes);
  }
  hangUp(): void {
    this.process.stdin!.end();
  }

  async request(command: string, args: unknown = {}): Promise<DebugProtocol.Response> {
    const seq = this.seq++;
    this.write(encodeMessage({ seq, type: 'request', command, arguments: args }));
    return (await this.find((m) => m.type === 'response' && (m as DebugProtocol.Response).request_seq === seq)) as DebugProtocol.Response;
  }
  event = async (name: string): Promise<DebugProtocol.Event> =>
    (await this.find((m) => m.type === 'event' && (m as DebugProtocol.Event).event === name)) as DebugProtocol.Event;

  private async find(wanted: (message: DebugProtocol.ProtocolMessage) => boolean): Promise<DebugProtocol.ProtocolMessage> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const found = this.messages.findIndex(wanted);
      if (found >= 0) return this.messages.splice(found, 1)[0]!;
      if (Date.now() > deadline) throw new Error(`The message did not come; there are: ${JSON.stringify(this.messages).slice(0, 2000)}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        setTimeout(resolve, 500);
      });
    }
  }

  async launch(more: object = {}): Promise<void> {
    await this.request('initialize', { adapterID: 'hyperport' });
    const response = await this.request('launch', { program: tinykernel, ...more });
    expect(response.message).toBeUndefined();
    await this.event('initialized');
  }
}

describe('the machine-host process', () => {
  test('boots a kernel, disassembles, and ends with the session', async () => {
    const host = new HostProcess();
    await host.launch({ stopOnEntry: true });
    await host.request('configurationDone');
    await host.event('stopped');
    const disassembly = await host.request('disassemble', { memoryReference: '$rip', instructionCount: 1 });
    expect(disassembly.body.instructions[0].instruction).toBe('cld');
    await host.request('continue', { threadId: 1 });
    expect((await host.event('exited')).body.exitCode).toBe(0);
    await host.event('terminated');
    await host.request('disconnect');
    expect(await host.exit).toBe(0);
  });

  test.each(['real', 'fast'])('answers a pause within 50 ms while the guest waits for input (pace %s)', async (pace) => {
    const host = new HostProcess();
    await host.launch({ cmdline: 'interactive', pace });
    await host.request('configurationDone');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      await host.request('pause', { threadId: 1 });
      await host.event('stopped');
      times.push(performance.now() - start);
      await host.request('continue', { threadId: 1 });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    // The second best of five: the cores are shared with other tests. A slice of half a second would not pass.
    expect(times.sort((a, b) => a - b)[1]).toBeLessThan(50);
  });

  test('ends when the editor hangs up, even while the guest runs', async () => {
    const host = new HostProcess();
    await host.launch({ cmdline: 'interactive', pace: 'fast' });
    await host.request('configurationDone');
    host.hangUp();
    expect(await host.exit).toBe(0);
  });

  test('answers disconnect and ends although its worker hangs', async () => {
    const worker = join(folder, 'machine-worker.cjs');
    const real = readFileSync(worker);
    // A worker that takes messages and never answers: what an endless loop in the machine looks like from outside.
    writeFileSync(worker, "require('node:worker_threads').parentPort.on('message', () => { for (;;); });");
    try {
      const host = new HostProcess();
      expect((await host.request('disconnect')).success).toBe(true);
      expect(await host.exit).toBe(0);
    } finally {
      writeFileSync(worker, real);
    }
  });

  test('tells a bug of its worker as such and ends with code 70', async () => {
    const worker = join(folder, 'machine-worker.cjs');
    const real = readFileSync(worker);
    writeFileSync(worker, "throw new Error('on purpose');");
    try {
      const host = new HostProcess();
      expect((await host.event('output')).body.output).toContain('This is a bug of Hyperport: on purpose');
      await host.event('terminated');
      expect(await host.exit).toBe(70);
    } finally {
      writeFileSync(worker, real);
    }
  });

  test('ends with an event when the stream is no DAP', async () => {
    const host = new HostProcess();
    host.write('GET / HTTP/1.1\r\n\r\n');
    expect((await host.event('output')).body.output).toContain('no debug adapter protocol');
    await host.event('terminated');
    expect(await host.exit).toBe(2);
  });
});
