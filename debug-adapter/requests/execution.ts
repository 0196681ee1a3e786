// continue, pause, the steps, threads (one for each vCPU).

import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../host/errors.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';

/** DAP numbers threads from 1, the machine numbers its vCPUs from 0. */
export const threadOf = (vcpu: number): number => vcpu + 1;

/** Throws UserError for a thread that no vCPU is. */
export function vcpuOf(session: Session, threadId: number): number {
  const vcpus = session.host.machine.vcpus();
  const count = vcpus.length;
  if (vcpus.some(({ id }) => threadOf(id) === threadId)) return threadId - 1;
  throw new UserError(`There is no thread ${threadId}; the machine has ${count} (one for each vCPU), numbered from 1.`);
}

function step(session: Session, args: DebugProtocol.NextArguments, kind: 'in' | 'over' | 'out'): Answer<never> {
  const vcpu = vcpuOf(session, args.threadId);
  session.host.mustBeStopped();
  const granularity = args.granularity === 'instruction' ? 'instruction' : 'line';
  session.resume(() => session.host.step(vcpu, kind, granularity));
  return {};
}

export const executionRequests: Family = {
  continue: (session, args: DebugProtocol.ContinueArguments): Answer<DebugProtocol.ContinueResponse['body']> => {
    vcpuOf(session, args.threadId);
    session.resume(() => session.host.continue());
    return { body: { allThreadsContinued: true } };
  },
  pause: (session) => {
    session.host.run.pause();
    return {};
  },
  next: (session, args: DebugProtocol.NextArguments) => step(session, args, 'over'),
  stepIn: (session, args: DebugProtocol.StepInArguments) => step(session, args, 'in'),
  stepOut: (session, args: DebugProtocol.StepOutArguments) => step(session, args, 'out'),
  threads: (session): Answer<DebugProtocol.ThreadsResponse['body']> => {
    if (!session.hasHost) return { body: { threads: [] } };
    const threads = session.host.machine.vcpus().map((v) => ({
      id: threadOf(v.id),
      name: `${v.domain === 0 ? 'dom0' : `domain ${v.domain}`} vCPU ${v.vcpu}${v.state === 'down' ? ' (down)' : v.inKernel ? '' : ' (user mode)'}`,
    }));
    return { body: { threads } };
  },
};
