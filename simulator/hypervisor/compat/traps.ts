// set_trap_table, set_callbacks and callback_op of a 32-bit guest: entries of 8 bytes, and a code segment with each address.
// Behaviour of Xen 4.17 built with PV32 (arch/x86/pv/callback.c).

import { callbackTypes as T } from '../../../abi/constants/vcpu.table.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch } from '../call.ts';
import type { VcpuState } from '../vcpu.ts';
import { FLAT32 } from './flat.ts';

const NMI = 2;
const MASK_EVENTS = 1;
const ENTRY = 8;

/** Selectors that ask for more privilege than the guest's kernel has get its ring. */
export const guestSelector = (selector: number): number => ((selector & 3) >= 1 ? selector : selector | 1) & 0xffff;

/** Reads entries up to one whose address is 0; a null pointer clears the table. */
export function setTrapTable32(call: Call): HandlerResult {
  const list = call.args[0]!;
  const { vcpu } = call;
  if (list === 0n) {
    for (let vector = 0; vector < 256; vector++) vcpu.setTrap(vector, null);
    return 0;
  }
  for (let n = 0; ; n++) {
    const bytes = call.read(list + BigInt(n * ENTRY), ENTRY);
    if (!bytes) return call.fault(`trap table entry ${n}`);
    const view = new DataView(bytes.buffer);
    const address = BigInt(view.getUint32(4, true));
    if (address === 0n) return 0;
    vcpu.setTrap(view.getUint8(0), { flags: view.getUint8(1), cs: guestSelector(view.getUint16(2, true)), address });
  }
}

function register(vcpu: VcpuState, type: number, flags: number, selector: number, address: bigint): Answer | null {
  const callback = { cs: guestSelector(selector), address, masks: (flags & MASK_EVENTS) !== 0 };
  switch (type) {
    case T.CALLBACKTYPE_event:
      vcpu.event = { ...callback, masks: true };
      return null;
    case T.CALLBACKTYPE_failsafe:
      vcpu.failsafe = callback;
      return null;
    case T.CALLBACKTYPE_syscall32:
      vcpu.syscall32 = callback;
      return null;
    case T.CALLBACKTYPE_sysenter:
      vcpu.sysenter = callback;
      return null;
    case T.CALLBACKTYPE_nmi:
      vcpu.setTrap(NMI, { flags: 4, cs: FLAT32.kernelCs, address });
      return null;
    default:
      return noSuch('callback type', type);
  }
}

export function setCallbacks32(call: Call): HandlerResult {
  const [eventCs, event, failsafeCs, failsafe] = call.args as [bigint, bigint, bigint, bigint];
  register(call.vcpu, T.CALLBACKTYPE_event, 0, Number(eventCs & 0xffffn), event);
  register(call.vcpu, T.CALLBACKTYPE_failsafe, 0, Number(failsafeCs & 0xffffn), failsafe);
  return 0;
}

const REGISTER = 0;
const UNREGISTER = 1;

export function callbackOp32(call: Call): HandlerResult {
  const command = call.s32(0);
  if (command === REGISTER) {
    const op = call.struct('callback_register', call.args[1]!);
    if (!op) return call.fault('callback_register');
    return (
      register(call.vcpu, op.number('type'), op.number('flags'), op.number('address.cs') & 0xffff, BigInt(op.number('address.eip'))) ?? 0
    );
  }
  // Unlike the 64-bit call, this one calls an unknown command invalid.
  if (command !== UNREGISTER) return no(refuse('EINVAL', 'no-such-operation', { what: 'callback_op', number: command }));
  const op = call.struct('callback_unregister', call.args[1]!);
  if (!op) return call.fault('callback_unregister');
  const type = op.number('type');
  switch (type) {
    case T.CALLBACKTYPE_nmi:
      call.vcpu.setTrap(NMI, null);
      return 0;
    case T.CALLBACKTYPE_event:
    case T.CALLBACKTYPE_failsafe:
    case T.CALLBACKTYPE_syscall32:
    case T.CALLBACKTYPE_sysenter:
      return no(refuse('EINVAL', 'callback-stays', { type }));
    default:
      return noSuch('callback type', type);
  }
}

/** nmi_op: register_callback for vCPU 0, unregister_callback. */
export function nmiOp32(call: Call): HandlerResult {
  const command = call.u32(0);
  if (command === REGISTER) {
    const op = call.struct('xennmi_callback', call.args[1]!);
    if (!op) return call.fault('xennmi_callback');
    return register(call.vcpu, T.CALLBACKTYPE_nmi, 0, 0, op.big('handler_address')) ?? 0;
  }
  if (command !== UNREGISTER) return noSuch('nmi_op', command);
  call.vcpu.setTrap(NMI, null);
  return 0;
}
