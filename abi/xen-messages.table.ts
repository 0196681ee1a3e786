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
    text: 'Error getting mfn {mfn} (pfn {pfn}) from L1 entry {entry} for l1e_owner d{domain}, pg_owner d{domain}',
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
