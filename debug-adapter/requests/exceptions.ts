// Exception filters (classes of trace records, and the domain's crash) and the explanation of such a stop.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { crashFilter, recordFilters } from '../../host/breakpoints/filters.ts';
import { filterBreakpoint } from '../../host/breakpoints/record-breakpoint.ts';
import { UserError } from '../../host/errors.ts';
import type { MachineHost } from '../../host/machine-host.ts';
import { describeStop } from '../../host/stop-words.ts';
import type { Apply, BreakpointState } from '../breakpoint-state.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';
import { vcpuOf } from './execution.ts';

interface Chosen {
  /** 0 for one that the client did not choose. */
  readonly id: number;
  readonly filterId: string;
  readonly condition?: string;
}

function choose(host: MachineHost, chosen: readonly Chosen[]): readonly BreakpointState[] {
  host.run.stopAtCrash = chosen.some((c) => c.filterId === crashFilter.id);
  const states: BreakpointState[] = [];
  const records = chosen.flatMap(({ id, filterId, condition }) => {
    const filter = recordFilters.find((f) => f.id === filterId);
    try {
      if (!filter && filterId !== crashFilter.id) throw new UserError(`There is no exception filter '${filterId}'.`);
      const made = filter ? [filterBreakpoint(id, filter, condition)] : [];
      states.push({ state: 'applied', id, addresses: [] });
      return made;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      states.push({ state: 'pending', id, why: error.message });
      return [];
    }
  });
  host.table.setRecords('filters', records);
  return states;
}

/** Until the client chooses: what is not implemented, and a crash, stop a session unless told otherwise. */
export function chooseDefaults(host: MachineHost): void {
  const defaults = [crashFilter, ...recordFilters].filter((filter) => filter.byDefault);
  choose(
    host,
    defaults.map((filter) => ({ id: 0, filterId: filter.id })),
  );
}

/** Id of what stopped the machine: a rule of the catalogue where a refusal names one. */
function exceptionId(session: Session): string {
  const stop = session.host.lastStop;
  if (stop?.kind === 'crash') return stop.ending.kind === 'crash' ? (stop.ending.refusal?.rule ?? crashFilter.id) : crashFilter.id;
  if (stop?.kind !== 'record') return 'stop';
  const { record } = stop;
  if ('refusal' in record && record.refusal) return record.refusal.rule;
  if (record.kind === 'exception') return record.name;
  return record.kind === 'emulate' ? record.rule : (stop.filters[0] ?? record.kind);
}

export const exceptionRequests: Family = {
  setExceptionBreakpoints: (
    session,
    args: DebugProtocol.SetExceptionBreakpointsArguments,
  ): Answer<DebugProtocol.SetExceptionBreakpointsResponse['body']> => {
    const asked = [...args.filters.map((filterId) => ({ filterId })), ...(args.filterOptions ?? [])];
    const chosen: Chosen[] = asked.map((one) => ({ ...one, id: session.newBreakpointId() }));
    const apply: Apply = (_, host) => choose(host, chosen);
    return { body: { breakpoints: session.breakpoints.set(session, 'exceptions', 'breakpoint', apply) } };
  },
  exceptionInfo: (session, args: DebugProtocol.ExceptionInfoArguments): Answer<DebugProtocol.ExceptionInfoResponse['body']> => {
    const vcpu = vcpuOf(session, args.threadId);
    const stop = session.host.lastStop;
    const words = stop && stop.vcpu === vcpu ? describeStop(session.host, stop) : null;
    if (!words) throw new UserError('This vCPU has not stopped at an exception.');
    return {
      body: {
        exceptionId: exceptionId(session),
        description: words.full,
        breakMode: 'always',
        details: { message: words.text, typeName: words.title },
      },
    };
  },
};
