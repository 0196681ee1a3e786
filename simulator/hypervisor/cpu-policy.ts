// What cpuid shows: natively (a PV guest's plain `cpuid` is not intercepted on the reference machine) and by Xen's policy for the
// guest (`ud2; .ascii "xen"; cpuid`). AMD's values are those of QEMU's qemu64 under Xen 4.17, Intel's of Nehalem cut down to the
// instructions that this engine has.

import type { CpuModelName } from '../machine-types.ts';

export interface CpuidResult {
  eax: number;
  ebx: number;
  ecx: number;
  edx: number;
}

type Leaves = Readonly<Record<number, readonly [number, number, number, number]>>;

export interface CpuPolicy {
  native(leaf: number, subleaf: number): CpuidResult;
  guest(leaf: number, subleaf: number): CpuidResult;
}

const text = (s: string): number => s.charCodeAt(0) | (s.charCodeAt(1) << 8) | (s.charCodeAt(2) << 16) | (s.charCodeAt(3) << 24);
const brand = (s: string): readonly (readonly [number, number, number, number])[] => {
  const padded = s.padEnd(48, '\0');
  return [0, 16, 32].map(
    (at) => [text(padded.slice(at)), text(padded.slice(at + 4)), text(padded.slice(at + 8)), text(padded.slice(at + 12))] as const,
  );
};

const AMD_BRAND = brand('QEMU Virtual CPU version 2.5+');
const INTEL_BRAND = brand('Intel Core i7 9xx (Nehalem Class Core i7)');
const AMD = [0x68747541, 0x444d4163, 0x69746e65] as const;
const INTEL = [0x756e6547, 0x6c65746e, 0x49656e69] as const;

const AMD_NATIVE: Leaves = {
  0: [0xd, ...AMD],
  1: [0x60fb1, 0x800, 0x80002001, 0x78bfbfd],
  1073741824: [0x40000001, 0x54474354, 0x43544743, 0x47435447],
  2147483648: [0x8000000a, ...AMD],
  2147483649: [0x60fb1, 0, 5, 0x2193fbfd],
  2147483650: AMD_BRAND[0]!,
  2147483651: AMD_BRAND[1]!,
  2147483652: AMD_BRAND[2]!,
  2147483653: [0x01ff01ff, 0x01ff01ff, 0x40020140, 0x40020140],
  2147483654: [0, 0x42004200, 0x02008140, 0],
  2147483656: [0x3028, 0, 0, 0],
};

const INTEL_NATIVE: Leaves = {
  0: [0xb, ...INTEL],
  1: [0x106a3, 0x800, 0x80002001, 0x78bfbfd],
  2: [1, 0, 0x4d, 0x2c307d],
  5: [0, 0, 3, 0],
  11: [0, 1, 0x100, 0],
  1073741824: [0x40000001, 0x54474354, 0x43544743, 0x47435447],
  2147483648: [0x80000008, ...INTEL],
  2147483649: [0x106a3, 0, 1, 0x20100800],
  2147483650: INTEL_BRAND[0]!,
  2147483651: INTEL_BRAND[1]!,
  2147483652: INTEL_BRAND[2]!,
  2147483653: [0x01ff01ff, 0x01ff01ff, 0x40020140, 0x40020140],
  2147483654: [0, 0x42004200, 0x02008140, 0x00808140],
  2147483656: [0x3028, 0, 0, 0],
};

/** Leaf 4 of Intel's processors by its subleaves: the caches. */
const INTEL_CACHES: Leaves = {
  0: [0x121, 0x01c0003f, 0x3f, 1],
  1: [0x122, 0x01c0003f, 0x3f, 1],
  2: [0x143, 0x03c0003f, 0xfff, 1],
  3: [0x163, 0x03c0003f, 0x3fff, 6],
};
const NOTHING = [0, 0, 0, 0] as const;

/** What a 32-bit guest is not shown: long mode and what needs it (cmpxchg16b, lahf in 64-bit mode), on Intel's processors syscall, and
 * 64-bit linear addresses. */
