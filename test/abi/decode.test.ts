// Registers and guest memory to names and values. The expected structures are written byte by byte with the layouts that headers.test.ts
// compares with Xen's headers; the names of batches are those of traces of real Xen.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DecodedHypercall, decodeHypercall, operationsOf } from '../../abi/decode-hypercall.ts';
import { findOperation, hypercallByName, hypercalls, operationNames, signature } from '../../abi/hypercalls.ts';
import { type StructureName, StructView, sizeOf } from '../../abi/layout.ts';

type Bits = 64 | 32;
type Fields = Record<string, number | bigint>;

/** Guest memory: one page at 0x1000, the rest is not mapped. */
class Memory {
  readonly bits: Bits;
  readonly bytes = new Uint8Array(4096);
  private next = 0;

  constructor(bits: Bits = 64) {
    this.bits = bits;
  }

  /** Puts structures one after the other; the address of the first. */
  put(name: StructureName, ...elements: readonly Fields[]): bigint {
    const start = this.next;
    for (const fields of elements) {
      const view = new StructView(name, this.bits, this.bytes, this.next);
      for (const [path, value] of Object.entries(fields)) view.set(path, value);
      this.next += sizeOf(name, this.bits);
    }
    this.next = Math.ceil(this.next / 8) * 8;
    return 0x1000n + BigInt(start);
  }

  raw(bytes: Uint8Array): bigint {
    const start = this.next;
    this.bytes.set(bytes, start);
    this.next = Math.ceil((start + bytes.length) / 8) * 8;
    return 0x1000n + BigInt(start);
  }

  readonly read = (address: bigint, length: number): Uint8Array | null => {
    const at = Number(address - 0x1000n);
    return at >= 0 && at + length <= 4096 ? this.bytes.slice(at, at + length) : null;
  };

  decode(name: string, args: readonly (bigint | number)[], phase: 'entry' | 'exit' = 'entry', limit?: number): DecodedHypercall {
    const { number } = hypercallByName(name)!;
    return decodeHypercall({
      number,
      args: args.map(BigInt),
      bits: this.bits,
      read: this.read,
      phase,
      ...(limit === undefined ? {} : { limit }),
    });
  }
}

