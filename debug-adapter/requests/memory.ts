// readMemory and writeMemory: guest virtual memory through the page tables of the vCPU that ran last, or is looked at.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { asVirtual } from '../../abi/address.ts';
import { UserError } from '../../host/errors.ts';
import { evaluateOnGuest, numberOf } from '../../host/expression/guest-value.ts';
import { parseExpression } from '../../host/expression/parser.ts';
import { fromBase64, hex, toBase64 } from '../../host/numbers.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';

const most = 16 * 1024 * 1024;
const pageSize = 4096n;

/** A memory reference is an address, or an expression that gives one. */
export function addressOf(session: Session, reference: string, offset = 0): bigint {
  const scope = session.frames.scopeOf(session.host, undefined);
  const base = numberOf(evaluateOnGuest(parseExpression(reference), scope), 'The memory reference');
  return BigInt.asUintN(session.host.machine.bits, base + BigInt(offset));
}

/** Bytes to the next mapped page, at most `limit`: what an editor shows as unreadable. */
function unreadable(session: Session, vcpu: number, from: bigint, limit: number): number {
  let skipped = 0;
  while (skipped < limit) {
    const at = from + BigInt(skipped);
    if (session.host.read(vcpu, at, 1).length) break;
    skipped += Number(pageSize - (at % pageSize));
  }
  return Math.min(skipped, limit);
}

export const memoryRequests: Family = {
  readMemory: (session, args: DebugProtocol.ReadMemoryArguments): Answer<DebugProtocol.ReadMemoryResponse['body']> => {
    const address = addressOf(session, args.memoryReference, args.offset);
    if (args.count < 0) throw new UserError('\'readMemory\' needs "count", a number of bytes that is not negative.');
    if (args.count > most) throw new UserError(`At most ${most} bytes can be read at once.`);
    const vcpu = session.frames.vcpuInView(session.host);
    const bytes = session.host.read(vcpu, address, args.count);
    const missing = bytes.length < args.count ? unreadable(session, vcpu, address + BigInt(bytes.length), args.count - bytes.length) : 0;
    return { body: { address: hex(address), data: toBase64(bytes), ...(missing ? { unreadableBytes: missing } : {}) } };
  },
  writeMemory: (session, args: DebugProtocol.WriteMemoryArguments): Answer<DebugProtocol.WriteMemoryResponse['body']> => {
    session.host.mustBeStopped();
    const address = addressOf(session, args.memoryReference, args.offset);
    const bytes = fromBase64(args.data);
    const written = session.host.machine.writeMemory(session.frames.vcpuInView(session.host), asVirtual(address), bytes);
    if (written < bytes.length && !args.allowPartial)
      throw new UserError(
        `Only ${written} of ${bytes.length} bytes at ${hex(address)} can be written: the rest is not mapped, or is a page table, which only hypercalls may change.`,
      );
    return { body: { bytesWritten: written }, after: () => session.edited() };
  },
};
