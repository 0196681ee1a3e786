// set_callbacks and callback_op of a 32-bit guest: a code segment with each address.
// Behaviour of Xen 4.17 built with PV32 (arch/x86/pv/callback.c).

import { callbackTypes as T } from '../../../abi/constants/vcpu.table.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch } from '../call.ts';
import type { VcpuState } from '../vcpu.ts';
import { FLAT32 } from './flat.ts';

const NMI = 2;
const MASK_EVENTS = 1;

/** Selectors that ask for more privilege than the guest's kernel has get its ring. */
export const guestSelector = (selector: number): number => ((selector & 3) >= 1 ? selector : selector | 1) & 0xffff;

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
