// Several domains that run: consoles and traces of their own, events across, turns by weight and cap, breakpoints of one alone.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { asVirtual } from '../../abi/address.ts';
import { createMachine } from '../../simulator/machine.ts';
import { KernelImageError, type Machine, type MachineConfig, type RunResult } from '../../simulator/machine-types.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';
import { assemble } from './assemble.ts';
import { configOf } from './run.ts';

const tinykernel = readFileSync(new URL('../../samples/tinykernel/prebuilt/tinykernel-xen.elf', import.meta.url));

/** Runs to the machine's end or the limit; what each domain printed. */
function finish(machine: Machine, { slice = 1_000_000, limit = 50_000_000 } = {}) {
  const consoles = new Map<number, string>();
  const ended: number[] = [];
  machine.onConsole((domain, bytes) => consoles.set(domain, (consoles.get(domain) ?? '') + String.fromCharCode(...bytes)));
  let result: RunResult;
  do {
    result = machine.run({ instructions: slice });
    if (result.kind === 'domain-ended') ended.push(result.domain);
  } while (machine.icount() < limit && (result.kind === 'budget' || result.kind === 'domain-ended'));
  return { result, consoles, ended };
}

const pairOf = (first: Uint8Array, second: Uint8Array, more: Partial<MachineConfig> = {}): MachineConfig =>
  configOf(first, { memoryMib: 8, domains: [configOf(second, { memoryMib: 8 })], ...more });

describe('two kernels', () => {
  test('each prints what it prints alone, and the machine ends when both have', () => {
    const alone = finish(createMachine(configOf(tinykernel, { memoryMib: 8 })));
    const machine = createMachine(pairOf(tinykernel, tinykernel));
    const { result, consoles, ended } = finish(machine);
    const expected = alone.consoles.get(1)!;
    expect(expected.length).toBeGreaterThan(100);
    const withoutFrames = (text: string): string => text.replace(/0x[0-9a-f]+/g, 'N');
    expect(withoutFrames(consoles.get(1)!)).toBe(withoutFrames(expected));
    expect(withoutFrames(consoles.get(2)!)).toBe(withoutFrames(expected));
    expect(result).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
    expect(ended.length).toBe(1);
    expect(machine.domains().map(({ id, name, state }) => [id, name, state])).toEqual([
      [1, 'guest', 'shut down'],
      [2, 'guest2', 'shut down'],
    ]);
  });

  test('a run is the same whatever the slices and the tier: counts, hash, trace', () => {
    const runs = [
      { slice: 10_000_000, tier1: false },
      { slice: 7_001, tier1: true },
    ].map(({ slice, tier1 }) => {
      const machine = createMachine(pairOf(tinykernel, tinykernel, { tier1, invariants: { everyCalls: 200 } }));
      const trace: string[] = [];
      machine.subscribe('all', (record) =>
        trace.push(JSON.stringify(record, (_, value) => (typeof value === 'bigint' ? `${value}` : value))),
      );
      const { result } = finish(machine, { slice });
      return { result, icount: machine.icount(), clock: machine.clock(), hash: machine.stateHash(), trace: trace.join('\n') };
    });
    expect(runs[1]).toEqual(runs[0]);
    expect(new Set(runs[0]!.trace.match(/"domain":\d+/g))).toEqual(new Set(['"domain":1', '"domain":2']));
  });
});

const EVENT = (command: number, structure: string): string => `
  mov $${command}, %edi
  lea ${structure}(%rip), %rsi
  HYPERCALL 32
`;

/** Prints what is at `text`, of a length, on the console ring. */
const PRINT = `
# the console ring is mapped by the builder: VIRT_BASE + pfn, found through the machine-to-physical table
print:
  mov 72(%rbx), %rax
  mov $0xffff800000000000, %rdx
  mov (%rdx,%rax,8), %rax
  shl $12, %rax
  mov $0xffffffff80000000, %rdx
  add %rdx, %rax
  mov 3084(%rax), %r8d
  xor %ecx, %ecx
1: lea text(%rip), %rdx
  mov (%rdx,%rcx), %dl
  test %dl, %dl
  jz 2f
  lea (%r8,%rcx), %r9d
  and $2047, %r9d
  mov %dl, 1024(%rax,%r9)
  inc %ecx
  jmp 1b
2: add %ecx, %r8d
  mov %r8d, 3084(%rax)
${EVENT(4, 'console')}
  ret
.data
console: .long 2
.text
`;

describe('an event channel between two kernels', () => {
  // The first offers a port and sleeps; the second binds it, which needs a few tries, and sends.
  const server = assemble(`
main:
${EVENT(6, 'unbound')}
  # polls the port
  mov $3, %edi
  lea poll(%rip), %rsi
  HYPERCALL 29
  jmp print
.data
unbound: .word 0x7ff0, 2
ports: .long 0
text: .asciz "woken by domain 2"
.align 8
poll: .quad ports
 .long 1, 0
 .quad 0
.text
${PRINT}`);
  const client = assemble(`
main:
${EVENT(0, 'bind')}
  test %rax, %rax
  jz 1f
  xor %edi, %edi
  HYPERCALL 29
  jmp main
1: mov local(%rip), %eax
  mov %eax, send(%rip)
${EVENT(4, 'send')}
  jmp print
.data
bind: .long 1, 3
local: .long 0
send: .long 0
text: .asciz "sent to domain 1"
.text
${PRINT}`);

  test('wakes the one that polls; both say so and power off', () => {
    const machine = createMachine(pairOf(server.elf, client.elf));
    const events: TraceRecord[] = [];
    machine.subscribe(['event'], (record) => events.push(record));
    const { result, consoles } = finish(machine, { limit: 1_000_000 });
    expect(consoles.get(1)).toBe('woken by domain 2');
    expect(consoles.get(2)).toBe('sent to domain 1');
    expect(result).toMatchObject({ kind: 'ended', ending: { kind: 'poweroff' } });
    expect(
      events.find((record) => record.kind === 'event' && record.domain === 2 && record.action === 'send' && record.port === 3),
    ).toMatchObject({
      peer: 'port 3 of d1',
    });
  });

  test('alone, the one that polls waits for ever, and the machine says on which port', () => {
    const machine = createMachine(configOf(server.elf));
    expect(finish(machine).result).toMatchObject({ kind: 'idle', waits: [{ domain: 1, vcpu: 0 }] });
  });
});

