// Drives Debian's own xenstored, started on this machine over a stand-in for the hypervisor (xenstored/shim.c): the toolstack through its
// socket, unprivileged domains through their ring pages.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureDebian } from '../../scripts/debian.mjs';
import { headerSize, message, readHeader, strings } from '../../simulator/xenstore/wire.ts';

const packages = [
  ...['xen-utils-4.17', 'libxen-dev', 'libxencall1', 'libxendevicemodel1', 'libxenevtchn1', 'libxenforeignmemory1', 'libxengnttab1'],
  ...['libxenmisc4.17', 'libxentoollog1', 'libxentoolcore1'],
];

/** Offsets in the page: request ring, reply ring, then the four indexes, and the daemon's complaint. */
const page = {
  requests: 0,
  replies: 1024,
  requestConsumer: 2048,
  requestProducer: 2052,
  replyConsumer: 2056,
  replyProducer: 2060,
  error: 2072,
};
const ringSize = 1024;
/** Request id of the probe that follows each request: when its reply has come, everything before it has. */
const probeId = 0xfeedface;
const patienceMs = 4_000;

interface Built {
  readonly program: string;
  readonly shim: string;
  /** A folder with the toolstack's libraries and nothing else: the C library is this machine's. */
  readonly libraries: string;
}

let built: Promise<Built> | null = null;

/** The daemon, its stand-in and its libraries; the folder stays until removeBuilt(). */
const build = (): Promise<Built> => {
  built ??= (async () => {
    const root = await ensureDebian(packages);
    const libraries = mkdtempSync(join(tmpdir(), 'xenstored-lib-'));
    const from = join(root, 'usr/lib/x86_64-linux-gnu');
    for (const file of readdirSync(from)) if (file.startsWith('libxen')) symlinkSync(join(from, file), join(libraries, file));
    const shim = join(libraries, 'shim.so');
    const source = fileURLToPath(new URL('xenstored/shim.c', import.meta.url));
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-w', '-I', join(root, 'usr/include'), '-o', shim, source], { stdio: 'pipe' });
    return { program: join(root, 'usr/lib/xen-4.17/bin/xenstored'), shim, libraries };
  })();
  return built;
};

/** Removes what start() has built. */
export async function removeBuilt(): Promise<void> {
  if (built) rmSync((await built).libraries, { recursive: true, force: true });
  built = null;
}

interface Channel {
  send(bytes: Uint8Array): Promise<void>;
  /** Bytes that have come since the last call, possibly none. */
  receive(): Uint8Array;
  close(): void;
  pending: Uint8Array;
}

export class Xenstored {
  private readonly folder: string;
  private readonly process: ChildProcess;
  private readonly channels = new Map<number, Channel>();
  private errors = '';

