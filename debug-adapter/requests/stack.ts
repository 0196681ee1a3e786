// stackTrace: the frames of a vCPU with our source lines.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { hex } from '../../host/numbers.ts';
import { isWrapper, type StackFrame } from '../../host/symbols/stack.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';
import { vcpuOf } from './execution.ts';
import { sourceOf } from './sources.ts';

/** `overStub`: only wrappers lie between this frame and the hypercall page; editors then show the frame that used the wrapper. */
function frameToProtocol(session: Session, id: number, frame: StackFrame, overStub: boolean): DebugProtocol.StackFrame {
  const position =
    frame.file === null
      ? { line: 0, column: 0, presentationHint: 'subtle' as const }
      : {
          source: sourceOf(session, frame.file),
          line: session.toClientLine(frame.line),
          column: session.toClientColumn(Math.max(1, frame.column)),
          ...(overStub && isWrapper(frame) ? { presentationHint: 'subtle' as const } : {}),
        };
  const name = `${frame.name}${frame.inlined ? ' (inlined)' : ''}${frame.interrupts ? ' (handles what it interrupted:)' : ''}`;
  return { id, name, instructionPointerReference: hex(frame.pc), ...position };
}

export const stackRequests: Family = {
  stackTrace: (session, args: DebugProtocol.StackTraceArguments): Answer<DebugProtocol.StackTraceResponse['body']> => {
    const vcpu = vcpuOf(session, args.threadId);
    if (session.host.run.state === 'running') session.host.mustBeStopped();
    const stack = session.frames.stackOf(session.host, vcpu);
    const inStub = stack[0] !== undefined && session.host.symbols.isStub(stack[0].frame.pc);
    const wrappers = inStub ? stack.findIndex(({ frame }, i) => i > 0 && !isWrapper(frame)) : 0;
    const subtle = new Set(stack.slice(0, Math.max(0, wrappers)).map(({ id }) => id));
    const start = args.startFrame ?? 0;
    const shown = args.levels ? stack.slice(start, start + args.levels) : stack.slice(start);
    return {
      body: { stackFrames: shown.map(({ id, frame }) => frameToProtocol(session, id, frame, subtle.has(id))), totalFrames: stack.length },
    };
  },
};
