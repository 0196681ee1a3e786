// platform_op, sysctl, domctl and the machine-check call: a structure that begins with the command and the version of the interface. Xen copies it,
// compares the version, and only then looks at who calls; domctl looks the domain up in between, so an unprivileged caller can tell one that
// exists from one that does not. A domU is refused all of them; what they do for dom0 the simulator does not carry out.
// Source: answers of Xen 4.17, recorded in test/conformance/recorded/toolstack*.

import { hypercallByNumber, operationByNumber } from '../../../abi/hypercalls.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Call, type Handler, type HandlerResult, no, noSuch, notImplemented, notPrivileged } from '../call.ts';
import { domctl, sysctl } from './domain-info.ts';
import { machineCheck } from './machine-check.ts';
import { platformOp } from './platform.ts';

interface Form {
  /** Bytes that Xen copies. */
  readonly size: number;
  readonly version: number;
  /** Who calls is looked at before anything else. */
  readonly privilegeFirst?: true;
  /** What is carried out for dom0; null: not by the simulator. */
  readonly run?: (call: Call, command: number, bytes: Uint8Array, what: string) => HandlerResult | null;
  /** The domain that is looked up before the caller's rights are; null: none. */
  readonly target?: (command: number, bytes: DataView) => number | null;
}

/** Commands whose domain Xen does not look up first: there is none yet, or it is where a search begins. */
const WITHOUT_DOMAIN = new Set([1, 5]);

const forms: Readonly<Record<number, Form>> = {
  7: { size: 136, version: 0x0300_0001, run: platformOp },
  35: { size: 136, version: 0x15, run: sysctl },
  36: {
    size: 144,
    version: 0x15,
    run: domctl,
    target: (command, bytes) => (WITHOUT_DOMAIN.has(command) ? null : bytes.getUint16(8, true)),
  },
  48: { size: 152, version: 0x01ec_c003, privilegeFirst: true, run: machineCheck },
};

function carryOut(call: Call, form: Form): HandlerResult {
  const { name } = hypercallByNumber(call.nr)!;
  if (form.privilegeFirst && !call.domain.isDom0) return notPrivileged(name);
  const bytes = call.read(call.args[0]!, form.size);
  if (!bytes) return call.fault(`xen_${name}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const command = view.getUint32(0, true);
  const version = view.getUint32(4, true);
  if (version !== form.version) {
    return no(refuse('EACCES', 'interface-version', { what: name, version, expected: form.version }));
  }
  const operation = operationByNumber(hypercallByNumber(call.nr)!, command);
  const what = `${name}.${operation?.name ?? command}`;
  const target = form.target?.(command, view) ?? null;
  if (target !== null && target !== 0 && !call.hv.domainById(target))
    return no(refuse('ESRCH', 'no-such-domain', { what, domain: target }));
  if (!call.domain.isDom0) return notPrivileged(what);
  const carried = form.run?.(call, command, bytes, what) ?? null;
  if (carried !== null) return carried;
  return operation ? notImplemented(what) : noSuch(name, command);
}

export const toolstackHandlers: Readonly<Record<number, Handler>> = Object.fromEntries(
  Object.entries(forms).map(([nr, form]) => [nr, (call: Call) => carryOut(call, form)]),
);
