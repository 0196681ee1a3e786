// The machine as a whole, on small kernels made for one thing each: bounce frames, upcalls at exact points, time, waits, stops.

import { describe, expect, test } from 'vitest';
import { asVirtual } from '../../abi/address.ts';
import { createMachine } from '../../simulator/machine.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';
import { assemble } from './assemble.ts';
import { configOf, runSession } from './run.ts';

/** Registers the handlers `handler` (vector in \n) and `upcall`. */
const HANDLERS = `
  lea traps(%rip), %rdi
  HYPERCALL 0
  lea upcall(%rip), %rdi
  xor %esi, %esi
  xor %edx, %edx
  HYPERCALL 4
`;
const TRAPS = (...vectors: number[]): string =>
  `.data\n.align 16\ntraps:\n${vectors.map((v) => `.byte ${v}, 0\n.word 0xe033\n.long 0\n.quad trap${v}\n`).join('')}.quad 0, 0\n.text\n`;
const BIND_TIMER = `
  movl $0, argument(%rip)
  movl $0, argument+4(%rip)
  mov $1, %edi
  lea argument(%rip), %rsi
  HYPERCALL 32
`;
const DATA = '.data\n.align 16\nargument: .quad 0, 0, 0\n.text\n';
/** Sets the timer \`delay\` ns from the system time in vcpu_info. */
const TIMER = (delay: number): string => `
  mov shared+32+16(%rip), %rdi
  add $${delay}, %rdi
  HYPERCALL 15
`;
const UPCALL = `
upcall:
  pop %rcx
  pop %r11
  movb $0, shared(%rip)
  movq $0, shared+8(%rip)
  movq $0, shared+0x800(%rip)
  incl upcalls(%rip)
  push $0
  jmp hypercall_page + 32 * 23
.data
upcalls: .long 0
.text
`;

