// Watchpoints: an access stops the run right after its instruction and is named; nothing else about the run changes.

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../simulator/cpu/engine.ts';
import type { Engine, EngineConfig, Watchpoint } from '../../simulator/cpu/engine-types.ts';
import type { TestMachine } from './machine.ts';
import { CODE, DATA, loadProgram, MIXED, STACK } from './programs.ts';

const bytes = (...v: number[]): Uint8Array => Uint8Array.from(v);
const dword = (v: number): Uint8Array => new Uint8Array(Uint32Array.of(v).buffer);

function watched(source: string, watchpoints: readonly Watchpoint[], setUp: (m: TestMachine) => void = () => {}): TestMachine {
  const m = loadProgram(source);
  m.engine.vcpus[0]!.set('rbx', DATA);
  setUp(m);
  m.engine.setWatchpoints(watchpoints);
  return m;
}
const at = (address: bigint, length: number, access: Watchpoint['access']): Watchpoint => ({ address, length, access });

describe('an access is named with what it did:', () => {
  const cases: [string, string, Watchpoint, object][] = [
    [
      'a store',
      'mov dword ptr [rbx+8], 0x12345678',
      at(DATA + 8n, 4, 'write'),
      { address: DATA + 8n, size: 4, access: 'write', before: dword(0), after: dword(0x12345678) },
    ],
    [
      'a load',
      'mov eax, [rbx+8]',
      at(DATA + 8n, 4, 'read'),
      { address: DATA + 8n, size: 4, access: 'read', before: dword(0), after: dword(0) },
    ],
    [
      'a wide store over one watched byte',
      'mov qword ptr [rbx+4], 1',
      at(DATA + 9n, 1, 'write'),
      { address: DATA + 4n, size: 8, access: 'write' },
    ],
    [
      'an update is read and write',
      'add dword ptr [rbx+8], 5',
      at(DATA + 8n, 4, 'read'),
      { access: 'update', before: dword(0), after: dword(5) },
    ],
    [
      'a bit set in a string',
      'mov ecx, 70\nbts [rbx], ecx',
      at(DATA + 8n, 1, 'access'),
      { address: DATA + 8n, size: 4, access: 'update', after: dword(1 << 6) },
    ],
    [
      'a push',
      'push 7',
      at(STACK - 8n, 8, 'write'),
      { address: STACK - 8n, size: 8, access: 'write', after: bytes(7, 0, 0, 0, 0, 0, 0, 0) },
    ],
    [
      'a store over a page border',
      'mov dword ptr [rbx+0xffe], 0x04030201',
      at(DATA + 0x1000n, 1, 'write'),
      { address: DATA + 0xffen, size: 4, after: bytes(1, 2, 3, 4) },
    ],
    [
      'an SSE store',
      'pcmpeqd xmm0, xmm0\nmovups [rbx+3], xmm0',
      at(DATA + 18n, 1, 'write'),
      { address: DATA + 3n, size: 16, access: 'write' },
    ],
    [
      'an x87 store of ten bytes',
      'fld1\nfstp tbyte ptr [rbx]',
      at(DATA, 16, 'write'),
      { address: DATA, size: 10, access: 'write', after: bytes(0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f) },
    ],
    ['cmpxchg16b', 'cmpxchg16b [rbx+16]', at(DATA + 31n, 1, 'read'), { address: DATA + 16n, size: 16, access: 'update' }],
    ['fxsave, its last bytes', 'fxsave [rbx]', at(DATA + 400n, 16, 'write'), { access: 'write', address: DATA + 400n }],
    [
      'a range of 4096 bytes over two pages',
      'mov byte ptr [rbx+0x17ff], 9',
      at(DATA + 0x800n, 4096, 'write'),
      { address: DATA + 0x17ffn, size: 1, before: bytes(0), after: bytes(9) },
    ],
  ];
  for (const [name, source, watchpoint, hit] of cases)
    test(name, () => {
      const m = watched(`nop\n${source}\nnop\nint3`, [at(DATA + 0x9000n, 8, 'access'), watchpoint]);
      const before = source.split('\n').length;
      const exit = m.engine.run(0, 100);
      expect(exit).toMatchObject({ kind: 'watch', executed: before + 1, vector: 0, dr6: 0 });
      expect(exit.watch).toHaveLength(1);
      expect(exit.watch[0]).toMatchObject({ watchpoint: 1, ...hit });
      // rip lies behind it, and the program goes on from there.
      expect(m.engine.run(0, 100)).toMatchObject({ kind: 'interrupt', executed: 2, watch: [] });
    });
});

describe('no stop for', () => {
  const cases: [string, string, Watchpoint][] = [
    ['a load where stores are watched', 'mov eax, [rbx+8]', at(DATA + 8n, 4, 'write')],
    ['a store where loads are watched', 'mov [rbx+8], eax', at(DATA + 8n, 4, 'read')],
    ['the bytes before and behind', 'mov [rbx+4], eax\nmov [rbx+12], eax\nmov [rbx+1], bl', at(DATA + 8n, 4, 'access')],
    ['an address alone', 'lea rax, [rbx+8]\nnop dword ptr [rbx+8]\nprefetcht0 [rbx+8]', at(DATA + 8n, 4, 'access')],
    ['an instruction that faults', 'mov rcx, 0x123456789000\npush qword ptr [rcx]', at(STACK - 8n, 8, 'access')],
    ['the same offset of another page', 'mov [rbx+0x1008], eax', at(DATA + 8n, 4, 'access')],
    ['rep with a count of zero', 'xor ecx, ecx\nmov rdi, rbx\nrep stosb', at(DATA, 4, 'access')],
  ];
  for (const [name, source, watchpoint] of cases)
    test(name, () => expect(watched(`${source}\nint3`, [watchpoint]).engine.run(0, 100).kind).not.toBe('watch'));
});

