// Registers with the names of their bits, as a kernel developer reads them (SDM volume 1, 3.4.3; volume 3, 2.5).

const rflags: readonly (readonly [bit: number, name: string])[] = [
  [0, 'CF'],
  [2, 'PF'],
  [4, 'AF'],
  [6, 'ZF'],
  [7, 'SF'],
  [8, 'TF'],
  [9, 'IF'],
  [10, 'DF'],
  [11, 'OF'],
  [14, 'NT'],
  [16, 'RF'],
  [17, 'VM'],
  [18, 'AC'],
  [19, 'VIF'],
  [20, 'VIP'],
  [21, 'ID'],
];
const cr0: typeof rflags = [
  [0, 'PE'],
  [1, 'MP'],
  [2, 'EM'],
  [3, 'TS'],
  [4, 'ET'],
  [5, 'NE'],
  [16, 'WP'],
  [18, 'AM'],
  [29, 'NW'],
  [30, 'CD'],
  [31, 'PG'],
];
const cr4: typeof rflags = [
  [0, 'VME'],
  [1, 'PVI'],
  [2, 'TSD'],
  [3, 'DE'],
  [4, 'PSE'],
  [5, 'PAE'],
  [6, 'MCE'],
  [7, 'PGE'],
  [8, 'PCE'],
  [9, 'OSFXSR'],
  [10, 'OSXMMEXCPT'],
  [11, 'UMIP'],
  [13, 'VMXE'],
  [16, 'FSGSBASE'],
  [17, 'PCIDE'],
  [18, 'OSXSAVE'],
  [20, 'SMEP'],
  [21, 'SMAP'],
  [22, 'PKE'],
];

const named = (value: bigint, bits: typeof rflags): string =>
  bits
    .filter(([bit]) => (value >> BigInt(bit)) & 1n)
    .map(([, name]) => name)
    .join(' ');

/** `0x246 [PF ZF IF]`, with IOPL where it is not 0. */
export function decodedRegister(name: string, value: bigint): string {
  const shown = `0x${value.toString(16)}`;
  if (name === 'rflags') {
    const iopl = (value >> 12n) & 3n;
    return `${shown} [${[named(value, rflags), ...(iopl ? [`IOPL=${iopl}`] : [])].filter(Boolean).join(' ')}]`;
  }
  if (name === 'cr0') return `${shown} [${named(value, cr0)}]`;
  if (name === 'cr4') return `${shown} [${named(value, cr4)}]`;
  return shown;
}

/** `0xe033 [index 7174, GDT, RPL 3]`. */
export function decodedSelector(value: number): string {
  if (value < 4) return `0x${value.toString(16)} [null]`;
  return `0x${value.toString(16)} [index ${value >> 3}, ${value & 4 ? 'LDT' : 'GDT'}, RPL ${value & 3}]`;
}
