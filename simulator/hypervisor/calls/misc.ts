// Small calls: stack_switch, fpu_taskswitch, debug registers, segment bases, vm_assist, set_timer_op, console_io.

import { isCanonical } from '../../../abi/address.ts';
import { negative } from '../../../abi/errno.ts';
import { Segment } from '../../cpu/engine-types.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, noSuch, otherOperation } from '../call.ts';
import { guestSelector } from '../compat/traps.ts';
import { readDebug, writeDebug } from '../control-registers.ts';
import { setTaskSwitched } from '../emulate-fpu.ts';
import { loadDescriptor } from '../selectors.ts';
import { setSingleshot, systemTime } from '../time.ts';

/** For 64-bit guests only. */
const M2P_STRICT = 32;
/** vm_assist types that a PV guest may switch: 4gb_segments and its notify (of a 64-bit guest without effect), writable_pagetables,
 * pae_extended_cr3, architectural_iopl, runstate_update_flag, m2p_strict. */
const ASSISTS = new Set([0, 1, 2, 3, 4, 5, M2P_STRICT]);
const HUGE_TIMEOUT = 1n << 50n;
const STRANGE_DELAY = 100_000_000n;
const CONSOLE_CHUNK = 4096;

export function stackSwitch(call: Call): HandlerResult {
  const selector = Number(call.args[0]! & 0xffffn);
  call.vcpu.kernelSs = call.bits === 64 ? selector | 3 : guestSelector(selector);
  call.vcpu.kernelSp = call.args[1]!;
  return 0;
}

export function fpuTaskSwitch(call: Call): HandlerResult {
  setTaskSwitched(call.vcpu, call.s32(0) !== 0);
  return 0;
}

export function setDebugRegister(call: Call): HandlerResult {
  const register = call.s32(0);
  const errno = register < 0 ? 'ENODEV' : writeDebug(call.vcpu, register, call.args[1]!);
  return errno ? no(refuse(errno, 'debug-register', { register, value: hex(call.args[1]!) })) : 0;
}

export function getDebugRegister(call: Call): HandlerResult {
  const register = call.s32(0);
  const value = register < 0 ? null : readDebug(call.vcpu, register);
  return value === null ? no(refuse('ENODEV', 'debug-register', { register })) : value;
}

/** A 32-bit guest has its bases in descriptors: there is no such call for it. */
export function setSegmentBase(call: Call): HandlerResult {
  if (call.bits === 32) return noSuch('hypercall', call.nr);
  const which = call.u32(0);
  const base = call.args[1]!;
  const { vcpu } = call;
  if (which > 3) return no(refuse('EINVAL', 'segment-base-which', { which }));
  if (which === 3) {
    const selector = Number(base & 0xffffn);
    const loaded = selector > 3 ? loadDescriptor(call.hv, vcpu, Segment.gs, selector | 3) : null;
    vcpu.otherGsBase = loaded?.ok ? loaded.cache.base : 0n;
    return 0;
  }
  if (!isCanonical(base)) return no(refuse('EINVAL', 'address-not-canonical', { what: 'segment base', address: hex(base) }));
  if (which === 0) vcpu.cpu.setBase(Segment.fs, base);
  else if (which === 1) vcpu.otherGsBase = base;
  else vcpu.cpu.setBase(Segment.gs, base);
  return 0;
}

export function vmAssist(call: Call): HandlerResult {
  const command = call.u32(0);
  const type = call.u32(1);
  if (!ASSISTS.has(type) || (type === M2P_STRICT && call.bits === 32)) return no(refuse('EINVAL', 'no-such-assist', { type }));
  if (command > 1) return noSuch('vm_assist', command);
  const bit = 1n << BigInt(type);
  call.domain.assists = command === 0 ? call.domain.assists | bit : call.domain.assists & ~bit;
  return 0;
}

/** Absolute system time in ns; 0 stops the timer. A time that cannot be meant (negative, or 13 days ahead) fires in 100 ms. */
export function setTimerOp(call: Call): HandlerResult {
  const timeout = BigInt.asIntN(64, call.args[0]!);
  const now = BigInt(systemTime(call.hv));
  const strange = timeout < 0n || timeout - now >= HUGE_TIMEOUT;
  setSingleshot(call.hv, call.vcpu, Number(strange ? now + STRANGE_DELAY : timeout));
  return 0;
}

export function consoleIo(call: Call): HandlerResult {
  const command = call.u32(0);
  const count = call.u32(1);
  const address = call.args[2]!;
  if (!call.domain.isDom0) return refusedOutput(call, command === 0 ? count : 0, address);
  if (command === 0) {
    for (let done = 0; done < count; done += CONSOLE_CHUNK) {
      const bytes = call.read(address + BigInt(done), Math.min(CONSOLE_CHUNK, count - done));
      if (!bytes) return call.fault('text');
      call.hv.consoleOut(call.domain, bytes);
    }
    return 0;
  }
  if (command !== 1) return otherOperation(call, command);
  const bytes = Uint8Array.from(call.hv.consoleIn.slice(0, count));
  if (!call.write(address, bytes)) return call.fault('buffer');
  call.hv.consoleIn.splice(0, bytes.length);
  return bytes.length;
}

const REFUSED_TEXT = 4096;

/** A release build of Xen has no console_io for a domU; a debug build would log the text, which is told here so that early messages are seen. */
function refusedOutput(call: Call, count: number, address: bigint): Answer {
  const bytes = count > 0 ? call.read(address, Math.min(count, REFUSED_TEXT)) : null;
  const text = bytes ? String.fromCharCode(...bytes) : '';
  const { domain } = call;
  if (domain.refusedText.length < REFUSED_TEXT) domain.refusedText += text;
  if (text)
    call.hv.trace.emit('log', {
      ...{ domain: domain.id, vcpu: call.vcpu.id, by: 'simulator' },
      text: `the guest gave this to console_io, which Xen refuses to a domU (only debug builds log it): ${JSON.stringify(text)}`,
    });
  const what = 'console_io (a domU writes to its console ring; only debug builds of Xen let it)';
  return no(refuse('EPERM', 'not-privileged', text ? { what, text } : { what }));
}

/** Calls that Xen answers with one error whatever the arguments. */
export const refuseAll =
  (errno: 'ENOSYS' | 'EPERM' | 'EOPNOTSUPP', rule: string, what: string) =>
  (_call: Call): Answer => ({ ret: BigInt(negative(errno)), refusal: refuse(errno, rule, { what }) });
