// What Xen prints when it refuses something: the wording of its log lines, with `{names}` where values stand. The refusals of the
// simulator carry the id and the values, so that a line in a real log and an explanation here can be matched both ways.
// Xen 4.17. `debug`: only a debug build prints it, with the source file and line before the text.

export interface XenMessage {
  readonly id: string;
  readonly text: string;
  /** Source file of Xen that prints it, below xen/. */
  readonly file: string;
  readonly debug: boolean;
  /** What it means, in a sentence. */
  readonly meaning: string;
}

export const xenMessages: readonly XenMessage[] = [
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
    text: 'Could not allocate order={order} extent: id={domain} memflags={flags} ({done} of {asked})',
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
    meaning:
      'A not-present entry has address bits through which a processor with the L1TF flaw leaks memory; Xen runs the domain on shadow tables from now on.',
  },
  {
    id: 'l1tf-crashing',
    text: 'd{domain} L1TF-vulnerable L{level}e {entry} - Crashing',
    file: 'arch/x86/include/asm/shadow.h',
    debug: false,
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
];

const byId = new Map(xenMessages.map((message) => [message.id, message]));

/** The line as Xen prints it, values filled in; null for an unknown id. */
export function xenLine(id: string, args: Readonly<Record<string, string>>): string | null {
  const message = byId.get(id);
  return message ? message.text.replace(/\{(\w+)\}/g, (whole, name: string) => args[name] ?? whole) : null;
}