  private constructor(folder: string, process: ChildProcess) {
    this.folder = folder;
    this.process = process;
    process.stderr!.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
    });
  }

  /** Starts the daemon and introduces the domains. */
  static async start(domains: readonly number[]): Promise<Xenstored> {
    const { program, shim, libraries } = await build();
    const folder = mkdtempSync(join(tmpdir(), 'xenstored-'));
    for (const domain of [0, ...domains]) writeFileSync(join(folder, `ring.${domain}`), Buffer.alloc(4096));
    writeFileSync(join(folder, 'port'), '1');
    execFileSync('mkfifo', [join(folder, 'events')]);
    const process = spawn(program, ['-N', '-w', 'watch-event=0'], {
      env: { LD_PRELOAD: shim, LD_LIBRARY_PATH: libraries, STORE_FOLDER: folder, XENSTORED_RUNDIR: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const daemon = new Xenstored(folder, process);
    daemon.channels.set(0, await daemon.socket());
    for (const domain of domains) {
      daemon.channels.set(domain, daemon.ring(domain));
      const [reply] = await daemon.handle(0, message('INTRODUCE', 1, 0, strings(String(domain), '0', '1')));
      if (readHeader(reply!).type === 16)
        throw new Error(`xenstored did not take domain ${domain}: ${Buffer.from(reply!).toString('latin1')}`);
    }
    return daemon;
  }

  private async socket(): Promise<Channel> {
    const path = join(this.folder, 'socket');
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const socket = await new Promise<Socket | null>((resolve) => {
        const attempt = connect(path, () => resolve(attempt));
        attempt.on('error', () => resolve(null));
      });
      if (socket) return socketChannel(socket);
      if (this.process.exitCode !== null || Date.now() > deadline) throw new Error(`xenstored does not answer. ${this.errors}`);
      await sleep(10);
    }
  }

  private ring(domain: number): Channel {
    const file = openSync(join(this.folder, `ring.${domain}`), 'r+');
    const events = openSync(join(this.folder, 'events'), 'r+');
    const index = (offset: number): number => {
      const bytes = Buffer.alloc(4);
      readSync(file, bytes, 0, 4, offset);
      return bytes.readUInt32LE();
    };
    const setIndex = (offset: number, value: number): void => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value >>> 0);
      writeSync(file, bytes, 0, 4, offset);
    };
    const kick = (): void => {
      writeSync(events, Buffer.from([domain + 1]));
    };
    return {
      pending: new Uint8Array(0),
      send: async (bytes) => {
        const deadline = Date.now() + patienceMs;
        for (let sent = 0; sent < bytes.length; ) {
          const producer = index(page.requestProducer);
          const room = ringSize - ((producer - index(page.requestConsumer)) >>> 0);
          const length = Math.min(room, bytes.length - sent, ringSize - (producer % ringSize));
          if (length === 0) {
            if (Date.now() > deadline) throw this.silent(domain);
            await sleep(1);
            continue;
          }
          writeSync(file, bytes, sent, length, page.requests + (producer % ringSize));
          setIndex(page.requestProducer, producer + length);
          sent += length;
          kick();
        }
      },
      receive() {
        const consumer = index(page.replyConsumer);
        const used = (index(page.replyProducer) - consumer) >>> 0;
        const length = Math.min(used, ringSize - (consumer % ringSize));
        const bytes = Buffer.alloc(length);
        if (length === 0) return bytes;
        readSync(file, bytes, 0, length, page.replies + (consumer % ringSize));
        setIndex(page.replyConsumer, consumer + length);
        kick();
        return bytes;
      },
      close() {
        closeSync(file);
        closeSync(events);
      },
    };
  }

  /** Sends one message for a domain and gives all that comes for it up to and with what a probe behind it flushes out. */
  async handle(domain: number, bytes: Uint8Array): Promise<Uint8Array[]> {
    await this.channel(domain).send(bytes);
    return this.take(domain);
  }

  /** Everything that waits for a domain. */
  async take(domain: number): Promise<Uint8Array[]> {
    const channel = this.channel(domain);
    await channel.send(message('GET_DOMAIN_PATH', probeId, 0, strings('0')));
    const messages: Uint8Array[] = [];
    const deadline = Date.now() + patienceMs;
    for (;;) {
      channel.pending = Buffer.concat([channel.pending, channel.receive()]);
      while (channel.pending.length >= headerSize) {
        const { length, requestId } = readHeader(channel.pending);
        if (channel.pending.length < headerSize + length) break;
        const whole = channel.pending.slice(0, headerSize + length);
        channel.pending = channel.pending.slice(headerSize + length);
        if (requestId === probeId) return messages;
        messages.push(new Uint8Array(whole));
      }
      if (Date.now() > deadline) throw this.silent(domain);
      await sleep(0);
    }
  }

  /** Puts bytes into a domain's page as a guest may that keeps to no rule, and waits until the daemon has marked the page. */
  async breakRing(domain: number, bytes: Uint8Array, producer: number): Promise<number> {
    const file = openSync(join(this.folder, `ring.${domain}`), 'r+');
    try {
      writeSync(file, bytes, 0, bytes.length, page.requests);
      writeSync(file, Buffer.from(Uint32Array.of(0, producer, 0, 0).buffer), 0, 16, page.requestConsumer);
      const deadline = Date.now() + patienceMs;
      for (;;) {
        const events = openSync(join(this.folder, 'events'), 'r+');
        writeSync(events, Buffer.from([domain + 1]));
        closeSync(events);
        const error = Buffer.alloc(4);
        readSync(file, error, 0, 4, page.error);
        if (error.readUInt32LE() !== 0 || Date.now() > deadline) return error.readUInt32LE();
        await sleep(5);
      }
    } finally {
      closeSync(file);
    }
  }

  private silent(domain: number): Error {
    const { exitCode, signalCode } = this.process;
    const state = exitCode === null && signalCode === null ? 'it runs' : `it ended with ${signalCode ?? exitCode}`;
    return new Error(`xenstored does not answer domain ${domain}; ${state}. ${this.errors}`);
  }

  private channel(domain: number): Channel {
    const channel = this.channels.get(domain);
    if (!channel) throw new Error(`no domain ${domain}`);
    return channel;
  }

  async stop(): Promise<void> {
    for (const channel of this.channels.values()) channel.close();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = new Promise((resolve) => this.process.once('exit', resolve));
      this.process.kill('SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function socketChannel(socket: Socket): Channel {
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
  });
  return {
    pending: new Uint8Array(0),
    send: (bytes) => new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve()))),
    receive() {
      const bytes = received;
      received = Buffer.alloc(0);
      return bytes;
    },
    close: () => socket.destroy(),
  };
}
