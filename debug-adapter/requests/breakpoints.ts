// Source, function, named (hypercall:, event:, exception:, emulate:) and instruction breakpoints.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { asVirtual } from '../../abi/address.ts';
import { isNamed } from '../../host/breakpoints/names.ts';
import { namedBreakpoint, parseConditions, type WrittenConditions } from '../../host/breakpoints/record-breakpoint.ts';
import type { CodeBreakpoint, RecordBreakpoint } from '../../host/breakpoints/table.ts';
import { UserError } from '../../host/errors.ts';
import { evaluateOnGuest, numberOf } from '../../host/expression/guest-value.ts';
import { parseExpression } from '../../host/expression/parser.ts';
import type { MachineHost } from '../../host/machine-host.ts';
import { parseInteger } from '../../host/numbers.ts';
import type { Apply, BreakpointState } from '../breakpoint-state.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';
import { sourceOf } from './sources.ts';

type Made = { readonly state: BreakpointState; readonly code?: CodeBreakpoint; readonly record?: RecordBreakpoint };

/** Asked for once, applied in each machine of the session: the number stays. */
type Numbered<T> = T & { readonly id: number };
const number = <T>(session: Session, asked: readonly T[]): Numbered<T>[] => asked.map((one) => ({ ...one, id: session.newBreakpointId() }));

/** Runs a maker; what a person did wrong becomes a pending breakpoint that says so. */
function attempt(id: number, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { state: { state: 'pending', id, why: error.message } };
  }
}

interface Place {
  readonly domain: number;
  readonly address: bigint;
}

function codeBreakpoint(id: number, label: string, places: readonly Place[], written: WrittenConditions): CodeBreakpoint {
  return {
    id,
    label,
    places: places.map(({ domain, address }) => ({ domain, address: asVirtual(address) })),
    ...parseConditions(written),
  };
}

const addressesOf = (places: readonly Place[]): bigint[] => [...new Set(places.map(({ address }) => address))];

function atLine(session: Session, host: MachineHost, path: string, { id, ...asked }: Numbered<DebugProtocol.SourceBreakpoint>): Made {
  return attempt(id, () => {
    const wanted = session.fromClientLine(asked.line);
    const guests = host.guests.list();
    const files = guests.flatMap((guest) => guest.symbols.recordedFiles(path).map((file) => ({ guest, file })));
    if (!files.length) {
      const { symbolizer, warnings } = guests[0]!.symbols;
      throw new UserError(symbolizer.hasDebugInfo ? 'No code of the kernel comes from this file.' : warnings[0]!);
    }
    const found = files.flatMap(({ guest, file }) => {
      const match = guest.symbols.symbolizer.breakpointsAt(file, wanted);
      return match ? [{ ...match, domain: guest.domain }] : [];
    });
    const line = Math.min(...found.map((match) => match.line));
    const places = found
      .filter((match) => match.line === line)
      .flatMap(({ domain, addresses }) => addresses.map((address) => ({ domain, address })));
    if (!places.length) throw new UserError(`There is no code at line ${wanted} or after it.`);
    const code = codeBreakpoint(id, `${path}:${line}`, places, asked);
    const note = line === wanted ? {} : { note: `There is no code at line ${wanted}; moved to line ${line}.` };
    return {
      code,
      state: { state: 'applied', id, addresses: addressesOf(places), line, source: sourceOf(session, found[0]!.file), ...note },
    };
  });
}

function atFunction(host: MachineHost, { id, ...asked }: Numbered<DebugProtocol.FunctionBreakpoint>): Made {
  return attempt(id, () => {
    if (isNamed(asked.name)) return { record: namedBreakpoint(id, asked.name, asked), state: { state: 'applied', id, addresses: [] } };
    const name = asked.name.trim().replace(/\(\)$/, '');
    const address = parseInteger(name);
    const places = host.guests
      .list()
      .flatMap(({ domain, symbols }) =>
        address !== null ? [{ domain, address }] : symbols.symbolizer.functionsNamed(name).map(({ body }) => ({ domain, address: body })),
      );
    if (!places.length)
      throw new UserError(
        `The kernel has no function '${name}'. Hypercalls are written 'hypercall:NAME', events 'event:VIRQ_TIMER', exceptions 'exception:#PF'.`,
      );
    return { code: codeBreakpoint(id, name, places, asked), state: { state: 'applied', id, addresses: addressesOf(places) } };
  });
}

