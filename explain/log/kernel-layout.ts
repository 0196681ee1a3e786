// What Xen says of dom0's kernel while it loads it: the values of the notes as it understood them. Format: Xen 4.17,
// common/libelf/libelf-dominfo.c. What the toolstack prints for a domU (xl -vvv) has the same lines.

import type { LogFact, LogLine, LogNote } from './note.ts';

const ADDRESSES = /^ELF: addresses:/;
const FIELD = /^\s+(virt_base|elf_paddr_offset|virt_offset|virt_kstart|virt_kend|virt_entry|p2m_base) += (0x[0-9a-f]+)/;
const NONE = '0xffffffffffffffff';

const MEANS: Readonly<Record<string, string>> = {
  virt_base: 'virtual address of the domain’s first page (note VIRT_BASE)',
  elf_paddr_offset: 'subtracted from the physical addresses of the file (note PADDR_OFFSET)',
  virt_offset: 'from pseudo-physical to virtual addresses',
  virt_kstart: 'where the image begins',
  virt_kend: 'where the image ends: the builder’s own pages come behind it',
  virt_entry: 'where vCPU 0 starts (note ENTRY)',
  p2m_base: 'where the list of machine frames is to be mapped (note INIT_P2M)',
};

export const startsKernelLayout = (line: LogLine): boolean => ADDRESSES.test(line.text) || FIELD.test(line.text);

export function readKernelLayout(lines: readonly LogLine[], start: number): { note: LogNote; next: number } {
  const facts: LogFact[] = [];
  let next = ADDRESSES.test(lines[start]!.text) ? start + 1 : start;
  for (; next < lines.length; next++) {
    const match = FIELD.exec(lines[next]!.text);
    if (!match) break;
    const [, name, value] = match as unknown as [string, string, string];
    const means = name === 'p2m_base' && value === NONE ? 'the kernel does not say: the list goes behind the image' : MEANS[name]!;
    facts.push({ name, value, means });
  }
  return {
    note: {
      kind: 'kernel-layout',
      line: lines[start]!.number,
      lastLine: lines[next - 1]!.number,
      text: lines[start]!.text.trim(),
      says: 'Where Xen puts the kernel, from the notes of its ELF file.',
      facts,
    },
    next,
  };
}
