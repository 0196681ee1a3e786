// vcpu_op: bringing vCPUs up and down, their timers, run states and where their vcpu_info lies.

import { asMfn, PAGE_SIZE } from '../../../abi/address.ts';
import type { StructView } from '../../../abi/layout.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, otherOperation } from '../call.ts';
import { loadContext } from '../context.ts';
import { runStateInfo, setPeriodic, setSingleshot, systemTime, timerEvent, updateTimeInfo } from '../time.ts';
import { RunState, type VcpuState } from '../vcpu.ts';

const MILLISECOND = 1_000_000;
/** Xen's longest time difference. */
const LONGEST_PERIOD = 2 ** 62;

export function vcpuOp(call: Call): HandlerResult {
  const command = call.s32(0);
  const id = call.u32(1);
  const address = call.args[2]!;
  const vcpu = call.domain.vcpus[id];
  if (!vcpu) return no(refuse('ENOENT', 'no-such-vcpu', { vcpu: id, vcpus: call.domain.vcpus.length }));
  const own = vcpu === call.vcpu ? null : no(refuse('EINVAL', 'other-vcpu', { vcpu: id, caller: call.vcpu.id }));
  switch (command) {
    case 0: {
      const context = call.struct('vcpu_guest_context', address);
      if (!context) return call.fault('vcpu_guest_context');
      if (vcpu.initialised) return no(refuse('EEXIST', 'vcpu-initialised', { vcpu: id }));
      const refusal = loadContext(call.hv, vcpu, context);
      return refusal ? no(refusal) : 0;
    }
    case 1:
      return up(call, vcpu);
    case 2:
      return down(call, vcpu);
    case 3:
      return vcpu.up ? 1 : 0;
    case 4:
      return call.write(address, runStateInfo(call.hv, vcpu, true).bytes) ? 0 : call.fault('vcpu_runstate_info');
    case 5: {
      const op = call.struct('vcpu_register_runstate_memory_area', address);
      if (!op) return call.fault('vcpu_register_runstate_memory_area');
      const area = op.big('addr.h');
      // An area in Xen's part is refused; one that is not mapped is not: Xen tries again at each switch.
      if (!call.addressOk(area)) return areaOfXen('runstate area', area);
      vcpu.runStateArea = area || null;
      // Its own state as of the last switch; that of another one as of now.
      if (area !== 0n) call.write(area, runStateInfo(call.hv, vcpu, vcpu !== call.vcpu).bytes);
      return 0;
    }
    case 6: {
      const op = call.struct('vcpu_set_periodic_timer', address);
      if (!op) return call.fault('vcpu_set_periodic_timer');
      const period = Number(op.big('period_ns'));
      if (period < MILLISECOND || period >= LONGEST_PERIOD)
        return no(refuse('EINVAL', 'timer-period', { period, least: MILLISECOND, most: LONGEST_PERIOD }));
      setPeriodic(call.hv, vcpu, period);
      return 0;
    }
    case 7:
      setPeriodic(call.hv, vcpu, 0);
      return 0;
    case 8:
      return own ?? singleshot(call, vcpu, address);
    case 9:
      if (own) return own;
      setSingleshot(call.hv, vcpu, 0);
      return 0;
    case 10:
      return registerInfo(call, vcpu, address);
    case 11:
      return sendNmi(call, vcpu, address);
    case 12:
      return physicalId(call, vcpu, address);
    case 13: {
      const op = call.struct('vcpu_register_time_memory_area', address);
      if (!op) return call.fault('vcpu_register_time_memory_area');
      const area = op.big('addr.h');
      if (!call.addressOk(area)) return areaOfXen('time area', area);
      vcpu.timeArea = area || null;
      updateTimeInfo(call.hv, vcpu);
      return 0;
    }
    default:
      return otherOperation(call, command);
  }
}

const areaOfXen = (what: string, area: bigint): Answer =>
  no(refuse('EFAULT', 'argument-not-accessible', { what, address: hex(area), error: '0x0' }));

