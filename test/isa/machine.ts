// A bare machine for engine tests: 4-level page tables in RAM, a host that walks them by the architecture's rules, frames
// handed out in a scattered order so that no test passes by identity mapping.

import { createEngine } from '../../simulator/cpu/engine.ts';
import { Access, type CpuHost, type Engine, type EngineConfig, type SegmentLoad } from '../../simulator/cpu/engine-types.ts';

export interface TestMachine {
  readonly engine: Engine;
  /** Maps `pages` fresh pages at `va`; returns their frames. */
  map(va: bigint, pages: number, options?: { writable?: boolean; user?: boolean; execute?: boolean }): number[];
  /** Maps one page to a given frame. */
  mapFrame(va: bigint, mfn: number, options?: { writable?: boolean; user?: boolean; execute?: boolean }): void;
  unmap(va: bigint): void;
  frame(va: bigint): number;
  entry(va: bigint): bigint;
  setEntry(va: bigint, entry: bigint): void;
  write(va: bigint, bytes: Uint8Array): void;
  read(va: bigint, length: number): Uint8Array;
  /** Number of translate() calls. */
  walks(): number;
}

const P = 1n;
const W = 2n;
const U = 4n;
const A = 32n;
const D = 64n;
const NX = 1n << 63n;
const ADDRESS = 0xffffffffff000n;

export interface TestOptions {
  readonly ramMib?: number;
  readonly vcpus?: number;
  readonly model?: 'amd' | 'intel';
  readonly host?: Partial<CpuHost>;
  /** Another way to make an engine than createEngine. */
  readonly create?: (config: EngineConfig) => Engine;
}

export function testMachine(options: TestOptions = {}): TestMachine {
  const ramBytes = (options.ramMib ?? 16) << 20;
  const frames = ramBytes / 4096;
  const order = Array.from({ length: frames - 1 }, (_, i) => i + 1);
  for (let i = order.length - 1, s = 12345; i > 0; i--) {
    s = (Math.imul(s, 1103515245) + 12345) & 0x7fffffff;
    const j = s % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  let given = 0;
  const allocate = (): number => {
    const frame = order[given++];
    if (frame === undefined) throw new Error('the test machine is out of frames');
    return frame;
  };
  let walks = 0;
  const root = allocate();
  const get = (frame: number, index: number): bigint => engine.ramView.getBigUint64(frame * 4096 + index * 8, true);
  const put = (frame: number, index: number, v: bigint): void => engine.ramView.setBigUint64(frame * 4096 + index * 8, v, true);
  const indices = (lo: number, hi: number): number[] => [
    (hi >>> 7) & 511,
    ((hi & 127) << 2) | (lo >>> 30),
    (lo >>> 21) & 511,
    (lo >>> 12) & 511,
  ];

  const host: CpuHost = {
    translate(_vcpu, lo, hi, access, bank, out) {
      walks++;
      const path: [number, number, bigint][] = [];
      let frame = root;
      let writable = true;
      let user = true;
      let execute = true;
      const code = (access === Access.write ? 2 : 0) | (bank ? 4 : 0) | (access === Access.execute ? 16 : 0);
      for (const index of indices(lo, hi)) {
        const e = get(frame, index);
        if (!(e & P)) {
          out.errorCode = code;
          return false;
        }
        writable &&= (e & W) !== 0n;
        user &&= (e & U) !== 0n;
        execute &&= (e & NX) === 0n;
        path.push([frame, index, e]);
        frame = Number((e & ADDRESS) >> 12n);
      }
      if ((access === Access.write && !writable) || (bank === 1 && !user) || (access === Access.execute && !execute)) {
        out.errorCode = code | 1;
        return false;
      }
      path.forEach(([f, index, e], level) => {
        put(f, index, e | A | (level === 3 && access === Access.write ? D : 0n));
      });
      out.mfn = frame;
      out.writable = writable && (access === Access.write || (path[3]![2] & D) !== 0n);
      return true;
    },
    cpuid: () => ({ eax: 0, ebx: 0, ecx: 0, edx: 0 }),
    tsc: (_vcpu, executed) => BigInt(executed),
    loadSegment: (): SegmentLoad => ({ ok: true, cache: { base: 0n, limit: 0xffffffff, attributes: 0xcff3 } }),
    readDescriptor: () => null,
    sensitive: () => 0n,
    ...options.host,
  };
  const engine: Engine = (options.create ?? createEngine)({ ramBytes, vcpus: options.vcpus ?? 1, model: options.model ?? 'amd', host });

  const leaf = (va: bigint, create: boolean): [number, number] => {
    const [l4, l3, l2, l1] = indices(Number(BigInt.asIntN(32, va)), Number(BigInt.asIntN(32, va >> 32n))) as [
      number,
      number,
      number,
      number,
    ];
    let frame = root;
    for (const index of [l4, l3, l2]) {
      let e = get(frame, index);
      if (!(e & P)) {
        if (!create) throw new Error(`0x${va.toString(16)} is not mapped`);
        e = (BigInt(allocate()) << 12n) | P | W | U;
        put(frame, index, e);
      }
      frame = Number((e & ADDRESS) >> 12n);
    }
    return [frame, l1];
  };
  const machine: TestMachine = {
    engine,
    mapFrame(va, mfn, o = {}) {
      const [frame, index] = leaf(va, true);
      const flags = P | (o.writable === false ? 0n : W) | (o.user === false ? 0n : U) | (o.execute === false ? NX : 0n);
      put(frame, index, (BigInt(mfn) << 12n) | flags);
    },
    map(va, pages, o) {
      return Array.from({ length: pages }, (_, n) => {
        const mfn = allocate();
        machine.mapFrame(BigInt.asUintN(64, va + BigInt(n * 4096)), mfn, o);
        return mfn;
      });
    },
    unmap(va) {
      const [frame, index] = leaf(va, false);
      put(frame, index, 0n);
    },
    entry: (va) => get(...leaf(va, false)),
    setEntry: (va, e) => put(...leaf(va, false), e),
    frame: (va) => Number((get(...leaf(va, false)) & ADDRESS) >> 12n),
    write(va, bytes) {
      for (let i = 0; i < bytes.length; i++) {
        const at = BigInt.asUintN(64, va + BigInt(i));
        const address = machine.frame(at) * 4096 + Number(at & 4095n);
        engine.ram[address] = bytes[i]!;
        engine.written(address, 1);
      }
    },
    read(va, length) {
      const out = new Uint8Array(length);
      for (let i = 0; i < length; i++) {
        const at = BigInt.asUintN(64, va + BigInt(i));
        out[i] = engine.ram[machine.frame(at) * 4096 + Number(at & 4095n)]!;
      }
      return out;
    },
    walks: () => walks,
  };
  return machine;
}
