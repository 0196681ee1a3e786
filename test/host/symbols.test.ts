// Stacks where debug information does not help: stubs of the hypercall page and bounce frames, in both bitnesses.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { GuestSymbols } from '../../host/symbols/guest-symbols.ts';
import { atHandlerEntry, findBounceFrame, unwindStub } from '../../host/symbols/interrupted.ts';
import { SourcePaths } from '../../host/symbols/source-paths.ts';
import { openKernel } from '../../image/elf/kernel.ts';
import type { Machine } from '../../simulator/machine-types.ts';
import { repository, tinykernel } from '../debug-adapter/client.ts';

const kernel = openKernel(readFileSync(tinykernel));
const symbols = new GuestSymbols(kernel, { program: tinykernel, cwd: repository, sourceMap: {} }, () => 0xffffffff80101000n);
const code = symbols.symbolizer.functionsNamed('kernel_main')[0]!.entry;
const handler = symbols.symbolizer.functionsNamed('event_entry')[0]!.entry;
const traps = [{ vector: 14, address: symbols.symbolizer.functionsNamed('trap_entries')[0]!.entry }];

/** A stack at 0x1000 of words. */
const stack =
  (words: readonly bigint[], size = 8n) =>
  (address: bigint): bigint | null => {
    if (address === code) return 0n;
    const index = (address - 0x1000n) / size;
    return address >= 0x1000n && index < BigInt(words.length) ? words[Number(index)]! : null;
  };
const machine = (bits: 64 | 32, registered = true): Machine =>
  ({
    bits,
    callbacks: () => (registered ? { event: handler, failsafe: null, traps } : { event: null, failsafe: null, traps: [] }),
  }) as unknown as Machine;

describe('a stub of the hypercall page', () => {
  test.each([
    [0, [0x77n]],
    [1, [0x11n, 0x77n]],
    [3, [0xb11n, 0x11n, 0x77n]],
    [8, [0xb11n, 0x11n, 0x77n]],
    [10, [0xb11n, 0x11n, 0x77n]],
    [12, [0x11n, 0x77n]],
    [13, [0x77n]],
  ])('of 64 bits at byte %i returns where its return address says', (offset, words) => {
    const caller = unwindStub({ nr: 26, offset }, 64, { rsp: 0x1000n, rcx: 0x99n }, stack(words));
    expect(caller).toEqual({ rip: 0x77n, rsp: 0x1000n + 8n * BigInt(words.length), rcx: words.length > 1 ? 0x11n : 0x99n });
  });
  test('of 32 bits keeps nothing on the stack', () => {
    expect(unwindStub({ nr: 26, offset: 7 }, 32, { rsp: 0x1000n }, stack([0x77n], 4n))).toEqual({ rip: 0x77n, rsp: 0x1004n });
  });
  test('of iret goes on where its frame says', () => {
    const frame = [0x1n, 0x2n, 0x3n, 0x4n, 0x77n, 0xe033n, 0x202n, 0x9000n, 0xe02bn];
    expect(unwindStub({ nr: 23, offset: 8 }, 64, { rsp: 0x1000n }, stack(frame))).toEqual({ rip: 0x77n, rsp: 0x9000n });
  });
  test('on an unmapped stack has no known caller', () => {
    expect(unwindStub({ nr: 26, offset: 8 }, 64, { rsp: 0x5000n }, stack([]))).toBeNull();
  });
});

describe('a bounce frame', () => {
  test('at the first instruction of a registered handler has a known layout', () => {
    const upcall = [0xcn, 0xbn, code, 0xe033n, 0x202n, 0x9000n, 0xe02bn];
    expect(atHandlerEntry(handler, 0x1000n, machine(64), 0, stack(upcall))).toEqual({ rip: code, rsp: 0x9000n, rcx: 0xcn, r11: 0xbn });
    const fault = [0xcn, 0xbn, 0x2n, code, 0xe033n, 0x202n, 0x9000n, 0xe02bn];
    expect(atHandlerEntry(traps[0]!.address, 0x1000n, machine(64), 0, stack(fault))).toEqual({
      rip: code,
      rsp: 0x9000n,
      rcx: 0xcn,
      r11: 0xbn,
    });
    expect(atHandlerEntry(code, 0x1000n, machine(64), 0, stack(upcall))).toBeNull();
  });

  test('is found above what a handler without call frame information has pushed', () => {
    const words = [1n, 2n, 3n, 0xdeadn, code, 0xe033n, 0x10202n, 0x9000n, 0xe02bn];
    expect(findBounceFrame(0x1000n, null, machine(64), 0, symbols, stack(words))).toEqual({ rip: code, rsp: 0x9000n });
  });

  test('is not seen in words that cannot be one', () => {
    const wrongFlags = [code, 0xe033n, 0x8000_0202n, 0x9000n, 0xe02bn];
    const wrongSelector = [code, 0xe030n, 0x202n, 0x9000n, 0xe02bn];
    const notCode = [0x1234n, 0xe033n, 0x202n, 0x9000n, 0xe02bn];
    for (const words of [wrongFlags, wrongSelector, notCode])
      expect(findBounceFrame(0x1000n, null, machine(64), 0, symbols, stack(words))).toBeNull();
  });

  test('cannot be there before a handler is registered, nor above an ordinary return address', () => {
    const words = [code, 0xe033n, 0x202n, 0x9000n, 0xe02bn];
    expect(findBounceFrame(0x1000n, null, machine(64, false), 0, symbols, stack(words))).toBeNull();
    expect(findBounceFrame(0x1000n, 0x1000n, machine(64), 0, symbols, stack(words))).toBeNull();
  });
});

test('stubs are named after their calls', () => {
  expect(symbols.stubAt(0xffffffff80101000n + 26n * 32n + 8n)).toEqual({ nr: 26, offset: 8 });
  expect(symbols.locate(0xffffffff80101000n + 26n * 32n + 8n)).toEqual({
    function: 'hypercall_page: mmuext_op',
    offset: 8,
    file: null,
    line: null,
  });
  expect(symbols.stubAt(0xffffffff80102000n)).toBeNull();
});

describe('sources', () => {
  test('recorded relative to a folder above the kernel are found there', () => {
    expect(symbols.localPath('samples/tinykernel/xen/main.c')).toBe(`${repository}/samples/tinykernel/xen/main.c`);
  });
  test('recorded absolutely elsewhere are found by their end, but never by the bare name', () => {
    const paths = new SourcePaths(tinykernel, repository);
    expect(paths.local('/build/x/samples/tinykernel/xen/main.c')).toBe(`${repository}/samples/tinykernel/xen/main.c`);
    expect(paths.local('/build/x/README.md')).toBeNull();
    expect(paths.local('nowhere.c')).toBeNull();
  });
  test('of an editor are matched with the recorded file of the same name', () => {
    expect(symbols.recordedFiles(`${repository}/samples/tinykernel/xen/main.c`)).toEqual(['samples/tinykernel/xen/main.c']);
    expect(symbols.recordedFiles('/other/place/xen/main.c')).toEqual([]);
  });
  test('of a kernel without debug information: the warning says how to build it', () => {
    expect(symbols.warnings).toEqual([]);
  });
});
