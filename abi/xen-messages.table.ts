// What Xen prints when it refuses something: the wording of its log lines, with `{names}` where values stand. The refusals of the
// simulator carry the id and the values, so that a line in a real log and an explanation here can be matched both ways.
// Xen 4.17. `debug`: only a debug build prints it, with the source file and line before the text.

import type { Refusal } from './refusal.ts';

export interface XenMessage {
  readonly id: string;
  readonly text: string;
  /** Source file of Xen that prints it, below xen/. */
  readonly file: string;
  readonly debug: boolean;
  /** Without the vCPU for which Xen worked in front. */
  readonly bare?: true;
  /** What it means, in a sentence. */
  readonly meaning: string;
  /** What to do, where no rule says it. */
  readonly advice?: string;
}

export const xenMessages: readonly XenMessage[] = [
  {
    id: 'irq-in-use',
    text: "Cannot bind IRQ{irq} to dom{domain}. In use by '{user}'.",
    file: 'arch/x86/irq.c',
    debug: false,
    meaning: 'A domain wants to bind an interrupt that Xen uses itself.',
  },
  {
    id: 'bad-type',
    text: 'Bad type (saw {saw} != exp {exp}) for mfn {mfn} (pfn {pfn})',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning:
      'A frame is in use as one thing (first number: its type in the top three bits, its count in the low ones) and was asked for as another.',
  },
  {
    id: 'error-mfn',
    text: 'Error mfn {mfn}: rd={rd} od={od} caf={caf} taf={taf}',
    file: 'arch/x86/mm.c',
    debug: false,
    meaning: 'A domain (rd) named a frame that belongs to another (od), or to nobody.',
  },
  {
    id: 'l1-entry',
    text: 'Error getting mfn {mfn} (pfn {pfn}) from L1 entry {entry} for l1e_owner d{domain}, pg_owner d{pages}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'A level 1 entry was not accepted because of the frame that it names.',
  },
  {
    id: 'mmio-map',
    text: 'd{domain} non-privileged attempt to map MMIO space {mfn}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'An entry names a frame that is not RAM; only a domain with I/O rights may map it.',
  },
  {
    id: 'bad-flags',
    text: 'Bad L{level} flags {flags}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'An entry has flags that a guest may not set at this level.',
  },
  {
    id: 'l4-private-slot',
    text: 'L4 update in Xen-private area, slot {slot}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'Slots 256 to 271 of the top-level table are Xen’s.',
  },
  {
    id: 'l2-private-slot',
    text: 'L2 update in Xen-private area, slot {slot}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'The last slots of a 32-bit guest’s last level 2 table are Xen’s.',
  },
  {
    id: 'pae-l3-shared',
    text: 'PAE L3 3rd slot is shared',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'The level 2 table in the fourth slot of a 32-bit guest’s level 3 table is used by another table too.',
  },
  {
    id: 'page-owner',
    text: 'pg_owner d{pages} l1e_owner d{domain}, but real_pg_owner d{owner}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'A level 1 entry names a frame of another domain (real_pg_owner), or of nobody (d-1).',
  },
  {
    id: 'no-writable-type',
    text: 'Could not get page type PGT_writable_page',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'A frame was to be mapped writable while it is in use as a page table or descriptor page.',
  },
  {
    id: 'promote-failed',
    text: 'Failure {error} in promote_l{level}_table: slot {slot}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'The audit of a page table ended at this slot with this error.',
  },
  {
    id: 'validate-failed',
    text: 'Error while validating mfn {mfn} (pfn {pfn}) for type {type}: caf={caf} taf={taf}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'A frame could not become what it was asked to be: its type is in the top three bits, caf and taf are its counts.',
  },
  {
    id: 'pin-failed',
    text: 'Error {error} while pinning mfn {mfn}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'MMUEXT_PIN_Lx_TABLE was refused; the lines before say why.',
  },
  {
    id: 'unpin-owner',
    text: 'mfn {mfn} bad, or bad owner d{domain}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'MMUEXT_UNPIN_TABLE named a frame that is not the domain’s.',
  },
  {
    id: 'linear-writable',
    text: 'Attempt to create linear p.t. with write perms',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'An entry names a table of its own level, or the frame is of a wrong type, and the entry is writable.',
  },
  {
    id: 'baseptr-failed',
    text: 'Error while installing new baseptr {mfn}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'MMUEXT_NEW_BASEPTR (or a load of CR3) named a frame that cannot be the top-level table.',
  },
  {
    id: 'compat-baseptr-failed',
    text: 'Error while installing new compat baseptr {mfn}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'The same for a 32-bit guest.',
  },
  {
    id: 'user-baseptr-failed',
    text: 'Error {error} installing new mfn {mfn}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'MMUEXT_NEW_USER_BASEPTR named a frame that cannot be a top-level table.',
  },
  {
    id: 'error-clearing',
    text: 'Error clearing mfn {mfn}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'MMUEXT_CLEAR_PAGE named a frame that may not be written.',
  },
  {
    id: 'error-copying-from',
    text: 'Error copying from mfn {mfn}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'MMUEXT_COPY_PAGE named a source that is not the domain’s.',
  },
  {
    id: 'error-copying-to',
    text: 'Error copying to mfn {mfn}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'MMUEXT_COPY_PAGE named a target that may not be written.',
  },
  {
    id: 'no-page-for-update',
    text: 'Could not get page for normal update',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'mmu_update named an entry in a frame that is not the domain’s.',
  },
  {
    id: 'no-page-for-machphys',
    text: 'Could not get page for mach->phys update',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'MMU_MACHPHYS_UPDATE named a frame that is not the domain’s.',
  },
  {
    id: 'self-as-foreign',
    text: 'Cannot specify itself as foreign domain',
    file: 'common/page_alloc.c',
    debug: true,
    meaning: 'The caller gave its own domain number where DOMID_SELF is meant.',
  },
  {
    id: 'unknown-domain',
    text: 'Unknown domain d{domain}',
    file: 'common/page_alloc.c',
    debug: true,
    meaning: 'There is no such domain.',
  },
  {
    id: 'bad-steal',
    text: 'Bad steal mfn {mfn} from d{domain} (owner d{owner}) caf={caf} taf={taf}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'memory_op.exchange named a frame that is not the domain’s, or that is still mapped or otherwise in use.',
  },
  {
    id: 'bad-page-free',
    text: 'Bad page free for Dom{domain} GFN {mfn}',
    file: 'common/memory.c',
    debug: true,
    meaning: 'memory_op.decrease_reservation named a frame that is not the domain’s.',
  },
  {
    id: 'page-number-invalid',
    text: 'Domain {domain} page number {mfn} invalid',
    file: 'common/memory.c',
    debug: true,
    meaning: 'memory_op.decrease_reservation named a frame that does not exist.',
  },
  {
    id: 'over-allocation',
    text: 'Over-allocation for d{domain}: {total} > {max}',
    file: 'common/page_alloc.c',
    debug: false,
    meaning: 'The domain asked for more pages than its maximum.',
  },
  {
    id: 'no-extent',
    text: 'Could not allocate order={order} extent: id={domain} memflags={memflags} ({done} of {asked})',
    file: 'common/memory.c',
    debug: true,
    meaning: 'memory_op got no frames for an extent: the domain’s maximum is reached, or there is no such run of frames.',
  },
  {
    id: 'ptwr-bad-access',
    text: 'bad access (cr2={cr2}, addr={address}, bytes={bytes})',
    file: 'arch/x86/pv/ro-page-fault.c',
    debug: true,
    meaning: 'An emulated store to a page table is not aligned to its size, or leaves the page.',
  },
  {
    id: 'ptwr-bad-size',
    text: 'bad write size (addr={address}, bytes={bytes})',
    file: 'arch/x86/pv/ro-page-fault.c',
    debug: true,
    meaning: 'An emulated store to a page table is larger than an entry.',
  },
  {
    id: 'ptwr-bad-cmpxchg-size',
    text: 'bad cmpxchg size (addr={address}, bytes={bytes})',
    file: 'arch/x86/pv/ro-page-fault.c',
    debug: true,
    meaning: 'An emulated compare-and-exchange on a page table is larger than an entry.',
  },
  {
    id: 'ptwr-refused',
    text: 'could not get_page_from_l1e()',
    file: 'arch/x86/pv/ro-page-fault.c',
    debug: true,
    meaning: 'The entry that an emulated store would make is refused; the lines before say why. The guest gets the page fault.',
  },
  {
    id: 'l1tf-shadowing',
    text: 'd{domain} L1TF-vulnerable L{level}e {entry} - Shadowing',
    file: 'arch/x86/include/asm/shadow.h',
    debug: false,
    bare: true,
    meaning:
      'A not-present entry has address bits through which a processor with the L1TF flaw leaks memory; Xen runs the domain on shadow tables from now on.',
  },
  {
    id: 'l1tf-crashing',
    text: 'd{domain} L1TF-vulnerable L{level}e {entry} - Crashing',
    file: 'arch/x86/include/asm/shadow.h',
    debug: false,
    bare: true,
    meaning: 'The same, in a Xen without shadow paging: the domain ends.',
  },
  {
    id: 'already-pinned',
    text: 'mfn {mfn} already pinned',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'A table was pinned a second time.',
  },
  {
    id: 'not-pinned',
    text: 'mfn {mfn} not pinned',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'A table was unpinned that is not pinned.',
  },
  {
    id: 'cache-attributes',
    text: 'Attempt to change cache attributes of Xen heap page',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'A page shared with Xen was mapped with other caching than write-back.',
  },
  {
    id: 'bad-ldt',
    text: 'Bad args to SET_LDT: ptr={ptr}, ents={ents}',
    file: 'arch/x86/mm.c',
    debug: true,
    meaning: 'An LDT must start at a page boundary outside Xen’s range and have at most 8192 entries.',
  },
  {
    id: 'evtchnop-failure',
    text: 'EVTCHNOP failure: error {error}',
    file: 'common/event_channel.c',
    debug: true,
    meaning: 'An event channel operation was refused.',
  },
  {
    id: 'evtchnop-failure-domain',
    text: 'EVTCHNOP failure: domain {domain}, error {error}',
    file: 'common/event_channel.c',
    debug: true,
    meaning: 'An event channel operation that names another domain (here: the remote one) was refused.',
  },
  {
    id: 'fifo-already-on-queue',
    text: 'domain {domain}, port {port} already on a queue',
    file: 'common/event_fifo.c',
    debug: true,
    meaning: 'The FIFO queue of events that the guest keeps is damaged: a port is on it twice.',
  },
  {
    id: 'unhandled',
    text: 'Unhandled: vec {vector}, {exception}[{code}]',
    file: 'arch/x86/pv/traps.c',
    debug: false,
    meaning: 'An exception came (its error code in brackets, ffffffff for none), and the guest has no handler registered for it.',
  },
  {
    id: 'no-user-tables',
    text: 'Guest switching to user mode with no user page tables',
    file: 'arch/x86/pv/iret.c',
    debug: false,
    meaning: 'An iret went to user mode, but the vCPU has no page tables for it, and Xen ends the domain.',
  },
  {
    id: 'iret-frame',
    text: 'Fault while reading IRET context from guest stack',
    file: 'arch/x86/pv/iret.c',
    debug: false,
    meaning: 'The iret hypercall found its frame unreadable on the guest’s stack, and Xen ends the domain.',
    advice: 'rsp must point at the iret frame (rax, r11, rcx, flags, rip, cs, rflags, rsp, ss) when HYPERVISOR_iret is called.',
  },
  {
    id: 'rdmsr-unimplemented',
    text: 'RDMSR {msr} unimplemented',
    file: 'arch/x86/pv/emul-priv-op.c',
    debug: true,
    meaning: 'An MSR was read that Xen does not give a PV guest; it gets #GP.',
  },
  {
    id: 'rdmsr-faked',
    text: 'faking RDMSR {msr}',
    file: 'arch/x86/pv/emul-priv-op.c',
    debug: false,
    meaning: 'The same before the guest has a handler for #GP: Xen gives it 0 instead of the exception that would end it.',
  },
  {
    id: 'wrmsr-unimplemented',
    text: 'WRMSR {msr} val {value} unimplemented',
    file: 'arch/x86/pv/emul-priv-op.c',
    debug: true,
    meaning: 'An MSR was written that Xen does not give a PV guest; it gets #GP.',
  },
  {
    id: 'cr0-flags',
    text: 'Attempt to change unmodifiable CR0 flags',
    file: 'arch/x86/pv/emul-priv-op.c',
    debug: true,
    meaning: 'A guest kernel wrote CR0 with another bit changed than TS; it gets #GP.',
  },
  {
    id: 'no-page-ref',
    text: 'Could not get page ref for mfn {mfn}',
    file: 'arch/x86/include/asm/mm.h',
    debug: true,
    meaning: 'A frame that was named does not exist, or is not the domain’s.',
  },
  {
    id: 'bad-hypercall-frame',
    text: 'Bad GMFN {mfn} (MFN {machine}) to MSR {msr}',
    file: 'arch/x86/traps.c',
    debug: true,
    meaning: 'The MSR of HVM guests for their hypercall page was written with a frame that is not the domain’s.',
  },
  {
    id: 'multicall-reentry',
    text: 'Multicall reentry is disallowed.',
    file: 'common/multicall.c',
    debug: true,
    meaning: 'A list of hypercalls has a multicall among its entries: that entry gets -EINVAL.',
  },
  {
    id: 'xenoprof-denied',
    text: 'denied privileged operation {operation}',
    file: 'common/xenoprof.c',
    debug: true,
    meaning: 'An operation of the profiler is for the domain that profiles only.',
  },
  {
    id: 'hvm-operation',
    text: 'Bad HVM op {operation}.',
    file: 'arch/x86/hvm/hvm.c',
    debug: true,
    meaning: 'There is no such operation of hvm_op, which is for HVM guests and their tools.',
  },
  {
    id: 'watchdog',
    text: 'Watchdog timer fired for domain {domain}',
    file: 'common/sched/core.c',
    debug: false,
    meaning:
      'A watchdog that the domain armed with SCHEDOP_watchdog was not re-armed in time; Xen shuts the domain down with SHUTDOWN_watchdog.',
    advice: 'Re-arm the watchdog in time, or disarm it with a timeout of 0.',
  },
  {
    id: 'crashed',
    text: 'Domain {domain} (vcpu#{vcpu}) crashed on cpu#{cpu}:',
    file: 'common/domain.c',
    debug: false,
    meaning: 'Xen ended the domain; the registers and the stack that follow are those of the guest at that moment.',
  },
  {
    id: 'crash-no-stack',
    text: 'domain_crash_sync called from entry.S: fault at {xen} {symbol}',
    file: 'arch/x86/traps.c',
    debug: false,
    meaning:
      'Xen could not push an exception or event frame onto the guest’s kernel stack, or there was no handler to push it for, and ends the domain.',
  },
  {
    id: 'return-fault',
    text: 'Pre-exception: {xen} -> {fixup}',
    file: 'arch/x86/extable.c',
    debug: true,
    meaning:
      'Xen faulted on the way back into the guest, at its own iret: a selector or address of the frame cannot be loaded. The guest gets the fault.',
  },
  {
    id: 'fixup',
    text: 'Fixup {exception}[{code}]: {xen} [{symbol}] -> {fixup}',
    file: 'arch/x86/extable.c',
    debug: true,
    meaning:
      'Xen took a fault that it expects at this place, while it worked with a value of the guest’s (a selector, an address, an MSR).',
  },
  {
    id: 'grant-request',
    text: 'error reading req {index}/{asked}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'A structure of a grant operation lies at an address that cannot be read.',
    advice: 'Give a virtual address of mapped memory; those before it in the list were carried out.',
  },
  {
    id: 'grant-status-frames',
    text: 'Requested addresses of d{domain} for {asked} grant status frames, but has only {max}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'GNTTABOP_get_status_frames asked for more frames than there are; in version 1 of the grant table there are none.',
    advice: 'Switch to version 2 with GNTTABOP_set_version first.',
  },
  {
    id: 'grant-status-arguments',
    text: 'Fault while reading gnttab_get_status_frames_t',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'The structure of GNTTABOP_get_status_frames lies at an address that cannot be read.',
  },
  {
    id: 'grant-swap-reference',
    text: 'Bad ref-{which} {ref}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'GNTTABOP_swap_grant_ref named a reference beyond the domain’s table.',
  },
  {
    id: 'grant-no-l1',
    text: 'Could not find L1 PTE for linear address {address}',
    file: 'arch/x86/pv/grant_table.c',
    debug: true,
    meaning: 'The address that a grant operation names has no level 1 table in the page tables that are loaded.',
    advice:
      'The entry must exist in the current tables, not only in the kernel’s master tables: touch the address before the call, or fill the table in. Or give the entry’s machine address with GNTMAP_contains_pte.',
  },
  {
    id: 'grant-no-l1-2',
    text: 'Could not find L1 PTE for linear {address}',
    file: 'arch/x86/pv/grant_table.c',
    debug: true,
    meaning: 'The address that a grant operation names has no level 1 table in the page tables that are loaded.',
  },
  {
    id: 'grant-misaligned',
    text: 'Misaligned PTE address {address}',
    file: 'arch/x86/pv/grant_table.c',
    debug: true,
    meaning: 'With GNTMAP_contains_pte the address must be that of a whole entry, a multiple of 8.',
  },
  {
    id: 'grant-entry-changed',
    text: "PTE {entry} for {address} doesn't match grant ({expected})",
    file: 'arch/x86/pv/grant_table.c',
    debug: true,
    meaning: 'The entry at the address is not the one that the grant mapping made: something overwrote it.',
    advice: 'Look at the order of grant, map, unmap and end of access on both sides: the debug key g lists the grants in use.',
  },
  {
    id: 'grant-implicit-unmap',
    text: "Attempt to implicitly unmap {owner}'s grant PTE {entry}",
    file: 'arch/x86/mm.c',
    debug: true,
    meaning:
      'A page-table entry that maps a frame granted by another domain was overwritten or its table given up, while the grant is still counted as mapped. A debug build of Xen raises a general protection fault in the domain for it.',
    advice:
      'Unmap the grant with GNTTABOP_unmap_grant_ref before the entry changes. Look at the order of grant, map, unmap and end of access on both sides: the debug key g lists the grants in use.',
  },
  {
    id: 'grant-bad-ref',
    text: 'Bad ref {ref} for d{domain}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'A grant reference beyond the granting domain’s table.',
    advice: 'Check the reference that came through XenStore or the ring.',
  },
  {
    id: 'grant-flags',
    text: 'Bad flags ({grantFlags}) or dom ({domain}); expected d{other}',
    file: 'common/grant_table.c',
    debug: true,
    meaning:
      'The entry of the grant table is not a grant of access, or not for the domain that maps it: not granted yet, taken back, or for another domain.',
    advice: 'Look at the order of grant, map, unmap and end of access on both sides: the debug key g lists the grants in use.',
  },
  {
    id: 'grant-flags-2',
    text: 'Bad flags ({grantFlags}) or dom ({domain}); expected d{other}, flags {expectedGrantFlags}',
    file: 'common/grant_table.c',
    debug: true,
    meaning:
      'The entry of the grant table is not a grant of access, or not for the domain that maps it: not granted yet, taken back, or for another domain.',
    advice: 'Look at the order of grant, map, unmap and end of access on both sides: the debug key g lists the grants in use.',
  },
  {
    id: 'grant-read-only',
    text: 'Attempt to write-pin a r/o grant entry',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'A grant that allows reading only was mapped or copied to for writing.',
    advice: 'Map it with GNTMAP_readonly, or grant it without GTF_readonly.',
  },
  {
    id: 'grant-map-flags',
    text: 'Bad flags in grant map op: {grantFlags}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'A map request asks for neither a host nor a device mapping.',
    advice: 'Set GNTMAP_host_map.',
  },
  {
    id: 'grant-no-domain',
    text: 'Could not find domain {domain}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'The domain that the request names does not exist (any more).',
  },
  {
    id: 'grant-no-handle',
    text: 'Failed to obtain maptrack handle',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'The domain has as many grant mappings as it may have.',
    advice: 'Unmap what is not needed, or raise gnttab_max_maptrack_frames.',
  },
  {
    id: 'grant-not-pinned',
    text: 'Could not pin grant frame {mfn}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'The granted frame cannot be mapped as asked, most often because it is a page table of the granting domain.',
  },
  {
    id: 'grant-bad-handle',
    text: 'Bad d{domain} handle {handle}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'An unmap request names a handle that no mapping has.',
    advice: 'Each handle can be unmapped once: look for a second unmap.',
  },
  {
    id: 'grant-free-handle',
    text: 'Zero flags for d{domain} handle {handle}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'An unmap request names a handle that is not in use (any more).',
    advice: 'Each handle can be unmapped once: look for a second unmap.',
  },
  {
    id: 'grant-bad-transfer-ref',
    text: 'Bad grant reference {ref} for transfer to d{domain}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'The reference is no open offer to take a page.',
  },
  {
    id: 'grant-bad-copy-ref',
    text: 'Bad grant reference {ref}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'A grant reference beyond the granting domain’s table.',
  },
  {
    id: 'grant-copy-beyond',
    text: 'copy beyond page area',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'A grant copy leaves the page that it names.',
    advice: 'Offset and length together must stay within 4096 bytes.',
  },
  {
    id: 'grant-limited',
    text: 'd{domain} is limited to {max} grant-table frames',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'GNTTABOP_setup_table asked for more frames than the domain may have.',
  },
  {
    id: 'grant-version-in-use',
    text: 'tried to change grant table version from {from} to {to}, but some grant entries still in use',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'The version of the grant table can change only while no grant is mapped.',
  },
  {
    id: 'grant-bus-address',
    text: "Bus address doesn't match gntref ({address} != {expectedAddress})",
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'The bus address of an unmap request is not the one that the map request returned.',
  },
  {
    id: 'grant-not-writable',
    text: 'Could not get writable frame {mfn}',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'The destination of a grant copy cannot be written, most often because it is a page table or descriptor page.',
  },
  {
    id: 'grant-version-1',
    text: 'tried to change grant table version to 1 with non-representable entries',
    file: 'common/grant_table.c',
    debug: true,
    meaning: 'A reserved entry is transitive or names a frame of more than 32 bits; version 1 has no form for it.',
  },
];

const byId = new Map(xenMessages.map((message) => [message.id, message]));

/** The line as Xen prints it, values filled in; null for an unknown id. */
export function xenLine(id: string, args: Readonly<Record<string, string>>): string | null {
  const message = byId.get(id);
  return message ? message.text.replace(/\{(\w+)\}/g, (whole, name: string) => args[name] ?? whole) : null;
}

/** All lines that a debug build of Xen logs for a refusal, in order; `vcpu`: 'd1v0', put in front where Xen does. */
export const xenLinesOf = ({ xenLine: first, furtherXenLines = [] }: Pick<Refusal, 'xenLine' | 'furtherXenLines'>, vcpu = ''): string[] =>
  (first ? [first, ...furtherXenLines] : []).flatMap(({ template, args }) => {
    const line = xenLine(template, args);
    if (line === null) return [];
    return vcpu === '' || byId.get(template)!.bare ? line : `${vcpu} ${line}`;
  });
