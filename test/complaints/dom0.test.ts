// Mistakes of kernels that run as dom0 which real Xen lets pass without a word, or with one that does not say why: each as a guest that makes it
// (guests/dom0-*), and the one line that it gets, with the place in the source.

import { describe, expect, test } from 'vitest';
import { complain } from './complaint.ts';

const asDom0 = { dom0: true } as const;

test('a domU member of the console union of start_info is read: named at the instruction; dom0 members are not', async () => {
  const { advice, places } = await complain('dom0-console-of-domu', asDom0);
  expect(advice).toEqual([expect.stringMatching(/reads start_info at offset 0x[0-9a-f]+, console\.domU\.mfn of a domU\. It is dom0/)]);
  expect(places).toEqual([expect.stringMatching(/ \(run\S*, .*dom0-console-of-domu\.c:10; rule console-member-of-domu\)$/)]);
});

test('the same kernel as domU reads its own members: nothing is said', async () => {
  expect((await complain('dom0-console-of-domu')).advice).toEqual([]);
});

test('a device gets a pseudo-physical address: which frame it looks like, and where that lies', async () => {
  const { advice, places } = await complain('dom0-dma-pseudo-physical', asDom0);
  expect(advice).toHaveLength(2);
  expect(advice[0]).toMatch(
    /The PCI device 00:02\.0 was told to copy 64 bytes to memory at address 0x[0-9a-f]+, which looks like a pseudo-physical one: frame 0x[0-9a-f]+ of this domain lies at machine frame 0x7[0-9a-f]+/,
  );
  expect(advice[1]).toMatch(/at machine address 0xe0000000, which is no memory of this domain/);
  for (const place of places)
    expect(place).toMatch(/ \((copy_to|store32)\S*, .*(dom0-dma-pseudo-physical\.c|device\.h):\d+; rule dma-[a-z-]+\)$/);
});

test('an interrupt that is bound to no port: said once, at the instruction that made the device raise it', async () => {
  const { advice, places } = await complain('dom0-interrupt-unbound', asDom0);
  expect(advice).toEqual([expect.stringMatching(/The PCI device 00:02\.0 raises interrupt 10, which is bound to no event channel/)]);
  expect(places).toHaveLength(1);
});

describe('a level-triggered interrupt', () => {
  test('that is not ended: Xen ends it after a millisecond, and it comes again', async () => {
    const { advice, result } = await complain('dom0-interrupt-not-ended', asDom0);
    expect(advice).toEqual([expect.stringMatching(/Interrupt 10 \(port \d+\) is level-triggered and was not ended within 1 ms/)]);
    expect(result).toMatchObject({ kind: 'ended', ending: { kind: 'poweroff' } });
  });
  test('that is ended comes as often as the device raises it, and nothing is said', async () => {
    const { advice, console } = await complain('dom0-interrupt-handled', asDom0);
    expect(advice).toEqual([]);
    expect(console).toMatch(/identification = 0x10000ed\r?\nfactorial = 0x78\r?\ninterrupts = 0x3/);
  });
});

test('registers that dom0 may not map: what they are, and the line of Xen', async () => {
  const { refusals, xen } = await complain('dom0-maps-local-apic', asDom0);
  expect(refusals[0]).toMatch(/frame 0xfee00, which is not RAM/);
  expect(refusals[0]).toMatch(/local APIC/);
  expect(refusals[0]).toMatch(/run at .*dom0-maps-local-apic\.c:8/);
  expect(xen).toContain('d0v0 d0 non-privileged attempt to map MMIO space fee00');
});

test('firmware is looked for at physical addresses: what lies at that machine address, and that nothing is mapped there', async () => {
  const { told } = await complain('dom0-scans-low-memory', asDom0);
  expect(told).toMatch(/Read of 0xf0000: nothing is mapped there/);
  expect(told).toMatch(/As a machine address it is .*(ROM|BIOS|firmware)/i);
});

test('accesses to devices happen at the same instruction whether code is translated or not', async () => {
  const [translated, interpreted] = [
    await complain('dom0-interrupt-handled', asDom0),
    await complain('dom0-interrupt-handled', { ...asDom0, tier1: false }),
  ];
  expect(interpreted.machine.icount()).toBe(translated.machine.icount());
  expect(interpreted.machine.stateHash()).toBe(translated.machine.stateHash());
});

test('a dom0 too large for a PC whose devices lie above 3 GiB is refused with what to do; a large one finds its memory below them', async () => {
  await expect(complain('dom0-maps-local-apic', { ...asDom0, memoryMib: 3000 })).rejects.toThrow(/RAM ends at 3 GiB.*at most 2880 MiB/);
  expect((await complain('dom0-maps-local-apic', { ...asDom0, memoryMib: 2048 })).refusals[0]).toMatch(/frame 0xfee00, which is not RAM/);
});

test('a copy from a device to an address that is not mapped: the fault is that of the store', async () => {
  expect((await complain('dom0-copies-to-unmapped', asDom0)).told).toMatch(/Write of 0x10000: nothing is mapped there/);
});
