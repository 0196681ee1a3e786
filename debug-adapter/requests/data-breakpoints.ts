// Data breakpoints: stop behind the instruction that reads or writes a variable or a range of addresses.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { asVirtual } from '../../abi/address.ts';
import { parseConditions } from '../../host/breakpoints/record-breakpoint.ts';
import type { DataBreakpoint } from '../../host/breakpoints/table.ts';
import { checkDomain } from '../../host/check-parameters.ts';
import { UserError } from '../../host/errors.ts';
import { evaluateOnGuest } from '../../host/expression/guest-value.ts';
import { parseExpression } from '../../host/expression/parser.ts';
import type { MachineHost } from '../../host/machine-host.ts';
import { hex } from '../../host/numbers.ts';
import type { Value } from '../../image/value.ts';
import type { BreakpointState } from '../breakpoint-state.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';
import { addressOf } from './memory.ts';

type Info = DebugProtocol.DataBreakpointInfoResponse['body'];

/** What one watchpoint of the machine takes. */
const longest = 4096;
const accessTypes: DebugProtocol.DataBreakpointAccessType[] = ['write', 'read', 'readWrite'];
const accesses = { write: 'write', read: 'read', readWrite: 'access' } as const;

const none = (description: string): Info => ({ dataId: null, description });

/** `domain`: in a machine of several whose address it is. The id carries the range, so that a client may keep it for the next session; what it is called comes last. */
function range(address: bigint, length: number, name: string, domain: number | null): Info {
  if (length > longest) return none(`${name} has ${length} bytes; at most ${longest} can be watched. Watch a member of it.`);
  if (length < 1) return none(`${name} has no size that is known; watch its address with a number of bytes.`);
  const bytes = `${length} byte${length === 1 ? '' : 's'}`;
  // Not across sessions: a variable of a frame or of the heap may lie elsewhere then.
  return {
    dataId: `${domain === null ? '' : `d${domain}/`}${hex(address)}/${length}/${name}`,
    description: `${name} (${bytes} at ${hex(address)})`,
    accessTypes,
    canPersist: false,
  };
}

function ofValue(value: Value | undefined, name: string, bytes: number | undefined, domain: number | null): Info {
  if (!value) return none(`'${name}' is no variable of the guest.`);
  if (value.address === undefined) return none(`${name} is in no memory here, but in a register or optimized out.`);
  return range(value.address, bytes ?? value.ctype.size, name, domain);
}

function parseId(id: string): { domain: number | null; address: bigint; length: number; name: string } {
  const parts = /^(?:d([0-9]{1,5})\/)?(0x[0-9a-f]{1,16})\/([0-9]{1,4})\/(.*)$/s.exec(id);
  const length = Number(parts?.[3]);
  if (!parts || length < 1 || length > longest) throw new UserError(`'${id}' is not the id of data that dataBreakpointInfo gave.`);
  return { domain: parts[1] === undefined ? null : Number(parts[1]), address: BigInt(parts[2]!), length, name: parts[4]! };
}

function make(host: MachineHost, id: number, asked: DebugProtocol.DataBreakpoint): { state: BreakpointState; data?: DataBreakpoint } {
  try {
    const { domain: named, address, length, name } = parseId(asked.dataId);
    const domain = checkDomain(host, named ?? undefined);
    const access = accesses[asked.accessType ?? 'write'];
    if (!access) throw new UserError(`There is no access type '${asked.accessType}'; there is: ${accessTypes.join(', ')}.`);
    const data = { id, domain, label: name, address: asVirtual(address), length, access, ...parseConditions(asked) };
    return { data, state: { state: 'applied', id, addresses: [] } };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { state: { state: 'pending', id, why: error.message } };
  }
}

function info(session: Session, args: DebugProtocol.DataBreakpointInfoArguments): Info {
  session.host.mustBeStopped();
  const { name, bytes, variablesReference } = args;
  if (bytes !== undefined && !(Number.isInteger(bytes) && bytes > 0)) throw new UserError('"bytes" must be a number above 0.');
  const scope = session.frames.scopeOf(session.host, args.frameId);
  const { guests, machine } = session.host;
  const domain = guests.several ? (machine.vcpus().find(({ id }) => id === scope.vcpu)?.domain ?? null) : null;
  if (args.asAddress) return range(addressOf(session, name), bytes ?? 1, name, domain);
  if (variablesReference) return ofValue(session.references.get(variablesReference).find?.(name), name, bytes, domain);
  const value = evaluateOnGuest(parseExpression(name), scope);
  // A number stands for the address of what is to be watched.
  return value.kind === 'object' ? ofValue(value.value, name, bytes, domain) : range(addressOf(session, name), bytes ?? 8, name, domain);
}

export const dataBreakpointRequests: Family = {
  dataBreakpointInfo: (session, args: DebugProtocol.DataBreakpointInfoArguments): Answer<Info> => ({ body: info(session, args) }),
  setDataBreakpoints: (
    session,
    args: DebugProtocol.SetDataBreakpointsArguments,
  ): Answer<DebugProtocol.SetDataBreakpointsResponse['body']> => {
    const asked = args.breakpoints.map((one) => ({ ...one, id: session.newBreakpointId() }));
    const breakpoints = session.breakpoints.set(session, 'data', 'data breakpoint', (_, host) => {
      const made = asked.map((one) => make(host, one.id, one));
      host.table.setData(made.flatMap(({ data }) => data ?? []));
      return made.map(({ state }) => state);
    });
    return { body: { breakpoints } };
  },
};