describe('batches', () => {
  test('mmuext_op is named by its operations in order and shows what each of them uses', () => {
    const memory = new Memory();
    const uops = memory.put(
      'mmuext_op',
      { cmd: 3, 'arg1.mfn': 0x1234 },
      { cmd: 5, 'arg1.mfn': 0x1234 },
      { cmd: 4, 'arg1.mfn': 0x999 },
      { cmd: 7, 'arg1.linear_addr': 0xffffffff80001000n },
    );
    expect(memory.decode('mmuext_op', [uops, 4, 0, 0x7ff0])).toEqual({
      name: 'mmuext_op',
      operation: 'PIN_L4_TABLE+NEW_BASEPTR+UNPIN_TABLE+INVLPG_LOCAL',
      args: {
        uops: [
          { cmd: 'MMUEXT_PIN_L4_TABLE', mfn: '0x1234' },
          { cmd: 'MMUEXT_NEW_BASEPTR', mfn: '0x1234' },
          { cmd: 'MMUEXT_UNPIN_TABLE', mfn: '0x999' },
          { cmd: 'MMUEXT_INVLPG_LOCAL', linear_addr: '0xffffffff80001000' },
        ],
        count: 4,
        pdone: '0x0',
        foreigndom: 'DOMID_SELF',
      },
      matches: ['mmuext_op', 'mmuext_op.PIN_L4_TABLE', 'mmuext_op.NEW_BASEPTR', 'mmuext_op.UNPIN_TABLE', 'mmuext_op.INVLPG_LOCAL'],
    });
  });

  test('a continuation of a preempted batch, whose count has bit 31, is decoded like the first call', () => {
    const memory = new Memory();
    const uops = memory.put('mmuext_op', { cmd: 0, 'arg1.mfn': 1 });
    expect(memory.decode('mmuext_op', [uops, 0x80000001, 0, 0x7ff0]).operation).toBe('PIN_L1_TABLE');
  });

  test('the same operation many times in a row is named once', () => {
    const memory = new Memory();
    const invlpg = [1, 2, 3].map((page) => ({ cmd: 7, 'arg1.linear_addr': page * 4096 }));
    const uops = memory.put('mmuext_op', ...invlpg, { cmd: 6 }, invlpg[0]!);
    expect(memory.decode('mmuext_op', [uops, 3, 0, 0x7ff0]).operation).toBe('INVLPG_LOCAL');
    expect(memory.decode('mmuext_op', [uops, 5, 0, 0x7ff0]).operation).toBe('INVLPG_LOCAL+TLB_FLUSH_LOCAL+INVLPG_LOCAL');
  });

  test('mmu_update keeps its operation in the low bits of ptr; each kind is named once', () => {
    const memory = new Memory();
    const ureqs = memory.put('mmu_update', { ptr: 0x5001, val: 7 }, { ptr: 0x6ff8, val: 0x8000000012345067n }, { ptr: 0x7001, val: 8 });
    const call = memory.decode('mmu_update', [ureqs, 3, 0, 0x7ff0]);
    expect(call.operation).toBe('MACHPHYS_UPDATE+NORMAL_PT_UPDATE');
    expect(call.args.ureqs).toEqual([
      { cmd: 'MMU_MACHPHYS_UPDATE', ptr: '0x5000', val: '0x7' },
      { cmd: 'MMU_NORMAL_PT_UPDATE', ptr: '0x6ff8', val: '0x8000000012345067' },
      { cmd: 'MMU_MACHPHYS_UPDATE', ptr: '0x7000', val: '0x8' },
    ]);
  });

  test('the owner of the tables is shown where it is not the caller', () => {
    const memory = new Memory();
    const ureqs = memory.put('mmu_update', { ptr: 0x5000, val: 7 });
    expect(memory.decode('mmu_update', [ureqs, 1, 0, 0x00047ff1]).args).toMatchObject({ foreigndom: 'DOMID_IO', pt_owner: 3 });
  });

  test('of a long array the first elements are shown and the others counted', () => {
    const memory = new Memory();
    const ureqs = memory.put('mmu_update', ...Array.from({ length: 100 }, (_, i) => ({ ptr: i * 8, val: i })));
    const { args } = memory.decode('mmu_update', [ureqs, 100, 0, 0x7ff0], 'entry', 10);
    expect((args.ureqs as unknown[]).length).toBe(10);
    expect(args.ureqs_more).toBe(90);
  });

  test('a multicall shows its calls and matches breakpoints on them', () => {
    const memory = new Memory();
    const uops = memory.put('mmuext_op', { cmd: 5, 'arg1.mfn': 2 });
    const calls = memory.put(
      'multicall_entry',
      { op: 3, 'args[0]': 0xe02b, 'args[1]': 0x2000 },
      { op: 26, result: -22, 'args[0]': uops, 'args[1]': 1, 'args[3]': 0x7ff0 },
    );
    const call = memory.decode('multicall', [calls, 2], 'exit');
    expect(call.args.calls).toEqual([
      { name: 'stack_switch', operation: null, args: { ss: '0xe02b', esp: '0x2000' }, result: 0 },
      {
        name: 'mmuext_op',
        operation: 'NEW_BASEPTR',
        args: { uops: [{ cmd: 'MMUEXT_NEW_BASEPTR', mfn: '0x2' }], count: 1, pdone: '0x0', foreigndom: 'DOMID_SELF' },
        result: -22,
      },
    ]);
    expect(operationsOf(call)).toEqual(['multicall', 'stack_switch', 'mmuext_op', 'mmuext_op.NEW_BASEPTR']);
  });
});

