// stackTrace: the frames of a vCPU with our source lines.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../../host/numbers.ts';
import type { StackFrame } from '../../host/symbols/stack.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';
import { vcpuOf } from './execution.ts';
import { sourceOf } from './sources.ts';

function frameToProtocol(session: Session, id: number, frame: StackFrame): DebugProtocol.StackFrame {
  const position =
    frame.file === null
      ? { line: 0, column: 0, presentationHint: 'subtle' as const }
      : { source: sourceOf(session, frame.file), line: session.toClientLine(frame.line), column: session.toClientColumn(Math.max(1, frame.column)) };
  const name = `${frame.name}${frame.inlined ? ' (inlined)' : ''}${frame.interrupts ? ' (handles what it interrupted:)' : ''}`;
  return { id, name, instructionPointerReference: hex(frame.pc), ...position };
}

export const stackRequests: Family = {
  stackTrace: (session, args: DebugProtocol.StackTraceArguments): Answer<DebugProtocol.StackTraceResponse['body']> => {
    const vcpu = vcpuOf(session, args.threadId);
    if (session.host.run.state === 'running') session.host.mustBeStopped();
    const stack = session.frames.stackOf(session.host, vcpu);
    const start = args.startFrame ?? 0;
    const shown = args.levels ? stack.slice(start, start + args.levels) : stack.slice(start);
    return { body: { stackFrames: shown.map(({ id, frame }) => frameToProtocol(session, id, frame)), totalFrames: stack.length } };
  },
};
