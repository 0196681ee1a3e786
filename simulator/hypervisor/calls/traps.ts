// set_trap_table, set_callbacks, callback_op, and nmi_op's callbacks.

import { isCanonical } from '../../../abi/address.ts';
import { callbackTypes as T } from '../../../abi/constants/vcpu.table.ts';
import { readBig, type StructView } from '../../../abi/layout.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch } from '../call.ts';
import { FLAT32 } from '../compat/flat.ts';
import { guestSelector } from '../compat/traps.ts';
import { FLAT_KERNEL_CS, type VcpuState } from '../vcpu.ts';

const NMI = 2;
const MASK_EVENTS = 1;

/** Reads entries up to one whose address is 0; a null pointer clears the table. */
export function setTrapTable(call: Call): HandlerResult {
  const [list] = call.args as [bigint];
  const { vcpu, bits, word } = call;
  if (list === 0n) {
    for (let vector = 0; vector < 256; vector++) vcpu.setTrap(vector, null);
    return 0;
  }
  const entry = 2 * word;
  for (let n = 0; ; n++) {
    const bytes = call.read(list + BigInt(n * entry), entry);
    if (!bytes) return call.fault(`trap table entry ${n}`);
    const [vector, flags] = bytes as unknown as [number, number];
    const address = readBig(bytes, word, word);
    if (address === 0n) return 0;
    if (bits === 64 && !isCanonical(address))
      return no(refuse('EINVAL', 'address-not-canonical', { what: `trap table entry ${n}`, address: hex(address) }));
    const cs = Number(readBig(bytes, 2, 2));
    vcpu.setTrap(vector, { flags, cs: bits === 64 ? cs | 3 : guestSelector(cs), address });
  }
}

function register(vcpu: VcpuState, type: number, flags: number, address: bigint): Answer | null {
  if (!isCanonical(address)) return no(refuse('EINVAL', 'address-not-canonical', { what: 'callback', address: hex(address) }));
  const callback = { address, masks: (flags & MASK_EVENTS) !== 0 };
  switch (type) {
    case T.CALLBACKTYPE_event:
      vcpu.event = { address, masks: true };
      return null;
    case T.CALLBACKTYPE_failsafe:
      vcpu.failsafe = callback;
      return null;
    case T.CALLBACKTYPE_syscall:
      vcpu.syscall = callback;
      return null;
    case T.CALLBACKTYPE_syscall32:
      vcpu.syscall32 = callback;
      return null;
    case T.CALLBACKTYPE_sysenter:
      vcpu.sysenter = callback;
      return null;
    case T.CALLBACKTYPE_nmi:
      vcpu.setTrap(NMI, { flags: 4, cs: FLAT_KERNEL_CS, address });
      return null;
    default:
      return noSuch('callback type', type);
  }
}

/** Wrong addresses are ignored here, as by Xen: the call has no way to say so. */
export function setCallbacks(call: Call): HandlerResult {
  const [event, failsafe, syscall] = call.args as [bigint, bigint, bigint];
  register(call.vcpu, T.CALLBACKTYPE_event, 0, event);
  register(call.vcpu, T.CALLBACKTYPE_failsafe, 0, failsafe);
  register(call.vcpu, T.CALLBACKTYPE_syscall, 0, syscall);
  return 0;
}

export function callbackOp(call: Call): HandlerResult {
  const command = call.s32(0);
  const view = (name: 'callback_register' | 'callback_unregister'): StructView | null => call.struct(name, call.args[1]!);
  if (command === 0) {
    const op = view('callback_register');
    if (!op) return call.fault('callback_register');
    return register(call.vcpu, op.number('type'), op.number('flags'), op.big('address')) ?? 0;
  }
  if (command !== 1) return noSuch('callback_op', command);
  const op = view('callback_unregister');
  if (!op) return call.fault('callback_unregister');
  const type = op.number('type');
  if (type === T.CALLBACKTYPE_nmi) {
    call.vcpu.setTrap(NMI, null);
    return 0;
  }
  if (type > T.CALLBACKTYPE_syscall32) return noSuch('callback type', type);
  return no(refuse('EINVAL', 'callback-stays', { type }));
}

/** nmi_op: register_callback for vCPU 0, unregister_callback. */
export function nmiOp(call: Call): HandlerResult {
  const command = call.u32(0);
  if (command === 0) {
    const op = call.struct('xennmi_callback', call.args[1]!);
    if (!op) return call.fault('xennmi_callback');
    const address = op.big('handler_address');
    if (call.bits === 64) return register(call.vcpu, T.CALLBACKTYPE_nmi, 0, address) ?? 0;
    call.vcpu.setTrap(NMI, { flags: 4, cs: FLAT32.kernelCs, address });
    return 0;
  }
  if (command !== 1) return noSuch('nmi_op', command);
  call.vcpu.setTrap(NMI, null);
  return 0;
}
