// Language ids under which editors open assembly: ours and those that other extensions contribute.

export const ASSEMBLY_IDS: readonly string[] = [
  'gas',
  'asm',
  'assembly',
  'nasm',
  'x86asm',
  'asm-collection',
  'asm-intel-x86-generic',
  'gnuassembler',
  's',
];

export const ANALYSED_IDS: readonly string[] = ['c', 'cpp', ...ASSEMBLY_IDS];
