// Lines of Xen 4.17's log beside those of abi/xen-messages.table.ts: crashes, grants, interrupts, MSRs, the domain builder. `{names}` stand
// for values; what each means is said by its name (message.ts).

export interface LogMessage {
  readonly text: string;
  /** What it means, in a sentence or two. */
  readonly meaning: string;
  /** What to do. */
  readonly advice?: string;
  /** Rule with a page that tells more. */
  readonly rule?: string;
}

const USE_MFN = 'Check that a machine frame number was given and not a pseudo-physical one, and that the frame was not given back.';
const GRANT_ORDER = 'Look at the order of grant, map, unmap and end of access on both sides: the debug key g lists the grants in use.';

export const logMessages: readonly LogMessage[] = [
  {
    text: 'domain_crash called from {place}',
    meaning: 'Xen ends the domain; the place is the line of Xen’s source that decided it, and the lines before usually say why.',
  },
  {
    text: 'Domain {domain} reported crashed by domain {other} on cpu#{cpu}:',
    meaning: 'Another domain (a tool or a device model) reported the domain as crashed; Xen itself found nothing wrong with it.',
  },
  {
    text: 'Hardware Dom{domain} crashed: rebooting machine in {seconds} seconds.',
    meaning: 'The control domain crashed, and with it the machine.',
  },
  {
    text: "Hardware Dom{domain} crashed: 'noreboot' set - not rebooting.",
    meaning: 'The control domain crashed; noreboot keeps the machine as it is.',
  },
  { text: 'Hardware Dom{domain} halted: halting machine', meaning: 'The control domain shut down with SHUTDOWN_poweroff: an orderly end.' },
  { text: 'Hardware Dom{domain} shutdown: rebooting machine', meaning: 'The control domain shut down with SHUTDOWN_reboot.' },
  {
    text: 'Hardware Dom{domain} shutdown: watchdog rebooting machine',
    meaning: 'A watchdog of the control domain (SCHEDOP_watchdog) ran out.',
    advice: 'Re-arm the watchdog in time, or disarm it with a timeout of 0.',
  },
  {
    text: 'VM86 mode unavailable (ksp:{from}->{to})',
    meaning: 'A 32-bit guest tried to return to virtual 8086 mode, which 64-bit Xen does not have.',
  },
  {
    text: 'Hit #CP[{code}] in guest context {cs}:{rip}',
    meaning: 'A control-protection exception in a guest that cannot use it; Xen ends the domain.',
  },
  {
    text: 'd{domain} attempted to map MMIO space {mfn} in d{other} to d{pages}',
    meaning: 'A privileged domain tried to map a frame that is not RAM into a domain that has no right to it.',
    advice: 'Give the domain the range with XEN_DOMCTL_iomem_permission first (xl: iomem=).',
    rule: 'frame-is-no-ram',
  },
  {
    text: 'd{domain}: Forcing read-only access to MFN {mfn}',
    meaning: 'The frame is MMIO that Xen keeps for itself (MSI-X tables, IOMMU); the mapping was made read only.',
  },
  {
    text: 'Error getting mfn {mfn} (pfn {pfn}) from L1 entry {entry} for l1e_owner={domain}, pg_owner={pages}',
    meaning: 'A level 1 entry was not accepted because of the frame that it names (older wording of Xen).',
    advice:
      'Compare the two owners: with pg_owner 32753 (I/O memory) the frame was taken for a device’s; a pseudo-physical number in the entry looks like that.',
  },
  { text: 'Type count overflow on mfn {mfn}', meaning: 'A frame would be in use too often for its counter: a guest maps it without end.' },
  {
    text: 'Bad type in validate_page {mfn} t={taf} c={caf}',
    meaning: 'A frame of a type that needs no audit was to be audited: a mistake of Xen.',
  },
  {
    text: 'Could not find L1 PTE for address {address}',
    meaning: 'The address that a grant operation names has no level 1 table in the page tables that are loaded.',
    advice:
      'The entry must exist in the current tables, not only in the kernel’s master tables: touch the address before the call, or fill the table in. Or give the entry’s machine address with GNTMAP_contains_pte.',
    rule: 'no-l1-table',
  },
  {
    text: "PTE flags {flags} for {address} don't match grant ({expectedFlags})",
    meaning: 'The flags of the entry at the address are not those of the grant mapping: something changed them.',
    advice: GRANT_ORDER,
  },
  { text: 'Shared grant entry is unstable', meaning: 'The granting domain kept changing the entry while Xen looked at it.' },
  { text: 'Unstable d{domain} handle {handle}', meaning: 'The same handle was unmapped twice at the same time.' },
  {
    text: 'Expand grant table of d{domain} to {to} failed. Current: {from} Max: {max}',
    meaning: 'The domain’s grant table cannot grow further.',
    advice: 'End access to grants that are not needed, or raise gnttab_max_frames.',
  },
  {
    text: 'Grant release {handle} ref {ref} flags {grantFlags} d{domain}',
    meaning: 'Xen unmaps a grant that the dying domain left mapped.',
  },
  {
    text: 'd{domain} has active grant {ref} (GFN {gfn}, MFN: {mfn})',
    meaning: 'A dying domain’s page is still mapped by another domain: the domain stays as a zombie until it is unmapped.',
    advice: GRANT_ORDER,
  },
  {
    text: 'domain {domain}, port {port} not linked',
    meaning: 'The FIFO queue of events that the guest keeps is damaged: a port that should be on it is not.',
  },
  {
    text: 'd{domain} port {port} lost event (too many queue changes)',
    meaning: 'The guest changed the priority or vCPU of the port so often that an event was lost.',
  },
  { text: 'Invalid mfn {mfn}', meaning: 'A frame that is to be given back does not exist.', advice: USE_MFN },
  {
    text: "mfn {mfn} doesn't belong to d{domain}",
    meaning: 'A frame that is to be given back is not the domain’s.',
    advice: USE_MFN,
    rule: 'frame-not-yours',
  },
  { text: 'Cannot assign page to domain{domain} -- dying.', meaning: 'The domain is being destroyed and gets no memory any more.' },
  {
    text: 'Domain attempted WRMSR {msr} from {old} to {value}',
    meaning: 'An MSR was written that a PV guest cannot change; the write was ignored.',
    advice: 'Leave the write out under Xen.',
    rule: 'wrmsr',
  },
  {
    text: 'bad write (cr2={cr2}, addr={address}, bytes={bytes})',
    meaning: 'A store to a read-only page of I/O memory does not fit the address that faulted.',
  },
  {
    text: 'ptwr_emulate: fixing up invalid PAE PTE {entry}',
    meaning: 'A 32-bit guest wrote the halves of an entry one by one; Xen ignores the half-written state.',
  },
  {
    text: 'Unexpected event (type {type}, vector {vector}) from emulation',
    meaning: 'The instruction that Xen emulated for a page-table or MMIO store raised another exception than a page fault.',
  },
  {
    text: 'Warning: huge timeout set: {value}',
    meaning: 'set_timer_op got a time so far away that Xen takes it for a mistake: it fires after a short time instead.',
    advice: 'The timeout is absolute system time in ns, not a duration.',
  },
  { text: '*** DOUBLE FAULT ***', meaning: 'Xen itself ran into a double fault: a fault of Xen or of the hardware.' },
  { text: 'Panic on CPU {cpu}:', meaning: 'Xen itself panicked; the line behind says why. No guest should be able to cause it.' },
  { text: 'FATAL PAGE FAULT', meaning: 'Xen itself took a page fault that it cannot handle.' },
  { text: 'FATAL TRAP: vec {vector}, {exception}', meaning: 'Xen itself took an exception that it cannot handle.' },
  {
    text: 'Found 32-bit PV kernel, but CONFIG_PV32 missing',
    meaning: 'This Xen was built without 32-bit PV guests.',
    advice: 'Use a 64-bit kernel, or a Xen built with CONFIG_PV32 (and booted with pv=32).',
  },
  {
    text: 'Mismatch between Xen and DOM0 kernel',
    meaning: 'The kernel is for another mode (32 or 64 bit, PAE) than this Xen runs.',
    advice: 'hyperport notes KERNEL shows what the kernel says of itself.',
  },
  {
    text: 'Kernel does not support Dom0 operation',
    meaning: 'The kernel’s feature note does not have dom0.',
    advice: 'Boot it as a domU, or add the feature dom0 to XEN_ELFNOTE_SUPPORTED_FEATURES when it can.',
  },
  {
    text: 'Dom0 kernel broken ELF: {rest}',
    meaning: 'The ELF file cannot be loaded.',
    advice: 'hyperport notes KERNEL shows what Xen reads in it.',
  },
  {
    text: 'Failed to load the kernel binary',
    meaning: 'A segment of the ELF file does not fit where it says.',
    advice: 'hyperport notes KERNEL shows where it would be loaded.',
  },
  {
    text: 'Invalid HYPERCALL_PAGE field in ELF notes.',
    meaning: 'The note names an address outside of the kernel’s image.',
    advice: 'hyperport notes KERNEL shows the note and the image.',
  },
  {
    text: 'Domain 0 allocation is too small for kernel image',
    meaning: 'dom0_mem= is smaller than the kernel, its module and its tables need.',
  },
  { text: 'dom{domain}: pirq {pirq} not mapped', meaning: 'An interrupt is to be unmapped, or ended, that the domain has not mapped.' },
  {
    text: 'dom{domain}: {pirq}:{irq} already mapped to {bound}',
    meaning: 'PHYSDEVOP_map_pirq: the domain’s number is taken by another interrupt of the machine.',
    advice: 'Let Xen choose the number (pirq -1), or unmap the old one first.',
  },
  {
    text: 'dom{domain}: irq {irq} already mapped to pirq {pirq}',
    meaning: 'PHYSDEVOP_map_pirq: the interrupt of the machine is mapped already, under this number.',
  },
  { text: 'dom{domain}: map invalid irq {irq}', meaning: 'PHYSDEVOP_map_pirq: the machine has no such interrupt.' },
  { text: 'dom{domain}: invalid pirq {pirq} or irq {irq}', meaning: 'PHYSDEVOP_map_pirq: one of the numbers is out of range.' },
  { text: 'dom{domain}: wrong map_pirq type {kind}', meaning: 'PHYSDEVOP_map_pirq: there is no such kind of interrupt (MAP_PIRQ_TYPE_…).' },
  {
    text: 'Mismatched pm1a/pm1b setting',
    meaning: 'dom0 asks for a sleep state with two different values for the two power-management registers of ACPI.',
  },
];