describe('the processor', () => {
  const spin = assemble(`
main:
  # registers a run state area, then counts for ever
  mov $5, %edi
  xor %esi, %esi
  lea area(%rip), %rdx
  HYPERCALL 24
1: incq count(%rip)
  jmp 1b
.data
.align 8
count: .quad 0
place: .quad runstate
area: .quad runstate
runstate: .skip 48
.text
`);
  const counts = (machine: Machine): number[] =>
    machine.domains().map(({ vcpus }) => {
      const bytes = machine.readMemory(vcpus[0]!, asVirtual(spin.symbols.count!), 8);
      return Number(new DataView(bytes.buffer).getBigUint64(0, true));
    });
  /** running, runnable, blocked, offline in ns. */
  const runState = (machine: Machine, vcpu: number): number[] => {
    const bytes = machine.readMemory(vcpu, asVirtual(spin.symbols.runstate!), 48);
    const view = new DataView(bytes.buffer);
    return [0, 1, 2, 3].map((n) => Number(view.getBigUint64(16 + 8 * n, true)));
  };

  test('is shared evenly by equal weights, and what a domain waited is its steal time', () => {
    const machine = createMachine(pairOf(spin.elf, spin.elf));
    machine.run({ instructions: 400_000_000 });
    const [one, two] = counts(machine);
    expect(one! / two!).toBeCloseTo(1, 1);
    for (const { vcpus } of machine.domains()) {
      const [running, runnable] = runState(machine, vcpus[0]!);
      expect(runnable! / running!).toBeGreaterThan(0.8);
      expect(runnable! / running!).toBeLessThan(1.25);
    }
  });

  test('is shared in proportion to weights', () => {
    const second = configOf(spin.elf, { memoryMib: 8, weight: 768 });
    const machine = createMachine(configOf(spin.elf, { memoryMib: 8, domains: [second] }));
    machine.run({ instructions: 400_000_000 });
    const [one, two] = counts(machine);
    expect(two! / one!).toBeGreaterThan(2.7);
    expect(two! / one!).toBeLessThan(3.3);
  });

  test('is not given to a domain beyond its cap: alone it stands still for the rest of the time', () => {
    const machine = createMachine(configOf(spin.elf, { memoryMib: 8, cap: 25 }));
    machine.run({ instructions: 50_000_000 });
    expect(machine.icount()).toBe(50_000_000);
    expect(machine.clock() / machine.icount()).toBeCloseTo(4, 1);
  });

  test('a breakpoint of one domain does not stop the other at the same address, and costs it nothing', () => {
    const plain = createMachine(pairOf(spin.elf, spin.elf));
    plain.run({ instructions: 30_000_000 });
    const machine = createMachine(pairOf(spin.elf, spin.elf));
    machine.setBreakpoints([asVirtual(spin.symbols.main!)], 2);
    const [, two] = machine.domains();
    expect(machine.run({ instructions: 30_000_000 })).toEqual({ kind: 'breakpoint', vcpu: two!.vcpus[0], address: spin.symbols.main });
    expect(machine.run({ instructions: 30_000_000 - machine.icount() })).toEqual({ kind: 'budget' });
    expect([machine.icount(), machine.stateHash()]).toEqual([plain.icount(), plain.stateHash()]);
  });

  test('a watchpoint of one domain does not stop at the same address of the other', () => {
    const machine = createMachine(pairOf(spin.elf, spin.elf));
    const address = asVirtual(spin.symbols.count!);
    machine.setWatchpoints([{ id: 7, domain: 2, address, length: 8, access: 'write' }]);
    const [, two] = machine.domains();
    expect(machine.run({ instructions: 30_000_000 })).toMatchObject({ kind: 'watch', vcpu: two!.vcpus[0], hits: [{ id: 7, address }] });
  });
});

describe('what cannot be a machine', () => {
  const message = (config: MachineConfig): string => {
    try {
      createMachine(config);
    } catch (error) {
      if (error instanceof KernelImageError) return error.message;
      throw error;
    }
    return 'it was made';
  };
  const other = (more: Partial<MachineConfig>): MachineConfig => configOf(tinykernel, { domains: [configOf(tinykernel, more)] });

  test('says what to do about it', () => {
    expect(message(configOf(tinykernel, { dom0: true, domains: [configOf(tinykernel, { dom0: true })] }))).toMatch(
      /Only one of the domains/,
    );
    expect(message(other({ vcpus: 32 }))).toMatch(/33 vCPUs together; the machine has at most 32/);
    expect(message(other({ memoryMib: 3072 }))).toMatch(/3136 MiB together; the machine has at most 3072/);
  });
});
