// What happens in the machine, as DAP events.

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { MachineHost } from '../host/machine-host.ts';
import { toBase64 } from '../host/numbers.ts';
import type { Stop } from '../host/run-control.ts';
import { describeStop } from '../host/stop-words.ts';
import { threadOf } from './requests/execution.ts';
import type { Session } from './session.ts';

function reasonOf(session: Session, stop: Stop): string {
  switch (stop.kind) {
    case 'breakpoint':
      return session.breakpoints.reasonOf(stop.ids);
    case 'data':
      return 'data breakpoint';
    case 'record':
      return stop.ids.length ? 'function breakpoint' : 'exception';
    case 'crash':
      return 'exception';
    default:
      return stop.kind;
  }
}

function stopped(session: Session, stop: Stop): void {
  session.forgetStop();
  const words = describeStop(session.host, stop);
  const body: DebugProtocol.StoppedEvent['body'] = {
    reason: reasonOf(session, stop),
    threadId: threadOf(stop.vcpu),
    allThreadsStopped: true,
    ...(words ? { description: words.title, text: words.text } : {}),
  };
  if ((stop.kind === 'breakpoint' || stop.kind === 'record' || stop.kind === 'data') && stop.ids.length)
    body.hitBreakpointIds = [...stop.ids];
  if (words?.console) session.output('console', words.console);
  session.event('stopped', body);
}

/** Returns a function that ends the forwarding. */
export function forwardEvents(session: Session, host: MachineHost): () => void {
  return host.observe({
    continued: () => {
      session.forgetStop();
      // A client that asked for it knows; another client of the machine may have.
      if (session.resuming) return;
      session.event('continued', { threadId: threadOf(host.machine.currentVcpu()), allThreadsContinued: true });
    },
    stopped: (stop) => stopped(session, stop),
    console: (domain, bytes) => session.event('hyperport.console', { domain, bytes: toBase64(bytes) }),
    message: (category, text) => session.output(category === 'important' ? 'important' : 'console', text),
    ended: (ending) => {
      session.output(ending.kind === 'crash' ? 'important' : 'console', ending.text);
      session.event('exited', { exitCode: ending.exitCode });
      session.event('terminated');
    },
  });
}
