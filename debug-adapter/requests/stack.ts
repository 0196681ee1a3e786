// stackTrace: the frames of a vCPU with our source lines.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../../host/numbers.ts';
import { isWrapper, type StackFrame } from '../../host/symbols/stack.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';
import { vcpuOf } from './execution.ts';
import { sourceOf } from './sources.ts';

/** Frames of one vCPU as a client sees them, innermost first. */
function toProtocol(
  session: Session,
  vcpu: number,
  stack: readonly { readonly id: number; readonly frame: StackFrame }[],
): DebugProtocol.StackFrame[] {
  const inStub = stack[0] !== undefined && session.host.guests.ofVcpu(vcpu).isStub(stack[0].frame.pc);
  let onlyWrappers = inStub;
  return stack.map(({ id, frame }, i) => {
    onlyWrappers &&= i === 0 || isWrapper(frame);
    const interrupted = i > 0 && stack[i - 1]!.frame.interrupts;
    const name = `${frame.name}${frame.inlined ? ' (inlined)' : ''}${interrupted ? ' (interrupted)' : ''}`;
    const common = { id, name, instructionPointerReference: hex(frame.pc) };
    if (frame.file === null) return { ...common, line: 0, column: 0, presentationHint: 'subtle' as const };
    const position = { line: session.toClientLine(frame.line), column: session.toClientColumn(Math.max(1, frame.column)) };
    const source = sourceOf(session, frame.file);
    if (!onlyWrappers) return { ...common, ...position, source };
    // Between the hypercall page and the line that made the call; an editor opens the first source that is not played down.
    return { ...common, ...position, source: { ...source, presentationHint: 'deemphasize' as const }, presentationHint: 'subtle' as const };
  });
}

export const stackRequests: Family = {
  stackTrace: (session, args: DebugProtocol.StackTraceArguments): Answer<DebugProtocol.StackTraceResponse['body']> => {
    const vcpu = vcpuOf(session, args.threadId);
    if (session.host.run.state === 'running') session.host.mustBeStopped();
    session.frames.view(vcpu);
    const frames = toProtocol(session, vcpu, session.frames.stackOf(session.host, vcpu));
    const start = args.startFrame ?? 0;
    return {
      body: { stackFrames: args.levels ? frames.slice(start, start + args.levels) : frames.slice(start), totalFrames: frames.length },
    };
  },
};
