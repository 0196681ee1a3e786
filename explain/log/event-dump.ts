// The debug key e: one line for each event channel port, '[p/m/s]' pending, masked, selector bit or FIFO queue state.
// Formats: Xen 4.17, common/event_channel.c, event_2l.c, event_fifo.c.

import { nameOf } from '../../abi/enumerations.ts';
import type { LogFact, LogLine, LogNote } from './note.ts';
import { domainText } from './words.ts';

const HEAD = /^\s*Event channel information for domain (\d+):/;
const POLLING = /^\s*Polling vCPUs: \{([^}]*)\}/;
const TITLE = /^\s*port \[p\/m\/s\]/;
const PORT = /^\s*(\d+) \[([01])\/([01])\/([^\]]*)\]: s=(\d) n=(\d+) x=(\d)(.*)$/;
const STATES = ['free', 'reserved', 'unbound', 'connected', 'physical interrupt', 'virtual interrupt', 'IPI'];

export const startsEventDump = (line: LogLine): boolean => HEAD.test(line.text) || PORT.test(line.text);

/** What a port is bound to. */
function binding(state: number, rest: string): string {
  const value = (name: string): string | undefined => new RegExp(` ${name}=(-?\\d+)`).exec(rest)?.[1];
  const d = value('d');
  if (state === 2) return d === undefined ? 'waits for a peer' : `waits for ${domainText(d)} to bind to it`;
  if (state === 3) return d === undefined ? 'connected' : `connected to port ${value('p') ?? '?'} of ${domainText(d)}`;
  if (state === 4) return `bound to pirq ${value('p') ?? '?'} (interrupt ${value('i') ?? '?'} of Xen)`;
  if (state === 5) {
    const virq = Number(value('v'));
    return `bound to ${nameOf('virq', virq) ?? `VIRQ ${virq}`}`;
  }
  if (state === 6) return 'an IPI of the domain’s own';
  return STATES[state] ?? `state ${state}`;
}

/** The third field: the selector bit of the 2-level layout stands alone; the FIFO layout pads the next port of its queue, or '-' for none. */
function queueOf(field: string): { readonly fifo: boolean; readonly waits: boolean } {
  const text = field.trim();
  return text === field ? { fifo: false, waits: text === '1' } : { fifo: true, waits: /^\d+$/.test(text) };
}

/** What is odd about a port; null: nothing. */
function trouble(state: number, pending: boolean, masked: boolean, { fifo, waits }: ReturnType<typeof queueOf>): string | null {
  if (pending && masked)
    return 'an event waits and the port is masked: nothing comes until the guest unmasks it (EVTCHNOP_unmask, or its mask bit and the pending check)';
  if (pending && !waits)
    return fifo
      ? 'an event waits, but the port is on no queue: the guest took it off without handling it, and no upcall will look here'
      : 'an event waits, but the selector bit is clear: the guest cleared it without handling this port, and no upcall will look here';
  if (pending) return 'an event waits for the vCPU to take its upcall';
  if (state === 2) return 'the other side has not bound yet';
  return null;
}

export function readEventDump(lines: readonly LogLine[], start: number): { note: LogNote; next: number } {
  const domain = HEAD.exec(lines[start]!.text)?.[1];
  const facts: LogFact[] = [];
  const stuck: string[] = [];
  let ports = 0;
  let polling = '';
  let next = domain === undefined ? start : start + 1;
  for (; next < lines.length; next++) {
    const { text } = lines[next]!;
    const poll = POLLING.exec(text);
    if (poll) {
      polling = poll[1]!.trim();
      continue;
    }
    if (TITLE.test(text)) continue;
    const match = PORT.exec(text);
    if (!match) break;
    ports++;
    const [, port, p, m, s, state, vcpu, xen, rest] = match as unknown as string[];
    const odd = trouble(Number(state), p === '1', m === '1', queueOf(s!));
    if (p === '1' && m === '1') stuck.push(port!);
    const parts = [
      binding(Number(state), rest!),
      `for vCPU ${vcpu}`,
      ...(p === '1' ? ['pending'] : []),
      ...(m === '1' ? ['masked'] : []),
      ...(xen === '1' ? ['handled within Xen'] : []),
    ];
    facts.push({ name: `port ${port}`, value: text.trim().replace(/^\d+ /, ''), means: parts.join(', ') + (odd ? `; ${odd}` : '') });
  }
  const whose = domain === undefined ? 'a domain' : domainText(domain);
  const polls = polling ? ` vCPU ${polling} polls (SCHEDOP_poll).` : '';
  return {
    note: {
      kind: 'event-channels',
      line: lines[start]!.number,
      lastLine: lines[next - 1]!.number,
      text: lines[start]!.text.trim(),
      says: `Event channels of ${whose}: ${ports} ${ports === 1 ? 'port' : 'ports'} in use${stuck.length ? `; pending and masked: ${stuck.join(', ')}` : ''}.${polls}`,
      facts,
      ...(stuck.length
        ? {
            advice:
              'A port that stays masked and pending never reaches its handler: unmask it after the handler has run, and look at pending again after unmasking.',
          }
        : {}),
    },
    next,
  };
}