describe('exceptions', () => {
  const guest = assemble(`
main:
${HANDLERS}
  mov $0x1234, %rcx
  mov $0x5678, %r11
  int3
after:
  mov $0xdead0000, %rax
fault:
  mov (%rax), %rax
  ret
upcall: ud2
trap3:
  pop %rcx
  pop %r11
  push $0
  jmp hypercall_page + 32 * 23
trap14:
  mov $0x77, %r15
  jmp .
${TRAPS(3, 14)}`);

  test('a bounce frame holds rcx, r11, rip, cs with RPL 0 and the saved mask, flags with IF from the mask, rsp and ss', () => {
    const machine = createMachine(configOf(guest.elf));
    machine.setBreakpoints([asVirtual(guest.symbols.trap3!)]);
    expect(machine.run({ instructions: 100_000 })).toMatchObject({ kind: 'breakpoint', address: guest.symbols.trap3 });
    const registers = machine.registers(0);
    const frame = new DataView(machine.readMemory(0, asVirtual(registers.rsp), 56).slice().buffer);
    const words = [0, 1, 2, 3, 4, 5, 6].map((n) => frame.getBigUint64(n * 8, true));
    expect(words.slice(0, 4)).toEqual([0x1234n, 0x5678n, guest.symbols.after, 0x1_0000_e030n]);
    expect(words[4]! & 0x3200n).toBe(0n);
    expect(words[6]).toBe(0xe02bn);
    expect(registers.rsp % 16n).toBe(8n);
    expect([registers.cs, registers.ss]).toEqual([0xe033, 0xe02b]);
    expect([registers.rcx, registers.r11]).toEqual([guest.symbols.trap3, registers.rflags]);
  });

  test('a page fault of the kernel has the user bit cleared, its address in vcpu_info, and says what the walk found', () => {
    const { machine, records } = runSession(configOf(guest.elf), { kinds: ['exception'], limit: 20_000 });
    const fault = records.find((r) => r.kind === 'exception' && r.vector === 14);
    expect(fault).toMatchObject({
      name: '#PF',
      error: '0x0',
      address: '0xdead0000',
      rip: `0x${guest.symbols.fault!.toString(16)}`,
      refusal: { rule: 'page-not-present' },
    });
    expect(machine.vcpuInfo(0)?.archCr2).toBe(0xdead0000n);
    expect(machine.registers(0).r15).toBe(0x77n);
  });

  test('an exception without handler ends the domain, and the reason names it', () => {
    const { elf, symbols } = assemble('main: ud2\n');
    const { result, machine } = runSession(configOf(elf));
    expect(result).toMatchObject({ kind: 'ended', ending: { kind: 'crash', refusal: { rule: 'no-handler' } } });
    expect(JSON.stringify(result)).toMatch(/#UD/);
    expect(machine.registers(0).rip).toBe(symbols.main);
    expect(machine.run({ instructions: 10 })).toEqual(result);
  });
});

describe('events and time', () => {
  test('a timer event is delivered at its exact instruction, whatever the slices', () => {
    const { elf } = assemble(`
main:
${HANDLERS}${BIND_TIMER}${TIMER(123_457)}
  movb $0, shared+1(%rip)
1: cmpl $0, upcalls(%rip)
  je 1b
  ret
${UPCALL}${TRAPS()}${DATA}`);
    const counts = [1_000, 50_000, 1_000_000].map((slice) => {
      const { records, result } = runSession(configOf(elf), { kinds: ['upcall', 'hypercall'], slice });
      expect(result).toEqual({ kind: 'ended', ending: { kind: 'poweroff' } });
      const upcall = records.find((r) => r.kind === 'upcall')!;
      expect(upcall).toMatchObject({ virqs: ['VIRQ_TIMER'] });
      const read = records.find((r) => r.kind === 'hypercall' && r.name === 'event_channel_op')!;
      return [upcall.icount, read.icount];
    });
    expect(new Set(counts.map(String)).size).toBe(1);
    expect(counts[0]![0]).toBeGreaterThan(120_000);
  });

  test('clearing the mask alone delivers nothing: the next hypercall does', () => {
    const { elf, symbols } = assemble(`
main:
${HANDLERS}${BIND_TIMER}${TIMER(1)}
  mov $1000, %ecx
1: loop 1b
  movb $0, shared+1(%rip)
unmasked:
  mov $1000, %ecx
2: loop 2b
  xor %edi, %edi
  HYPERCALL 17
  ret
${UPCALL}${TRAPS()}${DATA}`);
    const { records } = runSession(configOf(elf), { kinds: ['upcall', 'hypercall', 'event'] });
    const upcall = records.find((r) => r.kind === 'upcall')!;
    const version = records.find((r) => r.kind === 'hypercall' && r.name === 'xen_version')!;
    expect(upcall.n).toBe(version.n + 1);
    expect(upcall.icount).toBe(version.icount);
    expect(symbols.unmasked).toBeDefined();
  });

  test('a blocked machine jumps to its timer, but not beyond untilTime', () => {
    const { elf } = assemble(`
main:
${HANDLERS}${BIND_TIMER}${TIMER(50_000_000)}
  mov $1, %edi
  HYPERCALL 29
  ret
${UPCALL}${TRAPS()}${DATA}`);
    const machine = createMachine(configOf(elf));
    expect(machine.run({ instructions: 1_000_000, untilTime: 7_000_000 })).toEqual({ kind: 'budget' });
    expect(machine.clock()).toBe(7_000_000);
    expect(machine.vcpus()[0]!.state).toBe('blocked');
    expect(machine.run({ instructions: 1_000_000 })).toMatchObject({ kind: 'ended', ending: { kind: 'poweroff' } });
    expect(machine.clock()).toBeGreaterThan(50_000_000);
    expect(machine.icount()).toBeLessThan(1_000);
  });

  test('a machine in which nothing can go on says what each vCPU waits for, and input wakes it', () => {
    const { elf } = assemble(`
main:
${HANDLERS}
  mov $1, %edi
  HYPERCALL 29
  ret
${UPCALL}${TRAPS()}`);
    const machine = createMachine(configOf(elf));
    const idle = machine.run({ instructions: 1_000_000 });
    expect(idle.kind).toBe('idle');
    expect(idle.kind === 'idle' && idle.waits[0]!.text).toMatch(
      /^SCHEDOP_block since instruction [\d,]+; ports bound: 1 \(store\), 2 \(console\); event mask 0/,
    );
    machine.inject({ kind: 'console', domain: 1, bytes: new Uint8Array([65]) });
    expect(machine.run({ instructions: 1_000_000 })).toMatchObject({ kind: 'ended' });
  });
});

describe('stops', () => {
  const guest = assemble(`
main:
  mov $7, %edi
  mov $17, %ebp
  xchg %edi, %ebp
  mov %ebp, %edi
  HYPERCALL 17
here:
  nop
  nop
  ret
`);

  test('a stop at a hypercall entry comes before anything is done, and changed arguments count', () => {
    const machine = createMachine(configOf(guest.elf));
    machine.stopWhen(['hypercall-entry'], (r) => r.kind === 'hypercall-entry' && r.name === 'xen_version');
    const stop = machine.run({ instructions: 100_000 });
    expect(stop).toMatchObject({ kind: 'record', record: { name: 'xen_version', operation: 'pagesize' } });
    const page = machine.hypercallPage()!;
    expect(BigInt((stop as { record: TraceRecord }).record.rip!)).toBe(page + 17n * 32n + 8n);
    expect(machine.registers(0).rip).toBe(page + 17n * 32n + 10n);
    const before = machine.icount();
    machine.setRegister(0, 'rdi', 0n);
    machine.setBreakpoints([asVirtual(guest.symbols.here!)]);
    expect(machine.run({ instructions: 100 })).toMatchObject({ kind: 'breakpoint', address: guest.symbols.here });
    expect(machine.registers(0).rax).toBe(0x40011n);
    expect(machine.icount()).toBe(before + 3);
  });

  test('a breakpoint does not stop the machine twice, and one instruction is one step', () => {
    const machine = createMachine(configOf(guest.elf));
    machine.setBreakpoints([asVirtual(guest.symbols.here!)]);
    machine.run({ instructions: 100_000 });
    const at = machine.icount();
    expect(machine.run({ instructions: 1 })).toEqual({ kind: 'budget' });
    expect([machine.icount(), machine.registers(0).rip]).toEqual([at + 1, guest.symbols.here! + 1n]);
  });

  test('memory can be read and written, but no page table and nothing that is not mapped', () => {
    const machine = createMachine(configOf(guest.elf));
    const address = asVirtual(guest.symbols.reason!);
    expect(machine.writeMemory(0, address, new Uint8Array([1, 2, 3]))).toBe(3);
    expect([...machine.readMemory(0, address, 3)]).toEqual([1, 2, 3]);
    expect(machine.readMemory(0, asVirtual(0x1000n), 8).length).toBe(0);
    expect(machine.writeMemory(0, asVirtual(0x1000n), new Uint8Array(1))).toBe(0);
    const base = BigInt(machine.registers(0).rsp) - 0x1000n;
    const table = machine.walk(0, asVirtual(base - 0x1000n));
    expect(table.steps.length).toBe(4);
    expect(machine.writeMemory(0, asVirtual(base - 0x1000n), new Uint8Array(8))).toBe(0);
    expect(machine.writeMemory(0, asVirtual(0xffff800000000000n), new Uint8Array(8))).toBe(0);
  });

  test('control registers that Xen keeps cannot be set, and the message says so', () => {
    const machine = createMachine(configOf(guest.elf));
    expect(() => machine.setRegister(0, 'cr3', 0n)).toThrow(/cr3 cannot be set/);
    expect(() => machine.setRegister(0, 'cs', 0x10n)).toThrow(/no such segment/);
  });
});

describe('console', () => {
  test('input larger than the ring waits for room and arrives in order', () => {
    const { elf } = assemble(`
main:
${HANDLERS}
  # the ring's page: M2P[console mfn] gives its page number
  mov 72(%rbx), %rax
  mov $0xffff800000000000, %rcx
  mov (%rcx,%rax,8), %rbp
  shl $12, %rbp
  mov $0xffffffff80000000, %rcx
  add %rcx, %rbp
  xor %r12d, %r12d
1: mov 0xc00(%rbp), %eax
  cmp 0xc04(%rbp), %eax
  je 3f
  mov %eax, %edx
  and $1023, %edx
  movzbl (%rbp,%rdx), %ecx
  imul $31, %r12d, %r12d
  add %ecx, %r12d
  inc %eax
  mov %eax, 0xc00(%rbp)
  cmp $10, %ecx
  jne 1b
  mov %r12d, %r15d
  ret
3: movl $2, argument(%rip)
  mov $4, %edi
  lea argument(%rip), %rsi
  HYPERCALL 32
  xor %edi, %edi
  HYPERCALL 29
  jmp 1b
${UPCALL}${TRAPS()}${DATA}`);
    const text = `${Array.from({ length: 5_000 }, (_, n) => String.fromCharCode(97 + (n % 26))).join('')}\n`;
    let expected = 0;
    for (const c of text) expected = (Math.imul(expected, 31) + c.charCodeAt(0)) | 0;
    const machine = createMachine(configOf(elf));
    machine.inject({ kind: 'console', domain: 1, bytes: new TextEncoder().encode(text) });
    expect(machine.run({ instructions: 10_000_000 })).toMatchObject({ kind: 'ended', ending: { kind: 'poweroff' } });
    expect(Number(machine.registers(0).r15)).toBe(expected >>> 0);
  });
});
