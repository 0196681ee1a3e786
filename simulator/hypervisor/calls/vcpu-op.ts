// vcpu_op: bringing vCPUs up and down, their timers, run states and where their vcpu_info lies.

import { asMfn, PAGE_SIZE } from '../../../abi/address.ts';
import type { StructView } from '../../../abi/layout.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, notImplemented, otherOperation } from '../call.ts';
import { loadContext } from '../context.ts';
import { runStateInfo, setPeriodic, setSingleshot, updateTimeInfo } from '../time.ts';
import { RunState, type VcpuState } from '../vcpu.ts';

const MILLISECOND = 1_000_000;

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
      if (!vcpu.initialised) return no(refuse('EINVAL', 'vcpu-not-initialised', { vcpu: id }));
      vcpu.up = true;
      vcpu.wait = null;
      call.hv.setRunState(vcpu, RunState.runnable);
      updateTimeInfo(call.hv, vcpu);
      return 0;
    case 2:
      if (call.domain.vcpus.filter((v) => v.up).length === 1 && vcpu.up) {
        call.hv.end({ kind: 'poweroff' });
        return 0;
      }
      vcpu.up = false;
      call.hv.setRunState(vcpu, RunState.offline);
      return 0;
    case 3:
      return vcpu.up ? 1 : 0;
    case 4:
      return call.write(address, runStateInfo(call.hv, vcpu)) ? 0 : call.fault('vcpu_runstate_info');
    case 5: {
      const op = call.struct('vcpu_register_runstate_memory_area', address);
      if (!op) return call.fault('vcpu_register_runstate_memory_area');
      vcpu.runStateArea = op.big('addr.h') || null;
      // An area of Xen's own part is refused; one that is not mapped is not: Xen tries again at each switch.
      if (vcpu.runStateArea !== null && !call.addressOk(vcpu.runStateArea)) {
        vcpu.runStateArea = null;
        return no(refuse('EFAULT', 'argument-not-accessible', { what: 'runstate area', address: hex(op.big('addr.h')), error: '0x0' }));
      }
      if (vcpu.runStateArea !== null) call.write(vcpu.runStateArea, runStateInfo(call.hv, vcpu));
      return 0;
    }
    case 6: {
      const op = call.struct('vcpu_set_periodic_timer', address);
      if (!op) return call.fault('vcpu_set_periodic_timer');
      const period = Number(op.big('period_ns'));
      if (period < MILLISECOND) return no(refuse('EINVAL', 'timer-period', { period, least: MILLISECOND }));
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
      return notImplemented('vcpu_op.send_nmi');
    case 12:
      return no(refuse('EINVAL', 'not-privileged', { what: 'vcpu_op.get_physid (the vCPU is not bound to a processor)' }));
    case 13: {
      const op = call.struct('vcpu_register_time_memory_area', address);
      if (!op) return call.fault('vcpu_register_time_memory_area');
      const area = op.big('addr.h');
      if (area !== 0n && !call.addressOk(area))
        return no(refuse('EFAULT', 'argument-not-accessible', { what: 'time area', address: hex(area), error: '0x0' }));
      vcpu.timeArea = area || null;
      updateTimeInfo(call.hv, vcpu);
      return 0;
    }
    default:
      return otherOperation(call, command);
  }
}

function singleshot(call: Call, vcpu: VcpuState, address: bigint): HandlerResult {
  const op: StructView | null = call.struct('vcpu_set_singleshot_timer', address);
  if (!op) return call.fault('vcpu_set_singleshot_timer');
  const at = Number(op.big('timeout_abs_ns'));
  setSingleshot(call.hv, vcpu, Math.max(1, at));
  return 0;
}

/** Moves a vCPU's vcpu_info into a page of the guest. Can be done once. */
function registerInfo(call: Call, vcpu: VcpuState, address: bigint): Answer | number {
  const op = call.struct('vcpu_register_vcpu_info', address);
  if (!op) return call.fault('vcpu_register_vcpu_info');
  const mfn = asMfn(Number(op.big('mfn') & 0xff_ffff_ffffn));
  const offset = op.number('offset');
  if (offset > PAGE_SIZE - 64 || offset & (call.word - 1)) return no(refuse('ENXIO', 'vcpu-info-place', { offset, most: PAGE_SIZE - 64 }));
  if (vcpu.infoMoved) return no(refuse('EINVAL', 'vcpu-info-moved-already', { vcpu: vcpu.id }));
  const { types, ram } = call.hv.memory;
  const refusal = types.getPageAndType(mfn, FrameType.writable, call.domain.id);
  if (refusal) return no({ ...refusal, errno: 'EINVAL' });
  const old = call.hv.vcpuInfo(vcpu).slice();
  vcpu.info = { mfn, offset };
  vcpu.infoMoved = true;
  ram.page(mfn).set(old, offset);
  call.hv.written(mfn);
  call.domain.events.markAll(vcpu.id);
  return 0;
}
