// ELF constants and the names that messages use (System V gABI, x86 supplements).

export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;

export const EM_386 = 3;
export const EM_X86_64 = 62;

export const PT_LOAD = 1;
export const PT_NOTE = 4;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_DYNSYM = 11;
export const SHF_ALLOC = 2;
export const SHF_EXECINSTR = 4;
export const SHF_COMPRESSED = 0x800;

/** e_machine values that a user may plausibly hand in. */
export const MACHINE_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'no machine'],
  [2, 'SPARC'],
  [3, 'Intel 80386'],
  [4, 'Motorola 68000'],
  [8, 'MIPS'],
  [15, 'PA-RISC'],
  [18, 'SPARC 32+'],
  [20, 'PowerPC'],
  [21, 'PowerPC 64'],
  [22, 'IBM S/390'],
  [40, 'ARM (32-bit)'],
  [42, 'SuperH'],
  [43, 'SPARC V9'],
  [50, 'IA-64'],
  [62, 'AMD x86-64'],
  [93, 'Xtensa'],
  [164, 'Hexagon'],
  [183, 'AArch64 (64-bit ARM)'],
  [189, 'MicroBlaze'],
  [224, 'AMD GPU'],
  [243, 'RISC-V'],
  [247, 'Linux BPF'],
  [258, 'LoongArch'],
  [36902, 'Alpha'],
]);

export const machineName = (machine: number): string => MACHINE_NAMES.get(machine) ?? `machine number ${machine}`;

export const TYPE_NAMES: readonly string[] = ['ET_NONE', 'ET_REL', 'ET_EXEC', 'ET_DYN', 'ET_CORE'];