describe('structures that an argument points to', () => {
  test('appear by their fields; what Xen writes appears only at exit', () => {
    const memory = new Memory();
    const arg = memory.put('evtchn_alloc_unbound', { dom: 0x7ff0, remote_dom: 0, port: 9 });
    expect(memory.decode('event_channel_op', [6, arg])).toMatchObject({
      operation: 'alloc_unbound',
      args: { dom: 'DOMID_SELF', remote_dom: 0 },
    });
    expect(memory.decode('event_channel_op', [6, arg]).args).not.toHaveProperty('port');
    expect(memory.decode('event_channel_op', [6, arg], 'exit').args).toEqual({ dom: 'DOMID_SELF', remote_dom: 0, port: 9 });
  });

  test('values that have names are the names', () => {
    const memory = new Memory();
    expect(memory.decode('event_channel_op', [1, memory.put('evtchn_bind_virq', { virq: 0, vcpu: 1 })]).args).toEqual({
      virq: 'VIRQ_TIMER',
      vcpu: 1,
    });
    expect(memory.decode('sched_op', [2, memory.put('sched_shutdown', { reason: 3 })]).args).toEqual({ reason: 'SHUTDOWN_crash' });
    expect(memory.decode('sched_op', [2, memory.put('sched_shutdown', { reason: 77 })]).args).toEqual({ reason: 77 });
    expect(memory.decode('vm_assist', [0, 2])).toMatchObject({ operation: 'enable', args: { type: 'VMASST_TYPE_writable_pagetables' } });
    expect(memory.decode('set_segment_base', [2, 0xffff888000000000n])).toMatchObject({
      operation: 'GS_KERNEL',
      args: { base: '0xffff888000000000' },
    });
  });

  test('an address that cannot be read is shown as such', () => {
    expect(new Memory().decode('event_channel_op', [4, 0xdead000])).toMatchObject({ operation: 'send', args: { arg: '0xdead000' } });
    expect(new Memory().decode('mmuext_op', [0xdead000, 1, 0, 0x7ff0])).toMatchObject({
      operation: null,
      args: { uops: '0xdead000', count: 1 },
    });
  });

  test('arrays in them are followed', () => {
    const memory = new Memory();
    const ports = memory.raw(Uint8Array.of(3, 0, 0, 0, 5, 0, 0, 0));
    const poll = memory.put('sched_poll', { ports, nr_ports: 2, timeout: 1_000_000 });
    expect(memory.decode('sched_op', [3, poll])).toMatchObject({
      operation: 'poll',
      args: { ports: [3, 5], nr_ports: 2, timeout: 1_000_000 },
    });
    const frames = memory.raw(Uint8Array.of(0x34, 0x12, 0, 0, 0, 0, 0, 0));
    const table = memory.put('gnttab_setup_table', { dom: 0x7ff0, nr_frames: 1, frame_list: frames, status: -1 });
    const entry = memory.decode('grant_table_op', [2, table, 1]);
    expect(entry).toMatchObject({
      operation: 'setup_table',
      args: { uop: [{ dom: 'DOMID_SELF', nr_frames: 1, frame_list: `0x${frames.toString(16)}` }], count: 1 },
    });
    expect(memory.decode('grant_table_op', [2, table, 1], 'exit').args.uop).toEqual([
      { dom: 'DOMID_SELF', nr_frames: 1, status: 'GNTST_general_error', frame_list: ['0x1234'] },
    ]);
  });

  test('of a grant copy each side shows what its flag says it is', () => {
    const memory = new Memory();
    const copy = memory.put('gnttab_copy', {
      'source.u.ref': 8,
      'source.domid': 2,
      'dest.u.gmfn': 0x77,
      'dest.domid': 0x7ff0,
      len: 100,
      flags: 1,
    });
    expect(memory.decode('grant_table_op', [5, copy, 1]).args.uop).toEqual([
      { source: { ref: 8, domid: 2, offset: 0 }, dest: { gmfn: '0x77', domid: 'DOMID_SELF', offset: 0 }, len: 100, flags: '0x1' },
    ]);
  });

  test('old-style and platform calls show the member that their command uses', () => {
    const memory = new Memory();
    expect(memory.decode('event_channel_op_compat', [memory.put('evtchn_op', { cmd: 4, 'u.send.port': 6 })])).toMatchObject({
      operation: 'send',
      args: { port: 6 },
    });
    const settime = memory.put('xen_platform_op', {
      cmd: 62,
      interface_version: 0x03000001,
      'u.settime64.secs': 12,
      'u.settime64.nsecs': 5,
    });
    expect(memory.decode('platform_op', [settime])).toMatchObject({ operation: 'settime64', args: { secs: 12, nsecs: 5 } });
    const inner = memory.put('xen_dm_op', { op: 16, 'u.remote_shutdown.reason': 0 });
    const buffers = memory.put('xen_dm_op_buf', { h: inner, size: 16 });
    expect(memory.decode('dm_op', [3, 1, buffers])).toMatchObject({
      operation: 'remote_shutdown',
      args: { domid: 3, nr_bufs: 1, reason: 'SHUTDOWN_poweroff' },
    });
  });

  test('a trap table ends with an address of 0', () => {
    const memory = new Memory();
    const traps = memory.put(
      'trap_info',
      { vector: 14, flags: 4, cs: 0xe033, address: 0xffffffff81000000n },
      { vector: 0x80, flags: 3, cs: 0xe033, address: 0x1000 },
      {},
    );
    expect(memory.decode('set_trap_table', [traps]).args.traps).toEqual([
      { vector: '#PF', flags: '0x4', cs: '0xe033', address: '0xffffffff81000000' },
      { vector: 128, flags: '0x3', cs: '0xe033', address: '0x1000' },
    ]);
    expect(memory.decode('set_trap_table', [0]).args).toEqual({ traps: null });
  });

  test('text is text', () => {
    const memory = new Memory();
    const buffer = memory.raw(Uint8Array.from('hello\n', (c) => c.charCodeAt(0)));
    expect(memory.decode('console_io', [0, 6, buffer])).toMatchObject({ operation: 'write', args: { count: 6, buffer: 'hello\n' } });
    const version = memory.raw(Uint8Array.from('.5\0zzz', (c) => c.charCodeAt(0)));
    expect(memory.decode('xen_version', [1, version], 'exit').args['*arg']).toBe('.5');
  });
});

