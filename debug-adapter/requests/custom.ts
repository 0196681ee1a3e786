// Custom requests of the extension: console input, trace subscription, and the machine protocol tunnelled through DAP.

import { checkDomain, checkKinds } from '../../host/check-parameters.ts';
import type { MachineHost } from '../../host/machine-host.ts';
import { fromBase64 } from '../../host/numbers.ts';
import type { InfoBody, InputArguments, MachineRequest, SubscribeArguments } from '../../host/protocol.ts';
import { answerMachineRequest } from '../../host/protocol-server.ts';
import { TraceFeed } from '../../host/trace-feed.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';

const feeds = new WeakMap<MachineHost, TraceFeed>();

function feedOf(session: Session): TraceFeed {
  const { host } = session;
  let feed = feeds.get(host);
  if (!feed) {
    const made = new TraceFeed(
      host.machine,
      host.clock,
      (record) => host.traced(record),
      (batch) => session.event('hyperport.trace', batch),
    );
    host.observe({ stopped: () => made.flush(), ended: () => made.flush() });
    feeds.set(host, made);
    feed = made;
  }
  return feed;
}

export const customRequests: Family = {
  'hyperport.input': (session, args: InputArguments): Answer<object> => {
    session.host.input(fromBase64(args.bytes), checkDomain(session.host, args.domain));
    return { body: {} };
  },
  'hyperport.subscribe': (session, args: SubscribeArguments): Answer<object> => {
    feedOf(session).subscribe(checkKinds(args.kinds), args.batch);
    return { body: {} };
  },
  'hyperport.unsubscribe': (session): Answer<object> => {
    feedOf(session).end();
    return { body: {} };
  },
  'hyperport.info': (session): Answer<InfoBody> => {
    const { machine, launch } = session.host;
    return { body: { domains: [machine.domain], bits: machine.bits, kernel: launch.program, icount: machine.icount() } };
  },
  'hyperport.machine': (session, args: MachineRequest): Answer<unknown> => {
    if (args.method === 'subscribe') return customRequests['hyperport.subscribe']!(session, args.params) as Answer<unknown>;
    if (args.method === 'unsubscribe') return customRequests['hyperport.unsubscribe']!(session, args.params) as Answer<unknown>;
    return { body: answerMachineRequest(session.host, args) };
  },
};
