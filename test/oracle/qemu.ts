// Runs Debian's QEMU (TCG, unpacked under .cache/debian) with a serial console that can be read, typed at and waited on.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDebian } from '../../scripts/debian.mjs';
import { GdbRemote } from './gdb-remote.ts';

/** Text to type once `after` has appeared in output that follows the previous step. */
export interface Typing {
  after: string;
  text: string;
}

export interface QemuRun {
  /** Everything the serial port said, unchanged. */
  output: string;
  /** exit: QEMU ended by itself; until: the pattern appeared and QEMU was ended; timeout: neither, QEMU was ended. */
  reason: 'exit' | 'until' | 'timeout';
  /** QEMU's exit code, null when it was ended by us. */
  exitCode: number | null;
  /** What QEMU itself complained of. */
  errors: string;
  /** ms from start to the first output that matches `first` (null: never), and to the end. */
  firstMs: number | null;
  wallMs: number;
}

export interface QemuOptions {
  /** QEMU's arguments, after those that every run has. */
  args: string[];
  timeoutMs: number;
  /** Ends the run when the output matches. */
  until?: RegExp;
  /** Measures the time to this. */
  first?: RegExp;
  typing?: Typing[];
  /** Drives the machine through QEMU's gdbstub, which has it stopped before its first instruction. */
  debug?: (remote: GdbRemote) => Promise<void>;
}

/** The unpacked QEMU as a command line: its own C library's loader, module folder and firmware. */
async function qemuCommand(): Promise<{ command: string; args: string[]; env: NodeJS.ProcessEnv }> {
  const root = await ensureDebian(['qemu']);
  const libraries = [join(root, 'lib/x86_64-linux-gnu'), join(root, 'usr/lib/x86_64-linux-gnu')];
  return {
    command: join(root, 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2'),
    args: [
      ...['--library-path', libraries.join(':'), join(root, 'usr/bin/qemu-system-x86_64')],
      ...['-L', join(root, 'usr/share/seabios'), '-L', join(root, 'usr/share/qemu')],
      ...['-accel', 'tcg', '-smp', '1', '-nodefaults', '-vga', 'none', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ],
    env: { ...process.env, QEMU_MODULE_DIR: join(root, 'usr/lib/x86_64-linux-gnu/qemu') },
  };
}

/** Runs QEMU to its end, to `until`, or to the timeout, whichever comes first. */
export async function runQemu(options: QemuOptions): Promise<QemuRun> {
  const { command, args, env } = await qemuCommand();
  const folder = options.debug ? await mkdtemp(join(tmpdir(), 'hyperport-qemu-')) : null;
  const stub = folder ? ['-S', '-chardev', `socket,id=gdb0,path=${folder}/gdb,server=on,wait=off`, '-gdb', 'chardev:gdb0'] : [];
  const started = Date.now();
  // timeout(1) ends QEMU also when this process does not live to do it.
  const seconds = Math.ceil(options.timeoutMs / 1000) + 5;
  const child = spawn('timeout', ['-k', '2', String(seconds), command, ...args, ...options.args, ...stub], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const typing = [...(options.typing ?? [])];
  let output = '';
  let errors = '';
  let typedAt = 0;
  let firstMs: number | null = null;
  let reason: QemuRun['reason'] = 'exit';
  const end = (why: 'until' | 'timeout') => {
    if (reason === 'exit' && child.exitCode === null) {
      reason = why;
      child.kill('SIGTERM');
    }
  };
  const timer = setTimeout(() => end('timeout'), options.timeoutMs);
  child.stdin.on('error', () => {});
  child.stderr.on('data', (data) => {
    errors += data;
  });
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString('latin1');
    if (firstMs === null && options.first?.test(output)) firstMs = Date.now() - started;
    const next = typing[0];
    const seen = next ? output.indexOf(next.after, typedAt) : -1;
    if (next && seen >= 0) {
      typedAt = seen + next.after.length;
      typing.shift();
      child.stdin.write(next.text);
    }
    if (options.until?.test(output)) end('until');
  });
  const ended = new Promise<number | null>((done, failed) => {
    child.on('error', failed);
    child.on('close', done);
  });
  try {
    if (folder && options.debug) {
      const remote = await GdbRemote.connect(join(folder, 'gdb'));
      await options.debug(remote).finally(() => remote.close());
    }
  } catch (error) {
    child.kill('SIGTERM');
    await ended;
    throw error;
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
  const exitCode = await ended;
  clearTimeout(timer);
  return { output, errors, reason, exitCode, firstMs, wallMs: Date.now() - started };
}