test('a rep stops behind the iteration that touched it, and again at the next one', () => {
  const m = watched('mov rdi, rbx\nmov ecx, 600\nmov eax, 1\nrep stosq\nint3', [at(DATA + 0x1010n, 16, 'write')]);
  const vcpu = m.engine.vcpus[0]!;
  expect(m.engine.run(0, 1_000_000)).toMatchObject({ kind: 'watch', executed: 3 + 515 });
  expect([vcpu.get('rcx'), vcpu.get('rdi')]).toEqual([85n, DATA + 0x1018n]);
  expect(m.engine.run(0, 1_000_000)).toMatchObject({ kind: 'watch', executed: 1 });
  expect(m.engine.run(0, 1_000_000)).toMatchObject({ kind: 'interrupt', executed: 85 });
});

test('one instruction can hit several watchpoints, and one watchpoint twice', () => {
  const m = watched('mov rsi, rbx\nlea rdi, [rbx+4]\nmovsd', [at(DATA, 8, 'access'), at(DATA + 6n, 1, 'write')]);
  const { watch } = m.engine.run(0, 10);
  expect(watch.map(({ watchpoint, address, access }) => [watchpoint, address, access])).toEqual([
    [0, DATA, 'read'],
    [0, DATA + 4n, 'write'],
    [1, DATA + 4n, 'write'],
  ]);
});

test('a watchpoint that a page was cached before, and one taken away', () => {
  const m = watched('mov [rbx], eax\nmov [rbx], eax\nmov [rbx], eax\nint3', []);
  expect(m.engine.run(0, 1).kind).toBe('budget');
  m.engine.setWatchpoints([at(DATA, 1, 'write')]);
  expect(m.engine.run(0, 10)).toMatchObject({ kind: 'watch', executed: 1 });
  m.engine.setWatchpoints([]);
  expect(m.engine.run(0, 10)).toMatchObject({ kind: 'interrupt', executed: 2 });
});

test('a length of 0 or of more than a page is refused', () => {
  const m = watched('nop', []);
  for (const length of [0, 4097, 1.5]) expect(() => m.engine.setWatchpoints([at(DATA, length, 'read')])).toThrow(RangeError);
});

test('a store into its own block, over a page border and watched, is done once', () => {
  const source = 'lea rax, [rip + there - 1]\ninc dword ptr [rax]\nthere: mov ecx, 0x11\nint3';
  const m = watched(source, [at(CODE, 64, 'access')]);
  expect(m.engine.run(0, 10)).toMatchObject({ kind: 'watch', executed: 2 });
  expect(m.engine.run(0, 10)).toMatchObject({ kind: 'interrupt' });
});

const state = (engine: Engine): string => {
  const hash = createHash('sha256');
  engine.hashState((b) => hash.update(b));
  return hash.update(engine.ram).digest('hex');
};

test('registers, memory, TLB, page walks and counts are those of a run without watchpoints, for every size of slice', () => {
  const run = (
    watchpoints: readonly Watchpoint[],
    slice: number,
    translated = false,
  ): { hash: string; walks: number; stops: number; regions: number } => {
    const tier1Options = { threshold: 4, batch: 1, eager: true };
    const m = loadProgram(MIXED, translated ? { create: (c: EngineConfig) => createEngine({ ...c, tier1: true, tier1Options }) } : {});
    m.engine.setWatchpoints(watchpoints);
    let stops = 0;
    for (let left = 60_000; left > 0; ) {
      const exit = m.engine.run(0, Math.min(left, slice));
      if (exit.kind === 'watch') stops++;
      else expect(exit.kind).toBe('budget');
      left -= exit.executed;
    }
    return { hash: state(m.engine), walks: m.walks(), stops, regions: m.engine.statistics.tier1?.regions ?? 0 };
  };
  const plain = run([], 1_000_000);
  const many = [
    at(DATA + 0xff8n, 16, 'access'),
    at(STACK - 16n, 8, 'read'),
    at(DATA + 0x2ff0n, 4096, 'write'),
    at(DATA + 0x5ffdn, 1, 'access'),
    at(CODE + 0x80n, 300, 'write'),
  ];
  for (const slice of [1_000_000, 777, 1]) {
    const seen = run(many, slice);
    expect([seen.hash, seen.walks]).toEqual([plain.hash, plain.walks]);
    expect(seen.stops).toBeGreaterThan(1000);
    // Translated code leaves to the interpreter for them, and for nothing else.
    const translated = run(many, slice, true);
    expect([translated.hash, translated.walks, translated.stops]).toEqual([plain.hash, plain.walks, seen.stops]);
    if (slice > 1) expect(translated.regions).toBeGreaterThan(0);
  }
}, 60_000);
