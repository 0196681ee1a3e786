// What the client asked to stop at, and what became of it: applied at addresses or over records, or pending with the reason.

import type { DebugProtocol } from '@vscode/debugprotocol';
import type { MachineHost } from '../host/machine-host.ts';
import type { Session } from './session.ts';

export type BreakpointState =
  | {
      readonly state: 'applied';
      readonly id: number;
      readonly addresses: readonly bigint[];
      readonly source?: DebugProtocol.Source;
      readonly line?: number;
      readonly note?: string;
    }
  | { readonly state: 'pending'; readonly id: number; readonly why: string };

export type BreakpointReason = 'breakpoint' | 'function breakpoint' | 'instruction breakpoint' | 'data breakpoint';

/** Sets one request's breakpoints in a machine; returns their states in order. */
export type Apply = (session: Session, host: MachineHost) => readonly BreakpointState[];

export class SessionBreakpoints {
  /** The last request of each group, to be applied again after a restart. */
  private readonly groups = new Map<string, Apply>();
  private readonly reasons = new Map<number, BreakpointReason>();

  /** Remembers and applies. Without a machine everything is pending. */
  set(session: Session, group: string, reason: BreakpointReason, apply: Apply): DebugProtocol.Breakpoint[] {
    this.groups.set(group, apply);
    const states = apply(session, session.host);
    for (const { id } of states) this.reasons.set(id, reason);
    return states.map((state) => toProtocol(session, state));
  }

  /** What a person would call the stop. */
  reasonOf(ids: readonly number[]): BreakpointReason {
    return this.reasons.get(ids[0] ?? -1) ?? 'breakpoint';
  }

  all(): readonly Apply[] {
    return [...this.groups.values()];
  }
}

/** Sets all breakpoints again, in the machine of a restart. */
export function applyBreakpoints(session: Session): void {
  for (const apply of session.breakpoints.all())
    for (const state of apply(session, session.host))
      session.event('breakpoint', { reason: 'changed', breakpoint: toProtocol(session, state) });
}

function toProtocol(session: Session, state: BreakpointState): DebugProtocol.Breakpoint {
  if (state.state === 'pending') return { id: state.id, verified: false, message: state.why, reason: 'failed' };
  const [address] = state.addresses;
  return {
    id: state.id,
    verified: true,
    ...(state.note === undefined ? {} : { message: state.note }),
    ...(state.source === undefined ? {} : { source: state.source }),
    ...(state.line === undefined ? {} : { line: session.toClientLine(state.line) }),
    ...(address === undefined ? {} : { instructionReference: `0x${address.toString(16)}` }),
  };
}
