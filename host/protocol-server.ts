// Answers the machine protocol's requests for one machine host; events reach the clients by serveMachine().

import { asVirtual } from '../abi/address.ts';
import { hexBytes } from '../abi/present.ts';
import type { RegisterName, Registers } from '../simulator/machine-types.ts';
import { checkAddress, checkCount, checkDomain, checkKinds } from './check-parameters.ts';
import { describeEnding } from './endings.ts';
import { UserError } from './errors.ts';
import { grantLeakLines } from './grant-words.ts';
import type { MachineHost } from './machine-host.ts';
import { fromBase64, hex, toBase64 } from './numbers.ts';
import type { MachineEvent, MachineMethod, MachineRequest, Params, Result, StopInfo, WireMessage } from './protocol.ts';
import type { Stop } from './run-control.ts';
import { TraceFeed } from './trace-feed.ts';
import { explainCrash } from './words.ts';

type Answers = { readonly [M in MachineMethod]: (host: MachineHost, params: Params<M>) => Result<M> };

const mostBytes = 16 * 1024 * 1024;
const vcpuOf = (host: MachineHost, params: { readonly vcpu?: number }): number => host.checkVcpu(params.vcpu ?? host.machine.currentVcpu());

const needsFeed = (): never => {
  throw new UserError('Trace records are sent to subscribers of a transport only.');
};

const answers: Answers = {
  info: ({ machine, launch, run }) => ({
    program: launch.program,
    domain: machine.domain,
    bits: machine.bits,
    memoryMib: launch.memoryMib,
    vcpus: machine.vcpus().length,
    dom0: launch.dom0,
    cpu: launch.cpu,
    pace: run.paceNow,
    state: run.state,
    ...machine.counters(),
    clock: machine.clock(),
  }),
  domains: ({ machine }) =>
    machine.domains().map(({ id, name, dom0, state, hypercalls, vcpus }) => ({ id, name, dom0, state, hypercalls, vcpus })),
  vcpus: ({ machine, guests }) =>
    machine.vcpus().map(({ id, domain, vcpu, state, inKernel }) => {
      const { rip } = machine.registers(id);
      return { vcpu: id, domain, number: vcpu, state, inKernel, rip: hex(rip), location: guests.ofVcpu(id).locate(rip) };
    }),
  continue: (host) => {
    host.continue();
    return {};
  },
  pause: (host) => {
    host.run.pause();
    return {};
  },
  step: (host, params) => {
    host.step(vcpuOf(host, params), params.kind, params.granularity);
    return {};
  },
  setPace: (host, params) => {
    if (params.pace !== 'fast' && params.pace !== 'real') throw new UserError('"pace" must be "fast" or "real".');
    host.run.setPace(params.pace);
    return {};
  },
  terminate: (host) => {
    host.run.end();
    return {};
  },
  registers: (host, params) => {
    const registers = host.machine.registers(vcpuOf(host, params));
    return Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, hex(value)]));
  },
  setRegister: (host, params) => {
    const vcpu = vcpuOf(host, params);
    const known = host.machine.registers(vcpu);
    if (!Object.hasOwn(known, params.name))
      throw new UserError(`There is no register '${params.name}'; there is: ${Object.keys(known).join(', ')}.`);
    host.setRegister(vcpu, params.name as RegisterName & keyof Registers, checkAddress(params.value, 'value'));
    return {};
  },
  readMemory: (host, params) => {
    const address = checkAddress(params.address, 'address');
    const length = checkCount(params.length, 'length', 0, mostBytes);
    const bytes = host.read(vcpuOf(host, params), address, length);
    return { address: hex(address), bytes: toBase64(bytes), unreadable: length - bytes.length };
  },
  writeMemory: (host, params) => {
    host.mustBeStopped();
    const address = checkAddress(params.address, 'address');
    return { written: host.machine.writeMemory(vcpuOf(host, params), asVirtual(address), fromBase64(params.bytes)) };
  },
  walk: (host, params) => {
    const walk = host.machine.walk(vcpuOf(host, params), asVirtual(checkAddress(params.address, 'address')));
    const steps = walk.steps.map(({ level, mfn, index, entry }) => ({ level, mfn: hex(mfn), index, entry: hex(entry) }));
    return { steps, machine: walk.machine === undefined ? null : hex(walk.machine) };
  },
  locate: (host, params) => host.guests.ofVcpu(vcpuOf(host, params)).locate(checkAddress(params.address, 'address')),
  input: (host, params) => {
    host.input(fromBase64(params.bytes), checkDomain(host, params.domain));
    return {};
  },
  subscribe: needsFeed,
  unsubscribe: needsFeed,
  recent: ({ machine }, params) => machine.recent(checkCount(params.limit, 'limit', 0, 100_000)),
  grants: ({ machine, guests }) => ({ grants: machine.grants(), leaks: grantLeakLines(machine, (domain) => guests.of(domain)) }),
  stateHash: ({ machine }) => ({ hash: machine.stateHash() }),
};

/** Throws UserError for what the client asked wrongly. */
export function answerMachineRequest(host: MachineHost, request: MachineRequest): unknown {
  const answer = Object.hasOwn(answers, request.method) ? answers[request.method] : undefined;
  if (!answer)
    throw new UserError(`The machine protocol has no request '${request.method}'; there is: ${Object.keys(answers).join(', ')}.`);
  return answer(host, (request.params ?? {}) as never);
}

export function stopInfo(stop: Stop): StopInfo {
  if (stop.kind === 'breakpoint') return { ...stop, address: hex(stop.address) };
  if (stop.kind === 'data') {
    const accesses = stop.accesses.map(({ address, length, access, before, after }) => ({
      ...{ address: hex(address), length, access },
      ...{ before: hexBytes(before), after: hexBytes(after) },
    }));
    return { ...stop, instruction: hex(stop.instruction), accesses };
  }
  if (stop.kind === 'crash') return { kind: 'crash', vcpu: stop.vcpu, ending: describeEnding(stop.ending, explainCrash) };
  return stop;
}

/** One client of the machine over a transport. */
export interface MachineClient {
  /** A message from the client. */
  receive(message: WireMessage): void;
  close(): void;
}

/** Serves a client: `send` carries answers and events to it. */
export function serveMachine(host: MachineHost, send: (message: WireMessage) => void): MachineClient {
  const event = (body: MachineEvent): void => send({ type: 'event', ...body });
  const feed = new TraceFeed(
    host.machine,
    host.clock,
    (record) => host.traced(record),
    (batch) => event({ event: 'trace', ...batch }),
  );
  const forget = host.observe({
    continued: () => event({ event: 'continued' }),
    stopped: (stop) => {
      feed.flush();
      event({ event: 'stopped', stop: stopInfo(stop) });
    },
    console: (domain, bytes) => event({ event: 'console', domain, bytes: toBase64(bytes) }),
    message: (category, text) => event({ event: 'message', category, text }),
    ended: (ending) => {
      feed.flush();
      event({ event: 'ended', ending });
    },
  });
  const answer = (message: WireMessage & { type: 'request' }): unknown => {
    if (message.method === 'subscribe') return feed.subscribe(checkKinds(message.params.kinds), message.params.batch) ?? {};
    if (message.method === 'unsubscribe') return feed.end() ?? {};
    return answerMachineRequest(host, message);
  };
  return {
    receive: (message) => {
      if (message.type !== 'request') return;
      try {
        send({ type: 'response', id: message.id, result: answer(message) });
      } catch (error) {
        send({ type: 'error', id: message.id, message: error instanceof Error ? error.message : String(error) });
      }
    },
    close: () => {
      forget();
      feed.end();
    },
  };
}
