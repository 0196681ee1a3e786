// Custom requests of the extension: console input, trace subscription, and the machine protocol tunnelled through DAP.

import { checkDomain, checkKinds } from '../../host/check-parameters.ts';
import { fromBase64 } from '../../host/numbers.ts';
import type { InfoBody, InputArguments, MachineRequest, SubscribeArguments } from '../../host/protocol.ts';
import { answerMachineRequest } from '../../host/protocol-server.ts';
import { TraceFeed } from '../../host/trace-feed.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';

/** Begins what the client subscribed to, also before the launch, in this machine: at launch and at restart. */
export function startTrace(session: Session): void {
  session.feed?.end();
  session.feed = null;
  if (!session.subscription || !session.hasHost) return;
  const { host } = session;
  const feed = new TraceFeed(
    host.machine,
    host.clock,
    (record) => host.traced(record),
    (batch) => session.event('hyperport.trace', batch),
  );
  host.observe({ stopped: () => feed.flush(), ended: () => feed.flush() });
  feed.subscribe(session.subscription.kinds, session.subscription.batch);
  session.feed = feed;
}

export const customRequests: Family = {
  'hyperport.input': (session, args: InputArguments): Answer<object> => {
    session.host.input(fromBase64(args.bytes), checkDomain(session.host, args.domain));
    return { body: {} };
  },
  'hyperport.subscribe': (session, args: SubscribeArguments): Answer<object> => {
    session.subscription = { ...args, kinds: checkKinds(args.kinds) };
    startTrace(session);
    return { body: {} };
  },
  'hyperport.unsubscribe': (session): Answer<object> => {
    session.subscription = null;
    startTrace(session);
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
