// Debian's qemu-system-x86_64 as a peer: TCG in one thread, the workload under guest/machine.c, the vCPU's thread timed.

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDebian } from '../../debian.mjs';
import { measured, type Peer, type PeerRun, ThreadClock } from './peer.ts';
import { SerialConversation } from './serial.ts';

/** QEMU's own arguments, the same for every run. */
const MACHINE = [
  ...['-accel', 'tcg,thread=single', '-smp', '1', '-cpu', 'qemu64', '-m', '128', '-nodefaults', '-vga', 'none', '-display', 'none'],
  ...['-no-reboot', '-monitor', 'none', '-serial', 'stdio', '-name', 'bench,debug-threads=on'],
];

export interface QemuPeer extends Peer {
  readonly commandLine: string;
}

async function start(kernel: string, extra: readonly string[]) {
  const root = await ensureDebian(['qemu']);
  const libraries = [join(root, 'lib/x86_64-linux-gnu'), join(root, 'usr/lib/x86_64-linux-gnu')];
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-bench-'));
  const pidFile = join(folder, 'pid');
  const loader = [join(libraries[0]!, 'ld-linux-x86-64.so.2'), '--library-path', libraries.join(':')];
  const firmware = ['-L', join(root, 'usr/share/seabios'), '-L', join(root, 'usr/share/qemu')];
  const command = [...loader, join(root, 'usr/bin/qemu-system-x86_64'), ...firmware, ...MACHINE, ...extra];
  // timeout(1) ends QEMU also when this process does not live to do it.
  const child = spawn('timeout', ['-k', '2', '1800', ...command, '-pidfile', pidFile, '-kernel', kernel], {
    env: { ...process.env, QEMU_MODULE_DIR: join(root, 'usr/lib/x86_64-linux-gnu/qemu') },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  child.stdin.on('error', () => {});
  const closed = new Promise<void>((done) => child.on('close', () => done()));
  const ended = closed.then((): never => {
    throw new Error(`QEMU ended: ${errors.trim() || 'without a word'}`);
  });
  ended.catch(() => {});
  const conversation = new SerialConversation({
    send: (text) => void child.stdin.write(text),
    onText: (listener) => void child.stdout.on('data', (data: Buffer) => listener(data.toString('latin1'))),
    ended,
  });
  await conversation.ready();
  const pid = Number(readFileSync(pidFile, 'utf8'));
  rmSync(folder, { recursive: true, force: true });
  const close = async (): Promise<void> => {
    child.kill('SIGTERM');
    await closed;
  };
  return { conversation, pid, close, command };
}

function vcpuThread(pid: number): number {
  const found = readdirSync(`/proc/${pid}/task`).find((tid) => /TCG/.test(readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8')));
  if (!found) throw new Error(`QEMU (process ${pid}) has no thread that is named for TCG`);
  return Number(found);
}

export async function qemuPeer(kernel: string): Promise<QemuPeer> {
  const { conversation, pid, close, command } = await start(kernel, []);
  const clock = new ThreadClock(pid, vcpuThread(pid));
  const run = async (n: number): Promise<PeerRun> => {
    await conversation.type(n);
    return measured(clock, async () => {
      const { checksum } = await conversation.go();
      return { checksum, detail: {} };
    });
  };
  return { name: 'qemu', commandLine: [...command, '-kernel', kernel].join(' '), run, close };
}

/** What the machine's own code adds between the two readings of the counter (the ud2 that ends the run counts there), and in one hypercall. */
const AROUND = 11;
const PER_CALL = 3;

/** A run with QEMU's instruction counter as the clock: how many instructions the workload takes. Slow; not for timing. */
export async function qemuCount(kernel: string, n: number, hypercalls: number): Promise<{ checksum: string; instructions: number }> {
  const { conversation, close } = await start(kernel, ['-icount', 'shift=0,sleep=off']);
  try {
    await conversation.type(n);
    const { checksum, counter } = await conversation.go();
    return { checksum, instructions: Number(counter) - AROUND - PER_CALL * hypercalls };
  } finally {
    await close();
  }
}
