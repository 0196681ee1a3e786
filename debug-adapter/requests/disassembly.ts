// disassemble: exactly as many rows as asked for, whatever is mapped there.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../host/errors.ts';
import { hex } from '../../host/numbers.ts';
import type { GuestSymbols } from '../../host/symbols/guest-symbols.ts';
import { type DisassembledRow, Disassembler } from '../disassembler.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';
import { addressOf } from './memory.ts';
import { sourceOf } from './sources.ts';

const mostRows = 20_000;

function rowToProtocol(
  session: Session,
  symbols: GuestSymbols,
  row: DisassembledRow,
  before: { file: string; line: number } | null,
): DebugProtocol.DisassembledInstruction {
  const bytes = row.bytes ? [...row.bytes].map((b) => b.toString(16).padStart(2, '0')).join(' ') : undefined;
  const stub = symbols.stubAt(row.address);
  const low = stub ? null : symbols.functionAt(row.address)?.low;
  const symbol = stub
    ? stub.offset === 0
      ? symbols.stubName(stub.nr)
      : undefined
    : low === row.address
      ? symbols.symbolizer.functionAt(row.address)?.name
      : undefined;
  const line = row.bytes && !stub ? symbols.symbolizer.lineAt(row.address) : undefined;
  const isNew = line && (before?.file !== line.file || before.line !== line.line);
  return {
    address: hex(row.address),
    instruction: row.text,
    ...(bytes === undefined ? {} : { instructionBytes: bytes }),
    ...(symbol === undefined ? {} : { symbol }),
    ...(row.bytes ? {} : { presentationHint: 'invalid' as const }),
    ...(isNew ? { location: sourceOf(session, line.file), line: session.toClientLine(line.line) } : {}),
  };
}

/** Where decoding may safely begin before an address: the line's or function's first byte, or a stub of the hypercall page. */
function startBefore(symbols: GuestSymbols, near: bigint): bigint | null {
  const stub = symbols.stubAt(near);
  if (stub) return near - BigInt(stub.offset);
  return symbols.functionAt(near)?.low ?? symbols.symbolizer.lineAt(near)?.low ?? null;
}

export const disassemblyRequests: Family = {
  disassemble: async (session, args: DebugProtocol.DisassembleArguments): Promise<Answer<DebugProtocol.DisassembleResponse['body']>> => {
    const { host } = session;
    const wanted = args.instructionCount;
    if (!(Number.isInteger(wanted) && wanted >= 0 && wanted <= mostRows))
      throw new UserError(`At most ${mostRows} instructions can be disassembled at once.`);
    const skip = args.instructionOffset ?? 0;
    if (Math.abs(skip) > mostRows) throw new UserError(`The disassembly may begin at most ${mostRows} instructions away.`);
    const from = addressOf(session, args.memoryReference, args.offset);
    const vcpu = session.frames.vcpuInView(host);
    const symbols = host.guests.ofVcpu(vcpu);
    const symbol = (address: bigint): string | null => symbols.nameAt(address);
    const syntax = session.configuration?.disassembly ?? 'att';
    const disassembler = await Disassembler.open(host.machine.bits, syntax, (address, length) => host.read(vcpu, address, length), symbol);
    const before = skip < 0 ? disassembler.backward(from, -skip, (near) => startBefore(symbols, near)).slice(0, wanted) : [];
    const after = disassembler.forward(from, Math.max(0, skip) + wanted - before.length).slice(Math.max(0, skip));
    let last: { file: string; line: number } | null = null;
    const instructions = [...before, ...after].slice(0, wanted).map((row) => {
      const shown = rowToProtocol(session, symbols, row, last);
      const line = row.bytes ? symbols.lineAt(row.address) : null;
      last = line;
      return shown;
    });
    return { body: { instructions } };
  },
};