const LONG_MODE = 0x2000_0000;
const SYSCALL = 0x800;
const CMPXCHG16B = 0x2000;
function without64(leaves: Leaves, model: CpuModelName): Leaves {
  const [signature, reserved, features, more] = leaves[0x80000001]!;
  const [sizes, ...rest] = leaves[0x80000008]!;
  const [first, brand, ecx, edx] = leaves[1]!;
  return {
    ...leaves,
    1: [first, brand, ecx & ~CMPXCHG16B, edx],
    2147483649: [signature, reserved, features & ~1, more & ~LONG_MODE & (model === 'intel' ? ~SYSCALL : -1)],
    2147483656: [(sizes & ~0xff00) | 0x2000, ...rest],
  };
}

/** Leaves that differ between plain cpuid and Xen's policy. `mtrr`: dom0 keeps the MTRR bit. */
function guestLeaves(model: CpuModelName, dom0: boolean, hostFrames: number): Leaves {
  const mtrr = dom0 ? 0x1000 : 0;
  const machineBits = Math.floor(Math.log2(hostFrames - 1)) + 1 + 12;
  return {
    ...(model === 'amd' ? AMD_NATIVE : INTEL_NATIVE),
    ...(model === 'amd'
      ? {
          1: [0x60fb1, 0x800, 0x80002001, 0x789c3f5 | mtrr] as const,
          2147483648: [0x80000021, ...AMD] as const,
          2147483649: [0x60fb1, 0, 1, 0x2191cbf5 | mtrr] as const,
        }
      : {
          1: [0x106a3, 0x800, 0x80002001, 0x789cbf5 | mtrr] as const,
          5: NOTHING,
          7: [0, 0, 0, 0x20000000] as const,
          11: NOTHING,
          2147483648: [0x80000008, 0, 0, 0] as const,
          2147483649: [0, 0, 1, 0x20100800 | mtrr] as const,
          2147483653: NOTHING,
          2147483654: [0, 0, 0x02008140, 0] as const,
        }),
    1073741824: [0x40000005, 0x566e6558, 0x65584d4d, 0x4d4d566e],
    1073741825: [0x40011, 0, 0, 0],
    1073741826: [1, 0x40000000, 1, 0],
    1073741829: [0, machineBits, 0, 0],
  };
}

export function cpuPolicy(
  model: CpuModelName,
  dom0: boolean,
  tsc: 'emulate' | 'native',
  hostFrames: number,
  bits: 64 | 32 = 64,
): CpuPolicy {
  const nativeLeaves = model === 'amd' ? AMD_NATIVE : INTEL_NATIVE;
  const wide = guestLeaves(model, dom0, hostFrames);
  const guest = bits === 64 ? wide : without64(wide, model);
  const find = (leaves: Leaves, leaf: number): CpuidResult => {
    const [eax, ebx, ecx, edx] = leaves[leaf >>> 0] ?? [0, 0, 0, 0];
    return { eax: eax | 0, ebx: ebx | 0, ecx: ecx | 0, edx: edx | 0 };
  };
  const hasCaches = (leaf: number): boolean => model === 'intel' && leaf === 4;
  return {
    native: (leaf, subleaf) => (hasCaches(leaf) ? find(INTEL_CACHES, subleaf) : find(nativeLeaves, leaf)),
    guest: (leaf, subleaf) => {
      if (hasCaches(leaf)) return find(INTEL_CACHES, subleaf);
      if (leaf >>> 0 === 0x40000003) {
        if (subleaf === 0) return { eax: tsc === 'emulate' ? 1 : 0, ebx: 0, ecx: 1_000_000, edx: 0 };
        if (subleaf === 1) return { eax: 0, ebx: 0, ecx: 0x8000_0000 | 0, edx: 1 };
        if (subleaf === 2) return { eax: 1_000_000, ebx: 0, ecx: 0, edx: 0 };
        return { eax: 0, ebx: 0, ecx: 0, edx: 0 };
      }
      return find(guest, leaf);
    },
  };
}
