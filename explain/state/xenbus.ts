// Devices of a domain as XenStore shows them: how far the front end and the back end have come, who waits for whom, and what is missing.
// States and their order: public/io/xenbus.h; the nodes of each kind: public/io/blkif.h, netif.h, fbif.h, kbdif.h.

import type { DeviceState, StoreState } from './types.ts';

const STATES = ['Unknown', 'Initialising', 'InitWait', 'Initialised', 'Connected', 'Closing', 'Closed', 'Reconfiguring', 'Reconfigured'];
const INITIALISING = 1;
const INIT_WAIT = 2;
const INITIALISED = 3;
const CONNECTED = 4;
const CLOSING = 5;
const CLOSED = 6;

/** What each end has to write before the other can go on; lists of alternatives. */
const NEEDS: Readonly<Record<string, { readonly front: readonly (readonly string[])[]; readonly back: readonly string[] }>> = {
  vbd: { front: [['ring-ref', 'ring-ref0'], ['event-channel']], back: ['sectors', 'sector-size', 'info'] },
  vif: {
    front: [['tx-ring-ref'], ['rx-ring-ref'], ['event-channel', 'event-channel-tx']],
    back: ['handle', 'mac'],
  },
  vfb: { front: [['page-ref'], ['event-channel']], back: [] },
  vkbd: { front: [['page-ref', 'page-gref'], ['event-channel']], back: [] },
};

const stateName = (state: number): string => `${state} (${STATES[state] ?? 'no such state'})`;
const list = (names: readonly string[]): string => names.join(', ');

export interface DeviceWords {
  readonly summary: string;
  /** Who has to do what next; null: both are connected, or the device is gone. */
  readonly waits: string | null;
  /** Further things that are odd. */
  readonly remarks: readonly string[];
}

const stateOf = (nodes: Readonly<Record<string, string>> | null): number | null => {
  const text = nodes?.state;
  return text === undefined || !/^\d+$/.test(text) ? null : Number(text);
};

export function deviceWords(device: DeviceState): DeviceWords {
  const { kind, id, front, back, backPath, frontPath } = device;
  const [ours, theirs] = [stateOf(front), stateOf(back)];
  const needs = NEEDS[kind];
  const missingFront = needs ? needs.front.filter((names) => !names.some((name) => name in front)).map((names) => names[0]!) : [];
  const missingBack = needs && back ? needs.back.filter((name) => !(name in back)) : [];
  const name = `device/${kind}/${id}`;
  const shown = (state: number | null): string => (state === null ? 'no state node' : stateName(state));
  const remarks: string[] = [];
  if (!('backend-id' in front))
    remarks.push(`${frontPath}/backend-id is not there yet: the toolstack writes it with the device; reading it before gives ENOENT`);
  else if (backPath === null) remarks.push(`${frontPath}/backend is not there: without it the other end cannot be found`);
  if (ours === CONNECTED && theirs !== null && theirs < INITIALISED)
    remarks.push(
      'the front end went to Connected before the back end had offered anything: it must wait for InitWait first, and for Connected of the back end before it uses the ring',
    );
  if (ours !== null && ours >= INITIALISED && ours <= CONNECTED && missingFront.length)
    remarks.push(
      `the front end is in state ${ours} without having written ${list(missingFront)}: the back end reads them when it sees the state`,
    );
  if (front['event-channel'] !== undefined && !/^\d+$/.test(front['event-channel']))
    remarks.push(`event-channel '${front['event-channel']}' is no number`);
  return {
    summary: `${name}: local state ${shown(ours)}, remote state ${backPath === null || back === null ? 'none: there is no back end directory' : shown(theirs)}`,
    waits: waitsFor(ours, theirs, { missingFront, missingBack, frontPath, backPath, gone: back === null }),
    remarks,
  };
}

interface Ends {
  readonly missingFront: readonly string[];
  readonly missingBack: readonly string[];
  readonly frontPath: string;
  readonly backPath: string | null;
  readonly gone: boolean;
}

