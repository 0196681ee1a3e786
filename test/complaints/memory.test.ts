// Complaints about memory that people who port to Xen PV made, each as a guest that makes the mistake (guests/), and the answer that it gets. Lines
// of Xen's are those of a debug build of real Xen 4.17 for the same calls (test/explain/xen-lines).

import { describe, expect, test } from 'vitest';
import { complain } from './complaint.ts';

describe('2: an entry exists in the kernel’s own tables, but not in those that are loaded', () => {
  test('a hypercall on it: the walk, the other tables in which it exists, the line of the kernel', async () => {
    const { refusals } = await complain('pte-in-other-tables');
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatch(/^update_va_mapping returned -22: .*there is no level 1 table for 0xf8684000/);
    expect(refusals[0]).toMatch(/mapped in another top-level table of the domain \(frame 0x[0-9a-f]+\), but not in the one that is loaded/);
    expect(refusals[0]).toMatch(/Walk: l4\[0\] in frame 0x[0-9a-f]+ = 0x0/);
    expect(refusals[0]).toMatch(/run at .*pte-in-other-tables\.c:\d+/);
  });
  test('a plain store through it: the same, from the page fault', async () => {
    const { told } = await complain('pte-in-other-tables');
    expect(told).toMatch(/Write of 0xf8684000: nothing is mapped there \(level 4 entry not present\)/);
    expect(told).toMatch(/Nothing is mapped in the whole 512 GiB around it/);
    expect(told).toMatch(/mapped in another top-level table/);
  });
});

test('3: a pfn where an mfn belongs: whose frame it is, and which machine frame the pfn has', async () => {
  const { refusals, xen } = await complain('pfn-for-mfn');
  expect(refusals[0]).toMatch(/frame 0x111 belongs to domain 0, not to domain 1/);
  expect(refusals[0]).toMatch(/its machine frame is 0x7[0-9a-f]+\. A pfn stands where an mfn is meant/);
  expect(xen).toEqual([
    'd1v0 pg_owner d1 l1e_owner d1, but real_pg_owner d0',
    'd1v0 Error getting mfn 00111 (pfn ffffffffffffffff) from L1 entry 0010000000111007 for l1e_owner d1, pg_owner d1',
  ]);
});

test('4: a domU maps device memory: what a PC has there, that nothing was granted, the call stack', async () => {
  const { refusals, xen } = await complain('maps-device');
  expect(refusals[1]).toMatch(/frame 0xfee00, which is not RAM/);
  expect(refusals[1]).toMatch(/At this frame a PC has the local APIC; the domain was given no I\/O memory \(xl: iomem=, pci=\)/);
  expect(refusals[1]).toMatch(/map_page at .*pages\.c:\d+\n.*probe at .*maps-device\.c:6\n.*run at .*maps-device\.c:11/);
  expect(refusals[2]).toMatch(/has the flags 0x10, which a guest may not set/);
  expect(xen).toEqual([
    'd1v0 d1 non-privileged attempt to map MMIO space fe000',
    'd1v0 d1 non-privileged attempt to map MMIO space fee00',
    'd1v0 Bad L1 flags 10',
  ]);
});

test('5: address bits in a not-present entry: bit by bit, and the line that people search for', async () => {
  const crash = await complain('not-present-address', { l1tf: 'crash' });
  expect(crash.told).toMatch(
    /entry 0x8010000013600066 is not present, with address bits 0x13600000 left in it \(writable, user, accessed, dirty, .*no execute\)/,
  );
  expect(crash.told).toMatch(/What to do: Clear the whole entry/);
  expect(crash.xen).toEqual(['d1 L1TF-vulnerable L1e 8010000013600066 - Crashing']);
  const warn = await complain('not-present-address', { l1tf: 'warn' });
  expect(warn).toMatchObject({
    result: { kind: 'ended', ending: { kind: 'poweroff' } },
    xen: ['d1 L1TF-vulnerable L1e 8010000013600066 - Shadowing'],
  });
  expect((await complain('not-present-address')).xen).toEqual([]);
});

test('6: a driver reads registers that are not mapped: the device at that machine address, at the line of the read', async () => {
  const { told } = await complain('reads-device');
  expect(told).toMatch(
    /As a machine address it is the power management controller of Intel chipsets: physical addresses are not mapped for a PV guest/,
  );
  expect(told).toMatch(/#0 read_register at .*reads-device\.c:6/);
});

describe('18: faults are told with what lies at the address', () => {
  test.each([
    ['behind-shared-info', /Write of 0xffffffffc0001010.*\n.*lies 0x10 bytes behind shared_info, mapped at 0xffffffffc0000000/],
    ['null-field', /Read of 0x28.*\n.*\n.*page 0: a null pointer, or the field at offset 0x28 of a structure through one/],
    [
      'far-address',
      /Read of 0x100000000044: nothing is mapped there \(level 4 entry not present\)\.\nNothing is mapped in the whole 512 GiB around it/,
    ],
    ['writes-m2p', /lies in the machine-to-physical table \(read only\).*\n.*mmu_update and MMU_MACHPHYS_UPDATE/],
  ])('%s', async (name, text) => {
    const { told } = await complain(name);
    expect(told).toMatch(text);
    expect(told).toMatch(new RegExp(`#0 \\w+ at .*${name}\\.c:\\d+`));
  });
});

describe('the specimen: a kernel for domUs boots as dom0 and takes start_info.console for a ring', () => {
  test('is told in one line, and again with the fault at its source line', async () => {
    const { advice, told } = await complain('console-union', { dom0: true });
    expect(advice.join('\n')).toMatch(/console/);
    expect(told).toMatch(
      /The guest reads start_info\.console\.domU \(mfn 0x[0-9a-f]+\), but it runs as dom0 \(SIF_INITDOMAIN\), where these bytes are console\.dom0: info_off \d+, info_size \d+\./,
    );
    expect(told).toMatch(/#0 console_ring at .*console-union\.c:11/);
    expect(told).toMatch(/dom0 has no console ring: it prints with console_io/);
  });
  test('as a domU the same kernel has nothing wrong with it', async () => {
    const { result, advice } = await complain('console-union');
    expect(result).toMatchObject({ kind: 'ended', ending: { kind: 'poweroff' } });
    expect(advice).toEqual([]);
  });
});
