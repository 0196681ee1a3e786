// Templates of Xen's lines that no recording of real Xen has, each with why, by the text of the template. Their wording is that of Xen 4.17.

const L1TF = 'Needs a processor with the L1TF flaw; QEMU’s qemu64 has none. The simulator prints it with --l1tf (test/complaints).';
const PAE = 'A 32-bit guest makes Xen log it; the debug build does not come to the end of that image (tables32) in QEMU.';
const TWO_DOMAINS = 'Needs a second domain; the recordings are of dom0 alone.';
const DOMU = 'Happens to a domU only: dom0 has no maximum.';
const WIDE_STORE = 'Needs a store of 16 bytes, or across an entry, that Xen’s emulator takes up as such.';
const RACE = 'Needs two processors of the machine that do the same thing at once.';
const XEN_FAILS = 'Xen itself is broken or out of something when it prints this; no guest should be able to make it.';
const LOADER = 'Printed while dom0 is loaded, from a kernel file that cannot be: `hyperport notes` says so before.';
const NEEDS_DEVICE = 'Needs an interrupt or a device that two parties want.';
const OLD = 'Wording of an older Xen, from bug reports.';
const GRANTS =
  'Grants between domains, or one that is taken back while it is mapped; recorded by the scenarios of grants where dom0 can do it alone.';
const SHUTDOWN = 'How a machine ends; the images end by powering off.';
const RING = 'Needs queues that a guest damages while Xen looks at them.';
const NO_LONGER = 'Needs settings of Xen that Debian’s does not have.';

export const notProduced: Readonly<Record<string, string>> = {
  "Cannot bind IRQ{irq} to dom{domain}. In use by '{user}'.": NEEDS_DEVICE,
  'L2 update in Xen-private area, slot {slot}': PAE,
  'PAE L3 3rd slot is shared': PAE,
  'Over-allocation for d{domain}: {total} > {max}': DOMU,
  'bad write size (addr={address}, bytes={bytes})': WIDE_STORE,
  'bad cmpxchg size (addr={address}, bytes={bytes})': WIDE_STORE,
  'd{domain} L1TF-vulnerable L{level}e {entry} - Shadowing': L1TF,
  'd{domain} L1TF-vulnerable L{level}e {entry} - Crashing': L1TF,
  'domain {domain}, port {port} already on a queue': RING,
  'domain {domain}, port {port} not linked': RING,
  'd{domain} port {port} lost event (too many queue changes)': RING,
  'Domain {domain} reported crashed by domain {other} on cpu#{cpu}:': TWO_DOMAINS,
  "Hardware Dom{domain} crashed: 'noreboot' set - not rebooting.": SHUTDOWN,
  'Hardware Dom{domain} shutdown: rebooting machine': SHUTDOWN,
  'VM86 mode unavailable (ksp:{from}->{to})': PAE,
  'Hit #CP[{code}] in guest context {cs}:{rip}': 'Needs a processor with control-flow enforcement.',
  'd{domain} attempted to map MMIO space {mfn} in d{other} to d{pages}': TWO_DOMAINS,
  'd{domain}: Forcing read-only access to MFN {mfn}': NEEDS_DEVICE,
  'Error getting mfn {mfn} (pfn {pfn}) from L1 entry {entry} for l1e_owner={domain}, pg_owner={pages}': OLD,
  'Type count overflow on mfn {mfn}': 'Needs 2 to the 55th mappings of one frame.',
  'Bad type in validate_page {mfn} t={taf} c={caf}': XEN_FAILS,
  'Invalid mfn {mfn}': TWO_DOMAINS,
  "mfn {mfn} doesn't belong to d{domain}": TWO_DOMAINS,
  'Cannot assign page to domain{domain} -- dying.': TWO_DOMAINS,
  'Domain attempted WRMSR {msr} from {old} to {value}': OLD,
  'bad write (cr2={cr2}, addr={address}, bytes={bytes})': WIDE_STORE,
  'ptwr_emulate: fixing up invalid PAE PTE {entry}': PAE,
  'Unexpected event (type {type}, vector {vector}) from emulation': WIDE_STORE,
  'Warning: huge timeout set: {value}': NO_LONGER,
  '*** DOUBLE FAULT ***': XEN_FAILS,
  'Panic on CPU {cpu}:': XEN_FAILS,
  'FATAL PAGE FAULT': XEN_FAILS,
  'FATAL TRAP: vec {vector}, {exception}': XEN_FAILS,
  'Found 32-bit PV kernel, but CONFIG_PV32 missing': LOADER,
  'Mismatch between Xen and DOM0 kernel': LOADER,
  'Kernel does not support Dom0 operation': LOADER,
  'Dom0 kernel broken ELF: {rest}': LOADER,
  'Failed to load the kernel binary': LOADER,
  'Invalid HYPERCALL_PAGE field in ELF notes.': LOADER,
  'Domain 0 allocation is too small for kernel image': LOADER,
  'Could not find L1 PTE for address {address}': OLD,
  'Shared grant entry is unstable': RACE,
  'Unstable d{domain} handle {handle}': RACE,
  'Grant release {handle} ref {ref} flags {grantFlags} d{domain}': TWO_DOMAINS,
  'd{domain} has active grant {ref} (GFN {gfn}, MFN: {mfn})': TWO_DOMAINS,
  'Expand grant table of d{domain} to {to} failed. Current: {from} Max: {max}': XEN_FAILS,
};

/** Source files of Xen whose other lines belong to families with recordings of their own. */
export const otherFamilies: Readonly<Record<string, string>> = { 'common/grant_table.c': GRANTS, 'arch/x86/pv/grant_table.c': GRANTS };