function waitsFor(ours: number | null, theirs: number | null, ends: Ends): string | null {
  const { missingFront, missingBack, frontPath, backPath, gone } = ends;
  const write = missingFront.length ? `write ${list(missingFront)} below ${frontPath}, then ` : '';
  if (gone)
    return ours === CLOSED
      ? null
      : 'the back end has no directory: it was removed, or the toolstack never made it. A front end that sees it go closes (state 6) instead of waiting';
  if (theirs === null || theirs === 0) return `the front end waits for the back end to write ${backPath}/state`;
  if (theirs === CLOSING || theirs === CLOSED) {
    if (ours === CLOSED) return null;
    return theirs === CLOSING
      ? 'the back end closes and waits for the front end: stop using the ring, unmap nothing yet, write state 5 (Closing), end access to the grants, then state 6 (Closed)'
      : 'the back end is Closed: end access to the grants, close the port, write state 6 (Closed)';
  }
  if (ours === CLOSING)
    return 'the front end is Closing: it writes state 6 (Closed) when the back end has unmapped the ring (its state 5 or 6)';
  if (ours === CLOSED) return 'the front end is Closed: the toolstack writes its state 1 when the device is to be used again';
  if (theirs === INITIALISING)
    return 'the back end is still Initialising: it waits for its own set-up in the driver domain (the hotplug script, the back end driver); the front end waits for InitWait (2)';
  if (ours === null || ours === 0 || ours === INITIALISING || ours === INIT_WAIT)
    return `the back end waits for the front end: ${write}write state ${INITIALISED} (Initialised)`;
  if (ours === INITIALISED && theirs === INIT_WAIT)
    return missingFront.length
      ? `the back end waits for ${list(missingFront)}, which the front end has not written below ${frontPath}`
      : `the front end waits for the back end to map the ring and go to Connected (4): it reads the front end's nodes when its watch on ${frontPath}/state fires, so those must be written before the state`;
  if (ours === CONNECTED && theirs < CONNECTED)
    return `the back end (state ${theirs}) has not connected; it waits for the front end's state to change to 3 or 4 after all nodes are there`;
  if (ours !== CONNECTED && theirs === CONNECTED)
    return missingBack.length
      ? `the front end waits for ${list(missingBack)} below ${backPath}`
      : 'the front end is to read what the back end offers and go to Connected (4)';
  return null;
}

/** The order in which both ends go, as the headers and Linux's drivers have it. */
export const XENBUS_ORDER = [
  'back end 1 Initialising → 2 InitWait (it has written what it offers)',
  'front end 1 Initialising → writes its ring references and event channel → 3 Initialised (or 4, where it needs nothing of the back end)',
  'back end maps the ring → 4 Connected; front end reads what it needs → 4 Connected',
  'closing: the first 5 Closing → the other 5 → the front end ends access to its grants → 6 Closed → the back end 6 Closed → the toolstack removes the nodes',
] as const;

export function storeLines(store: StoreState): string[] {
  const out: string[] = [];
  if (store.requestBytes > 0)
    out.push(
      `XenStore: ${store.requestBytes} bytes of a request lie in the ring, and xenstored was not told: send the event channel of start_info.store_evtchn after req_prod has moved.`,
    );
  if (store.replyBytes > 0)
    out.push(`XenStore: ${store.replyBytes} bytes of replies and watch events lie in the ring, not read (rsp_cons has not moved).`);
  const waiting = store.devices.map(deviceWords).filter(({ waits, remarks }) => waits !== null || remarks.length > 0);
  for (const { summary, waits, remarks } of waiting) {
    out.push(`XenStore ${summary}.`);
    if (waits) out.push(`  ${waits[0]!.toUpperCase()}${waits.slice(1)}.`);
    for (const remark of remarks) out.push(`  Note: ${remark}.`);
  }
  if (waiting.some(({ waits }) => waits !== null)) out.push('  The order of states:', ...XENBUS_ORDER.map((line) => `    ${line}`));
  for (const { path, times, last } of store.missing)
    out.push(
      `XenStore: ${path} was looked for ${times === 1 ? 'once' : `${times} times`}, last at instruction ${last.toLocaleString('en-US')}, and is not there (ENOENT).`,
    );
  if (store.watches.length) {
    out.push('XenStore watches:');
    for (const { path, token, fired } of store.watches) out.push(`  ${path} (token ${JSON.stringify(token)}): ${firedText(fired)}`);
  }
  return out;
}

const firedText = (fired: number): string =>
  fired === 0
    ? 'not fired'
    : fired === 1
      ? 'fired once, which is the event that every watch gives when it is registered: nothing has changed since'
      : `fired ${fired} times, the first at its registration: ${fired - 1} ${fired === 2 ? 'change' : 'changes'}`;