function atInstruction(session: Session, host: MachineHost, { id, ...asked }: Numbered<DebugProtocol.InstructionBreakpoint>): Made {
  return attempt(id, () => {
    const scope = session.frames.scopeOf(host, undefined);
    const base = numberOf(evaluateOnGuest(parseExpression(asked.instructionReference), scope), 'The address');
    const address = BigInt.asUintN(64, base + BigInt(asked.offset ?? 0));
    const domain = host.machine.vcpus().find((one) => one.id === scope.vcpu)?.domain ?? host.machine.domain;
    const code = codeBreakpoint(id, `0x${address.toString(16)}`, [{ domain, address }], asked);
    const isMapped = host.read(scope.vcpu, address, 1).length > 0;
    const note = isMapped ? {} : { note: 'This address is not mapped now; the breakpoint is hit when code runs there.' };
    return { code, state: { state: 'applied', id, addresses: [address], ...note } };
  });
}

function install(host: MachineHost, group: string, made: readonly Made[]): readonly BreakpointState[] {
  host.table.setCode(
    group,
    made.flatMap((m) => m.code ?? []),
  );
  host.table.setRecords(
    group,
    made.flatMap((m) => m.record ?? []),
  );
  return made.map((m) => m.state);
}

export const breakpointRequests: Family = {
  setBreakpoints: (session, args: DebugProtocol.SetBreakpointsArguments): Answer<DebugProtocol.SetBreakpointsResponse['body']> => {
    const path = args.source.path;
    if (!path) throw new UserError('Breakpoints need a source with a path.');
    const asked = number<DebugProtocol.SourceBreakpoint>(session, args.breakpoints ?? (args.lines ?? []).map((line) => ({ line })));
    const group = `source ${path}`;
    const apply: Apply = (s, host) =>
      install(
        host,
        group,
        asked.map((one) => atLine(s, host, path, one)),
      );
    return { body: { breakpoints: session.breakpoints.set(session, group, 'breakpoint', apply) } };
  },
  setFunctionBreakpoints: (
    session,
    args: DebugProtocol.SetFunctionBreakpointsArguments,
  ): Answer<DebugProtocol.SetFunctionBreakpointsResponse['body']> => {
    const asked = number(session, args.breakpoints);
    const apply: Apply = (_, host) =>
      install(
        host,
        'functions',
        asked.map((one) => atFunction(host, one)),
      );
    return { body: { breakpoints: session.breakpoints.set(session, 'functions', 'function breakpoint', apply) } };
  },
  setInstructionBreakpoints: (
    session,
    args: DebugProtocol.SetInstructionBreakpointsArguments,
  ): Answer<DebugProtocol.SetInstructionBreakpointsResponse['body']> => {
    const asked = number(session, args.breakpoints);
    const apply: Apply = (s, host) =>
      install(
        host,
        'instructions',
        asked.map((one) => atInstruction(s, host, one)),
      );
    return { body: { breakpoints: session.breakpoints.set(session, 'instructions', 'instruction breakpoint', apply) } };
  },
  breakpointLocations: (
    session,
    args: DebugProtocol.BreakpointLocationsArguments,
  ): Answer<DebugProtocol.BreakpointLocationsResponse['body']> => {
    const [first, last] = [session.fromClientLine(args.line), session.fromClientLine(args.endLine ?? args.line)];
    const { path } = args.source;
    const withCode = session.host.guests
      .list()
      .flatMap(({ symbols }) => (path ? symbols.recordedFiles(path).flatMap((file) => symbols.symbolizer.lines.linesWithCode(file)) : []));
    const lines = new Set(withCode.filter((line) => line >= first && line <= last));
    return { body: { breakpoints: [...lines].sort((a, b) => a - b).map((line) => ({ line: session.toClientLine(line) })) } };
  },
};
