// A client of QEMU's gdbstub over a local socket: as much of gdb's remote protocol as tracing needs.
import { connect, type Socket } from 'node:net';
import { GprName } from '../../simulator/cpu/engine-types.ts';

/** General registers in the stub's order, then rip and rflags; selectors follow as 32 bits each. */
const order: readonly (GprName | 'rip')[] = [...[0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15].map((n) => GprName[n]!), 'rip'];

export type Registers = Record<GprName | 'rip', bigint> & { cs: number };

export class GdbRemote {
  #socket: Socket;
  #received = '';
  #waiting: { done: (packet: string) => void; failed: (error: Error) => void } | null = null;
  #packets: string[] = [];
  #closed: Error | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (data: string) => this.#receive(data));
    const close = (error?: Error) => {
      this.#closed = error ?? new Error('QEMU closed its gdbstub');
      this.#waiting?.failed(this.#closed);
    };
    socket.on('error', close);
    socket.on('close', () => close());
  }

  /** Connects to the socket, which QEMU makes a moment after its start. */
  static async connect(path: string): Promise<GdbRemote> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      const socket = await new Promise<Socket | null>((done) => {
        const attempt = connect(path, () => done(attempt));
        attempt.once('error', () => done(null));
      });
      if (socket) {
        const remote = new GdbRemote(socket);
        await remote.#request('QStartNoAckMode');
        return remote;
      }
      if (Date.now() > deadline) throw new Error(`QEMU made no gdbstub at ${path}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  async setBreakpoint(address: bigint): Promise<void> {
    await this.#expectOk(`Z0,${address.toString(16)},1`);
  }

  async clearBreakpoint(address: bigint): Promise<void> {
    await this.#expectOk(`z0,${address.toString(16)},1`);
  }

  /** Runs until something stops the machine; rejects when QEMU ends meanwhile. */
  async resume(): Promise<void> {
    await this.#request('c');
  }

  async step(): Promise<void> {
    await this.#request('s');
  }

  async registers(): Promise<Registers> {
    const bytes = Buffer.from(await this.#request('g'), 'hex');
    const values = order.map((name, index) => [name, bytes.readBigUInt64LE(index * 8)] as const);
    return { ...(Object.fromEntries(values) as Record<(typeof order)[number], bigint>), cs: bytes.readUInt32LE(order.length * 8 + 4) };
  }

  /** Memory as the stopped vCPU sees it; null where nothing is mapped. */
  async memory(address: bigint, length: number): Promise<Uint8Array | null> {
    const answer = await this.#request(`m${address.toString(16)},${length.toString(16)}`);
    return answer === '' || answer.startsWith('E') ? null : Buffer.from(answer, 'hex');
  }

  close(): void {
    this.#socket.destroy();
  }

  async #expectOk(packet: string): Promise<void> {
    const answer = await this.#request(packet);
    if (answer !== 'OK') throw new Error(`QEMU's gdbstub answers '${answer}' to ${packet}`);
  }

  async #request(packet: string): Promise<string> {
    if (this.#closed) throw this.#closed;
    const sum = [...packet].reduce((total, c) => (total + c.charCodeAt(0)) & 255, 0);
    this.#socket.write(`$${packet}#${sum.toString(16).padStart(2, '0')}`);
    const queued = this.#packets.shift();
    if (queued !== undefined) return queued;
    return new Promise((done, failed) => {
      this.#waiting = { done, failed };
    });
  }

  #receive(data: string): void {
    this.#received += data;
    for (let match = packet.exec(this.#received); match; match = packet.exec(this.#received)) {
      this.#received = this.#received.slice(match.index + match[0].length);
      const waiting = this.#waiting;
      this.#waiting = null;
      if (waiting) waiting.done(match[1] ?? '');
      else this.#packets.push(match[1] ?? '');
    }
  }
}

const packet = /\$([^#]*)#[0-9a-f]{2}/;