/** Only a vCPU that is down changes: one that is up and sleeps goes on sleeping. */
function up(call: Call, vcpu: VcpuState): HandlerResult {
  const { hv } = call;
  if (!vcpu.initialised) return no(refuse('EINVAL', 'vcpu-not-initialised', { vcpu: vcpu.id }));
  if (vcpu.up) return 0;
  vcpu.up = true;
  vcpu.asleep = false;
  if (vcpu.runnable()) hv.setRunState(vcpu, RunState.runnable);
  hv.preempt = true;
  return 0;
}

/** The last vCPU that goes down takes the domain with it. */
function down(call: Call, vcpu: VcpuState): HandlerResult {
  const { hv, domain } = call;
  if (!domain.vcpus.some((other) => other !== vcpu && other.up)) {
    hv.end(domain, { kind: 'poweroff' });
    return 0;
  }
  if (vcpu.up && vcpu.runState === RunState.runnable) hv.setRunState(vcpu, RunState.offline);
  vcpu.up = false;
  return 0;
}

function sendNmi(call: Call, vcpu: VcpuState, address: bigint): HandlerResult {
  if (address !== 0n) return no(refuse('EINVAL', 'nmi-argument', { address: hex(address) }));
  if (vcpu.nmiPending) return 0;
  vcpu.nmiPending = true;
  vcpu.entered = true;
  call.hv.wake(vcpu);
  return 0;
}

/** On a machine of one processor dom0's vCPU 0 counts as bound to it; no other vCPU is. */
function physicalId(call: Call, vcpu: VcpuState, address: bigint): HandlerResult {
  if (!call.domain.isDom0 || vcpu.id !== 0) return no(refuse('EINVAL', 'vcpu-not-bound', { vcpu: vcpu.id }));
  return call.write(address, new Uint8Array(8)) ? 0 : call.fault('vcpu_get_physid');
}

function singleshot(call: Call, vcpu: VcpuState, address: bigint): HandlerResult {
  const op: StructView | null = call.struct('vcpu_set_singleshot_timer', address);
  if (!op) return call.fault('vcpu_set_singleshot_timer');
  const at = Number(op.big('timeout_abs_ns'));
  // A time that has passed: the event comes at once.
  if (at < systemTime(call.hv)) {
    setSingleshot(call.hv, vcpu, 0);
    timerEvent(vcpu);
  } else setSingleshot(call.hv, vcpu, at);
  return 0;
}

/** Moves a vCPU's vcpu_info into a page of the guest. Can be done once. */
function registerInfo(call: Call, vcpu: VcpuState, address: bigint): Answer | number {
  const op = call.struct('vcpu_register_vcpu_info', address);
  if (!op) return call.fault('vcpu_register_vcpu_info');
  const mfn = asMfn(Number(op.big('mfn') & 0xff_ffff_ffffn));
  const offset = op.number('offset');
  if (offset > PAGE_SIZE - 64 || offset & (call.bits === 64 ? 7 : 3))
    return no(refuse('ENXIO', 'vcpu-info-place', { offset, most: PAGE_SIZE - 64 }));
  if (vcpu.infoMoved) return no(refuse('EINVAL', 'vcpu-info-moved-already', { vcpu: vcpu.id }));
  if (vcpu !== call.vcpu && vcpu.up) return no(refuse('EINVAL', 'other-vcpu', { vcpu: vcpu.id, caller: call.vcpu.id }));
  const { types, ram } = call.hv.memory;
  const refusal = types.getPageAndType(mfn, FrameType.writable, call.domain.id);
  if (refusal) return no({ ...refusal, errno: 'EINVAL' });
  const old = call.hv.vcpuInfo(vcpu).slice();
  vcpu.info = { mfn, offset };
  vcpu.infoMoved = true;
  ram.page(mfn).set(old, offset);
  call.hv.written(mfn);
  call.domain.events.markAll(vcpu.id);
  updateTimeInfo(call.hv, vcpu);
  return 0;
}
