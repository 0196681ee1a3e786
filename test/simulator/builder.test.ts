// The domain builder: where everything lies and what the guest finds. Oracle: the layout that real Xen's toolstack (domU) and Xen
// itself (dom0) gave the same kernel: 0x10f pages, 64 MB, addresses read from start_info there.

import { describe, expect, test } from 'vitest';
import { StructView, sizeOf } from '../../abi/layout.ts';
import { planKernel } from '../../simulator/builder/plan.ts';
import { createMachine } from '../../simulator/machine.ts';
import { KernelImageError } from '../../simulator/machine-types.ts';
import { BASE, Guest, planOf } from './guest.ts';
import { checkInvariants } from './invariants.ts';
import { configOf } from './run.ts';

/** The recorded kernel: 1 MiB below it, 15 pages of its own. */
const recorded = planOf(0, {
  kernelStart: BASE + 0x100000n,
  kernelEnd: BASE + 0x10f000n,
  entry: BASE + 0x100000n,
  segments: [{ address: BASE + 0x100000n, bytes: new Uint8Array(100).fill(0x90), memorySize: 0xf000n }],
});

const startInfo = (g: Guest): StructView =>
  new StructView('start_info', 64, g.hv.memory.ram.page(g.mfn(g.hv.domain.built.layout.startInfo)).slice(0, sizeOf('start_info', 64)));

describe('a domU as xl builds it', () => {
  const g = new Guest({ memoryMib: 64, plan: recorded });
  const si = startInfo(g);

  test('has start_info, p2m list and page tables at the recorded addresses', () => {
    expect(g.hv.domain.built.startInfo).toBe(0xffffffff8012f000n);
    expect(si.text('magic')).toBe('xen-3.0-x86_64');
    expect(si.number('nr_pages')).toBe(0x4000);
    expect(si.big('mfn_list')).toBe(0xffffffff8010f000n);
    expect(si.big('pt_base')).toBe(0xffffffff80132000n);
    expect(si.number('nr_pt_frames')).toBe(5);
    expect(si.number('flags')).toBe(0);
  });

  test('finds its rings where start_info says, and ports 1 and 2 bound to them', () => {
    expect(si.number('store_mfn')).toBe(g.mfn(0x130));
    expect(si.number('console.domU.mfn')).toBe(g.mfn(0x131));
    expect([si.number('store_evtchn'), si.number('console.domU.evtchn')]).toEqual([1, 2]);
    expect(g.hv.domain.events.port(1)?.channel).toMatchObject({ kind: 'interdomain', backEnd: { name: 'store' } });
    expect(g.hv.domain.events.port(2)?.channel).toMatchObject({ kind: 'interdomain', backEnd: { name: 'console' } });
  });

  test('starts with rsi at start_info, the stack behind the page tables, and events masked', () => {
    const { cpu } = g.hv.current;
    expect(cpu.get('rsi')).toBe(0xffffffff8012f000n);
    expect(cpu.get('rsp')).toBe(0xffffffff80138000n);
    expect(cpu.rip).toBe(recorded.entry);
    expect(g.hv.domain.events.upcallMask(0)).toBe(1);
  });

  test('sees its page tables read only and everything else writable, with at least 512 KiB to spare, up to a multiple of 4 MiB', () => {
    const { layout } = g.hv.domain.built;
    const { walker } = g.hv.memory;
    for (let pfn = 0; pfn < Number((layout.virtualEnd - BASE) / 4096n); pfn++) {
      const entry = walker.steps(g.hv.current.root, g.address(pfn)).at(-1)!.entry;
      const isTable = pfn >= layout.tables.pfn && pfn < layout.tables.pfn + layout.tables.pages;
      expect(entry & 2n).toBe(isTable ? 0n : 2n);
      expect(Number((entry >> 12n) & 0xffffffffffn)).toBe(g.mfn(pfn));
    }
    expect(layout.virtualEnd).toBe(0xffffffff80400000n);
  });

  test('p2m and m2p are inverse, and no machine frame equals its pseudo-physical number', () => {
    const { ram, m2p } = g.hv.memory;
    for (let pfn = 0; pfn < 0x4000; pfn++) {
      const mfn = g.mfn(pfn);
      expect(mfn).not.toBe(pfn);
      expect(ram.entry(m2p.frame(mfn * 8), mfn % 512)).toBe(BigInt(pfn));
    }
    const list = g.bytes(0xffffffff8010f000n, 0x20000);
    expect(list.getBigUint64(8 * 0x3fff, true)).toBe(BigInt(g.mfn(0x3fff)));
  });

  test('leaves a frame table whose counts add up', () => {
    expect(checkInvariants(g.hv)).toEqual([]);
  });
});

