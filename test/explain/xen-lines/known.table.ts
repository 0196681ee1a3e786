// Templates of Xen's lines that the comparison of the simulator with a debug build leaves out, and places where the two differ; each with why.

const PIRQ = 'The simulated dom0 is refused the same interrupt with the same errno, without the line.';
const LAST = 'The last line of all: the recording ends while it is printed.';

/** By the text of the template. */
export const notCompared: Readonly<Record<string, string>> = {
  'domain_crash_sync called from entry.S: fault at {xen} {symbol}':
    'Names a place in Xen’s own code; the simulator says what could not be pushed, and where, in the reason of the crash.',
  'Domain {domain} (vcpu#{vcpu}) crashed on cpu#{cpu}:':
    'Heads the dump of registers and stack, which the debugger and `hyperport run` show.',
  'Pre-exception: {xen} -> {fixup}':
    'Names two places in Xen’s own code; the simulator’s record of the exception says which selector it was.',
  'Fixup {exception}[{code}]: {xen} [{symbol}] -> {fixup}': 'Names places in Xen’s own code.',
  'domain_crash called from {place}': 'Names a line of Xen’s source; the simulator’s reason of the crash says what was checked.',
  'Hardware Dom{domain} crashed: rebooting machine in {seconds} seconds.': LAST,
  'Hardware Dom{domain} halted: halting machine': LAST,
  'dom{domain}: pirq {pirq} not mapped': PIRQ,
  'dom{domain}: {pirq}:{irq} already mapped to {bound}': PIRQ,
  'dom{domain}: irq {irq} already mapped to pirq {pirq}': PIRQ,
  'dom{domain}: map invalid irq {irq}': PIRQ,
  'dom{domain}: invalid pirq {pirq} or irq {irq}': PIRQ,
  'dom{domain}: wrong map_pirq type {kind}': PIRQ,
  'Mismatched pm1a/pm1b setting': 'The simulated power-off takes the two registers as they come.',
};

const GNTTAB_BIT = 'Bit 62 marks entries of grants in debug builds only; Debian’s Xen, which the simulator follows, accepts it.';
const OTHER_MACHINE = 'The frame that is written, 0x4000, is free RAM of the recorded machine and no RAM of the simulated one.';
const BUILDER = 'The page tables that the builder makes for dom0 lie in another order: another pseudo-physical number.';
const READ_ONLY = 'The simulated Xen maps them read only without saying so.';

/** By image and place. */
export const knownPlaces: Readonly<Record<string, string>> = {
  'tables [mmu-entry-flags] level 1: bit 62': GNTTAB_BIT,
  'tables32 [mmu-entry-flags] level 1: bit 62': GNTTAB_BIT,
  'tables [mmuext-base-pointers] level 3 table': BUILDER,
  'processor [emulate-msr] wrmsr 0x40000000: the hypercall page of HVM guests': OTHER_MACHINE,
  'processor32 [emulate-msr] wrmsr 0x40000000: the hypercall page of HVM guests': OTHER_MACHINE,
  'machine [machine-frames] HPET': READ_ONLY,
  'machine [machine-frames] I/O APIC': READ_ONLY,
  'machine32 [machine-frames] HPET': READ_ONLY,
  'machine32 [machine-frames] I/O APIC': READ_ONLY,
};