describe('registers', () => {
  test('64-bit values take two of them in a 32-bit guest', () => {
    const memory = new Memory(32);
    expect(memory.decode('update_va_mapping', [0xc0001000, 0x12345067, 0x80000000, 2]).args).toEqual({
      va: '0xc0001000',
      val: '0x8000000012345067',
      flags: '0x2',
    });
    expect(memory.decode('set_timer_op', [5, 1]).args).toEqual({ timeout: 0x100000005 });
    expect(memory.decode('set_callbacks', [0xe019, 0x1000, 0xe019, 0x2000]).args).toEqual({
      event_selector: '0xe019',
      event_address: '0x1000',
      failsafe_selector: '0xe019',
      failsafe_address: '0x2000',
    });
    expect(new Memory(64).decode('set_timer_op', [5, 1]).args).toEqual({ timeout: 5 });
  });

  test('a 32-bit argument is the low half of its register', () => {
    expect(new Memory().decode('fpu_taskswitch', [0xffffffff00000001n]).args).toEqual({ set: 1 });
  });

  test("the high bits of a continued memory_op are Xen's own", () => {
    const memory = new Memory();
    const arg = memory.put('xen_memory_reservation', { nr_extents: 0, domid: 0x7ff0 });
    expect(memory.decode('memory_op', [1 | (200 << 6), arg]).operation).toBe('decrease_reservation');
  });

  test('numbers that are not assigned keep their registers', () => {
    expect(decodeHypercall({ number: 11, args: [1n, 2n, 3n, 4n, 5n], bits: 64, read: () => null })).toEqual({
      name: 'hypercall_11',
      operation: null,
      args: { arg1: '0x1', arg2: '0x2', arg3: '0x3', arg4: '0x4', arg5: '0x5' },
      matches: ['hypercall_11'],
    });
    expect(new Memory().decode('sched_op', [99, 0])).toMatchObject({ operation: '99', matches: ['sched_op', 'sched_op.99'] });
  });

  test('every operation of every call can be decoded, readable or not', () => {
    for (const call of hypercalls()) {
      for (const { number } of call.operations?.list ?? [{ number: 0 }]) {
        for (const bits of [64, 32] as const) {
          for (const address of [0n, 0x1000n]) {
            const memory = new Memory(bits);
            // The number as an argument, and as the first word of what any pointer leads to (and of what a pointer there leads to).
            memory.bytes.fill(number, 0, 1);
            memory.bytes.fill(number >> 8, 1, 2);
            for (const phase of ['entry', 'exit'] as const) {
              for (const args of [
                [BigInt(number), address, 1n, address, address],
                [address, 1n, address, address, address],
                [1n, 1n, address, address, address],
              ]) {
                const decoded = decodeHypercall({ number: call.number, args, bits, read: memory.read, phase });
                expect(decoded.name).toBe(call.name);
              }
            }
          }
        }
      }
    }
  });

  test('whatever a guest passes, decoding answers', () => {
    const word = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 40n }),
      fc.constantFrom(0x1000n, 0x1008n, 0x1ff8n, 0x80000001n, 0x7ff0n),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 60 }),
        fc.array(word, { maxLength: 6 }),
        fc.uint8Array({ minLength: 4096, maxLength: 4096 }),
        fc.constantFrom(64 as const, 32 as const),
        (number, args, page, bits) => {
          const memory = new Memory(bits);
          memory.bytes.set(page);
          const call = decodeHypercall({ number, args, bits, read: memory.read, phase: 'exit' });
          expect(JSON.parse(JSON.stringify(call))).toEqual(call);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('names', () => {
  test('every breakpoint name leads back to its rows', () => {
    expect(operationNames().length).toBeGreaterThan(400);
    for (const name of operationNames()) expect(findOperation(name), name).not.toBeNull();
    expect(new Set(operationNames()).size).toBe(operationNames().length);
    expect(findOperation('mmuext_op.NOTHING')).toBeNull();
    expect(findOperation('nothing')).toBeNull();
  });

  test('all 42 calls and the eight of the architecture are there', () => {
    const numbers = hypercalls().map((call) => call.number);
    expect(numbers.filter((number) => number < 48)).toHaveLength(42);
    expect(numbers.filter((number) => number >= 48)).toEqual([48, 49, 50, 51, 52, 53, 54, 55]);
  });

  test('signatures read as a C programmer writes them', () => {
    const { call, operation } = findOperation('vcpu_op.up')!;
    expect(signature(call, operation)).toBe('HYPERVISOR_vcpu_op(VCPUOP_up, unsigned int vcpuid, void *extra_args)');
    expect(signature(hypercallByName('mmu_update')!)).toBe(
      'HYPERVISOR_mmu_update(struct mmu_update *ureqs, unsigned int count, unsigned int *pdone, unsigned int foreigndom)',
    );
    for (const one of hypercalls())
      for (const row of one.operations?.list ?? []) expect(signature(one, row)).toMatch(/^HYPERVISOR_\w+\(.*\)$/);
  });
});