describe('dom0 as Xen builds it', () => {
  test('has no rings but the video console behind start_info, privileged flags, and its tables right behind', () => {
    const g = new Guest({ memoryMib: 64, plan: recorded, dom0: true });
    const si = startInfo(g);
    expect(si.number('flags')).toBe(0x303);
    expect(si.big('pt_base')).toBe(0xffffffff80130000n);
    expect(g.hv.domain.built.startInfo).toBe(0xffffffff8012f000n);
    expect([si.number('store_mfn'), si.number('console.dom0.info_off'), si.number('console.dom0.info_size')]).toEqual([0, 1168, 40]);
    expect(g.hv.domain.events.ports.filter((port) => port.usable())).toEqual([]);
    expect(checkInvariants(g.hv)).toEqual([]);
  });
});

describe('what the notes ask for', () => {
  test('INIT_P2M puts the p2m list outside the kernel mapping, with tables of its own', () => {
    const p2mBase = 0x8000000000n;
    const g = new Guest({ memoryMib: 64, plan: planOf(16, { initP2m: p2mBase }) });
    const si = startInfo(g);
    expect(si.big('mfn_list')).toBe(p2mBase);
    // The list's 32 pages, and a table on each of levels 3 to 1.
    expect(si.number('nr_p2m_frames')).toBe(35);
    expect(si.number('first_p2m_pfn')).toBe(g.hv.domain.built.layout.p2m.pfn);
    expect(g.bytes(p2mBase + 8n * 0x123n, 8).getBigUint64(0, true)).toBe(BigInt(g.mfn(0x123)));
    expect(checkInvariants(g.hv)).toEqual([]);
  });

  test('a ramdisk is mapped behind the kernel, or with MOD_START_PFN given by page number', () => {
    const ramdisk = new Uint8Array(5000).map((_, n) => n % 251);
    const mapped = new Guest({ plan: planOf(16), ramdisk });
    expect(startInfo(mapped).big('mod_start')).toBe(BASE + 0x10000n);
    expect(startInfo(mapped).number('mod_len')).toBe(5000);
    expect(mapped.bytes(BASE + 0x10000n + 4999n, 1).getUint8(0)).toBe(4999 % 251);
    const unmapped = new Guest({ plan: planOf(16, { modStartPfn: true }), ramdisk });
    const si = startInfo(unmapped);
    expect(si.number('flags')).toBe(8);
    const pfn = si.number('mod_start');
    expect(unmapped.hv.memory.ram.page(unmapped.mfn(pfn))[100]).toBe(100);
  });

  test('HYPERCALL_PAGE is filled with stubs of 32 bytes', () => {
    const g = new Guest({ plan: planOf(16, { hypercallPage: BASE + 0x3000n }) });
    const stub = (nr: number, length: number) => [...new Uint8Array(g.bytes(BASE + 0x3000n + BigInt(nr * 32), length).buffer)];
    expect(stub(26, 14)).toEqual([0x51, 0x41, 0x53, 0xb8, 26, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3]);
    expect(stub(23, 11)).toEqual([0x51, 0x41, 0x53, 0x50, 0xb8, 23, 0, 0, 0, 0x0f, 0x05]);
  });
});

describe('what cannot be built is said in a sentence', () => {
  const message = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      expect(error).toBeInstanceOf(KernelImageError);
      return (error as Error).message;
    }
    throw new Error('it was accepted');
  };

  test('a domain too small for its kernel', () => {
    expect(message(() => new Guest({ memoryMib: 1, plan: planOf(300) }))).toMatch(/1 MiB, too little for its kernel.*--memory/);
  });

  test('a kernel in the range of Xen', () => {
    const base = 0xffff810000000000n;
    const plan = planOf(1, { virtualBase: base, kernelStart: base, kernelEnd: base + 4096n, segments: [] });
    expect(message(() => new Guest({ plan }))).toMatch(/inside the range that Xen keeps/);
  });

  test('files that are no kernel: empty, text, a truncated ELF', () => {
    for (const bytes of [new Uint8Array(), new TextEncoder().encode('hello'), new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])]) {
      expect(message(() => planKernel(bytes)).length).toBeGreaterThan(20);
    }
  });

  test('a command line longer than start_info has room for', () => {
    expect(message(() => createMachine(configOf(new Uint8Array(), { cmdline: 'x'.repeat(1024) })))).toMatch(
      /1024 bytes.*room for 1023.*Shorten it/,
    );
  });

  test('memory and vCPU counts that make no sense', () => {
    expect(message(() => createMachine(configOf(new Uint8Array(), { memoryMib: 0 })))).toMatch(/from 1 to 3072/);
    expect(message(() => createMachine(configOf(new Uint8Array(), { vcpus: 33 })))).toMatch(/from 1 to 32/);
  });
});
