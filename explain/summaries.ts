// Sentences of the refusals whose title alone would not say enough: one function per rule, from facts to words.

import type { FactValue, FrameFact, Refusal } from '../abi/refusal.ts';
import { isFrame, nameOfFrame, useOf } from './frame.ts';
import { entryWord } from './log/words.ts';

type Facts = Refusal['facts'];

const frameOf = (facts: Facts, name = 'frame'): FrameFact | null => {
  const value: FactValue | undefined = facts[name];
  return value !== undefined && isFrame(value) ? value : null;
};

const frameName = (facts: Facts): string => {
  const frame = frameOf(facts);
  return frame ? nameOfFrame(frame) : 'the frame';
};

export const summaries: Readonly<Record<string, (facts: Facts) => string>> = {
  'frame-not-yours': (facts) => {
    const frame = frameOf(facts);
    const whose =
      frame?.type === 'no RAM'
        ? 'is outside the machine’s RAM'
        : frame?.owner === undefined
          ? 'is free'
          : `belongs to domain ${frame.owner}`;
    return `${frameName(facts)} ${whose}, not to domain ${facts.domain}`;
  },
  'frame-is-no-ram': (facts) => `the entry ${facts.entry} names ${frameName(facts)}, which is not RAM`,
  'frame-invalid': (facts) => `the entry ${facts.entry} names the invalid frame`,
  'frame-has-other-type': (facts) => {
    const frame = frameOf(facts);
    return `${frameName(facts)} is in use as ${useOf(frame?.type ?? 'something else')} and cannot become ${useOf(String(facts.wanted))}`;
  },
  'table-mapped-writable': (facts) => {
    const frame = frameOf(facts);
    return `the entry ${facts.entry} would map ${frameName(facts)} writable, but it is in use as ${useOf(frame?.type ?? 'a table')}`;
  },
  'l1tf-entry': (facts) =>
    `the level ${facts.level} entry ${facts.entry} is ${entryWord(BigInt(String(facts.entry)), Number(facts.level))}, and a processor with the L1TF flaw reads cached memory at that address`,
  'entry-flags': (facts) => `the level ${facts.level} entry ${facts.entry} has the flags ${facts.flags}, which a guest may not set`,
  'l4-slot-of-xen': (facts) => `slot ${facts.slot} of the top-level table belongs to Xen`,
  'pae-slot-of-xen': (facts) => `slot ${facts.slot} of the level ${facts.level} table belongs to Xen`,
  'pae-fourth-entry': (facts) => `the fourth level 3 entry, ${facts.entry}, names no level 2 table`,
  'pae-fourth-table-shared': (facts) => `${frameName(facts)}, the level 2 table of the fourth level 3 entry, is in use elsewhere`,
  'table-pinned-already': (facts) => `${frameName(facts)} is pinned already`,
  'table-not-pinned': (facts) => `${frameName(facts)} is not pinned`,
  'no-l1-table': (facts) => `there is no level 1 table for ${facts.address}`,
  'address-of-xen': (facts) => `the address ${facts.address} belongs to Xen`,
  'address-not-canonical': (facts) => `the address ${facts.address} given for ${facts.what} is not canonical`,
  'argument-not-accessible': (facts) => `the ${facts.what} at ${facts.address} cannot be accessed (page-fault error code ${facts.error})`,
  'no-such-operation': (facts) => `Xen has no ${facts.what} ${facts.number}`,
  'not-implemented': (facts) => `${facts.what} is not implemented by the simulator`,
  'not-privileged': (facts) => `${facts.what} is for privileged domains`,
  'not-for-pv': (facts) => `${facts.what} is not for PV guests`,
  'no-such-domain': (facts) => `domain ${facts.domain} does not exist`,
  'port-not-open': (facts) => `event channel port ${facts.port} is not open (${facts.state})`,
  'virq-bound-already': (facts) => `${facts.virq} is bound already, to port ${facts.port}`,
  'no-such-vcpu': (facts) => `there is no vCPU ${facts.vcpu}`,
  'grant-reference': (facts) => `there is no grant ${facts.ref} of domain ${facts.granting}${facts.table ? `: ${facts.table}` : ''}`,
  'grant-not-given': (facts) => `${facts.granted}; domain ${facts.domain} asks`,
  'grant-read-only': (facts) => `${facts.granted}; domain ${facts.domain} asks to write`,
  'grant-used-otherwise': (facts) => `${facts.granted}; domain ${facts.domain} asks`,
  'grant-in-use': (facts) => `${facts.granted}`,
  'grant-frame': (facts) =>
    `grant ${facts.ref} of domain ${facts.granting} names ${frameName(facts)}, which ${frameOf(facts)?.owner === undefined ? 'is no domain’s' : `is domain ${frameOf(facts)!.owner}’s`}`,
  'grant-frame-in-use': (facts) =>
    `${frameName(facts)} is in use as ${useOf(frameOf(facts)?.type ?? 'a table')} and cannot be written through a grant`,
  'grant-handle': (facts) => `there is no grant map with the handle ${facts.handle} (${facts.known})`,
  'grant-place': (facts) => `no grant can be mapped at ${facts.address}: ${facts.why}`,
  'grant-entry-changed': (facts) =>
    `the entry for ${facts.address} is ${facts.entry} and not the ${facts.expected} that the map with handle ${facts.handle} made${facts.overwritten ? ` (overwritten ${facts.overwritten})` : ''}`,
  'grant-no-offer': (facts) => `${facts.granted}; domain ${facts.domain} would give it frame ${facts.lost}`,
  'fewer-extents': (facts) => `${facts.done} of ${facts.asked} extents were done`,
  'descriptor-not-allowed': (facts) => `the segment descriptor ${facts.descriptor} is not allowed in a guest's table`,
  'bounce-stack': (facts) => `the frame for ${facts.for} could not be pushed at ${facts.stack}`,
  'no-handler': (facts) => `${facts.for} came at rip ${facts.rip}, and no handler is registered for it`,
  'iret-to-ring-0': (facts) => `the iret frame leads to ring 0 (cs ${facts.cs}, eip ${facts.rip}), which is Xen's`,
  'no-user-tables': (facts) => `the iret frame leads to user mode (cs ${facts.cs}, rip ${facts.rip}), which has no page tables`,
  'page-not-present': (facts) => `${facts.access} of ${facts.address}: nothing is mapped there (level ${facts.level} entry not present)`,
  'page-read-only': (facts) => `write to ${facts.address}, which is mapped read only`,
  'store-to-page-table': (facts) => {
    const reasons = Array.isArray(facts.reasons) ? facts.reasons.map(String) : [];
    return `write to ${facts.address}, which is ${frameName(facts)}, a page table in use${reasons.length ? `: ${reasons.join('; ')}` : ''}`;
  },
  'page-protection': (facts) => `${facts.access} of ${facts.address} is not allowed by an entry on the way`,
};
