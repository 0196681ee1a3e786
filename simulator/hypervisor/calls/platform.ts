// platform_op as dom0 uses it: the wall clock, what firmware told, processors, sleep. The machine has one processor, firmware without EFI, and no
// microcode that Xen could load.
// Source: answers of Xen 4.17, recorded in test/conformance/recorded/machine*; arch/x86/platform_hypercall.c for the order of checks.

import { StructView } from '../../../abi/layout.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, notImplemented } from '../call.ts';
import { setWallclock, systemTime } from '../time.ts';

const FIRMWARE = { disk: 1, bootRecord: 2, monitor: 3, efi: 4, keyboard: 5 } as const;
const SLEEP = { s3: 3, s4: 4, s5: 5 } as const;
const PM = { cx: 0, px: 1, tx: 2, pdc: 3 } as const;
const PDC_REVISION = 1;
/** Most entries of resource_op, and the one register that may be read: the time stamp counter. */
const MOST_RESOURCES = 3;
const RESOURCE = { read: 0, write: 1 } as const;
const TSC = 0x10;
const FLAG_ONLINE = 1;
const FLAG_INVALID = 2;

type Operation = (call: Call, op: StructView, what: string) => HandlerResult;

const invalid = (what: string, field: string): Answer => no(refuse('EINVAL', 'field-value', { what, field }));
/** Writes the structure back and answers 0. */
const back = (call: Call, op: StructView): HandlerResult => (call.put(call.args[0]!, op) ? 0 : call.fault('xen_platform_op'));
const not =
  (errno: 'ENOSYS' | 'ESRCH' | 'EOPNOTSUPP', rule: string): Operation =>
  (_call, _op, what) =>
    no(refuse(errno, rule, { what }));

function setTime(call: Call, op: StructView, form: 'settime32' | 'settime64', what: string): HandlerResult {
  if (form === 'settime64' && op.number('u.settime64.mbz') !== 0) return no(refuse('EINVAL', 'field-not-zero', { what, field: 'mbz' }));
  setWallclock(call.hv, op.big(`u.${form}.secs`), op.number(`u.${form}.nsecs`), op.big(`u.${form}.system_time`));
  return 0;
}

function firmware(call: Call, op: StructView, what: string): HandlerResult {
  const index = op.number('u.firmware_info.index');
  const none = no(refuse('ESRCH', 'no-firmware-information', { what, index }));
  switch (Number(op.big('u.firmware_info.type'))) {
    case FIRMWARE.disk:
    case FIRMWARE.bootRecord:
    case FIRMWARE.monitor:
      return none;
    case FIRMWARE.efi:
      return no(refuse('ENOSYS', 'no-efi', { what }));
    case FIRMWARE.keyboard:
      if (index !== 0) return none;
      op.set('u.firmware_info.u.kbd_shift_flags', 0);
      return back(call, op);
    default:
      return invalid(what, 'type');
  }
}

/** Soft off ends the machine. From the other states only an event that this machine does not have could wake it. */
function sleep(call: Call, op: StructView, what: string): HandlerResult {
  const state = op.number('u.enter_acpi_sleep.sleep_state');
  const flags = op.number('u.enter_acpi_sleep.flags');
  // The machine has no sleep control register of the reduced hardware model.
  if (flags & 1) return no(refuse('EPERM', 'no-sleep-register', { what }));
  if (flags) return no(refuse('EINVAL', 'field-not-zero', { what, field: 'flags' }));
  if (state === 0 || state > SLEEP.s5) return invalid(what, 'sleep_state');
  if (state !== SLEEP.s5) return notImplemented(`${what} of state S${state}`);
  call.hv.end(call.domain, { kind: 'poweroff' });
  return 0;
}

function processorInfo(call: Call, op: StructView, what: string): HandlerResult {
  switch (op.number('u.set_pminfo.type')) {
    case PM.tx:
      return no(refuse('ENOSYS', 'feature-not-built', { what }));
    case PM.pdc: {
      const address = op.big('u.set_pminfo.u.pdc');
      const bytes = call.read(address, 8);
      if (!bytes) return call.fault('pdc');
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      if (view.getUint32(0, true) !== PDC_REVISION || view.getUint32(4, true) === 0) return invalid(what, 'pdc');
      return notImplemented(`${what} of processor capabilities`);
    }
    case PM.cx:
    case PM.px:
      return notImplemented(what);
    default:
      return invalid(what, 'type');
  }
}

function cpuInfo(call: Call, op: StructView): HandlerResult {
  const present = op.number('u.pcpu_info.xen_cpuid') === 0;
  if (present) {
    op.set('u.pcpu_info.apic_id', 0);
    op.set('u.pcpu_info.acpi_id', 0);
  }
  op.set('u.pcpu_info.flags', present ? FLAG_ONLINE : FLAG_INVALID);
  op.set('u.pcpu_info.max_present', 0);
  return back(call, op);
}

function cpuVersion(call: Call, op: StructView): HandlerResult {
  const online = op.number('u.pcpu_version.xen_cpuid') === 0;
  const { eax: signature } = call.domain.policy.native(1, 0);
  const { ebx, edx, ecx } = call.domain.policy.native(0, 0);
  const vendor = op.slice('u.pcpu_version.vendor_id');
  vendor.fill(0);
  const family = (signature >> 8) & 15;
  if (online) {
    const view = new DataView(vendor.buffer, vendor.byteOffset, vendor.byteLength);
    for (const [n, register] of [ebx, edx, ecx].entries()) view.setInt32(4 * n, register, true);
  }
  const extended = family === 15 || family === 6;
  op.set('u.pcpu_version.family', online ? (family === 15 ? 15 + ((signature >> 20) & 0xff) : family) : 0);
  op.set('u.pcpu_version.model', online ? ((signature >> 4) & 15) | (extended ? ((signature >> 16) & 15) << 4 : 0) : 0);
  op.set('u.pcpu_version.stepping', online ? signature & 15 : 0);
  op.set('u.pcpu_version.max_present', 0);
  return back(call, op);
}

function online(call: Call, op: StructView, what: string): HandlerResult {
  return op.number('u.cpu_ol.cpuid') === 0 ? 0 : no(refuse('EINVAL', 'no-such-processor', { what, cpu: cpuOf(call, op) }));
}

/** The first processor stays. */
function offline(call: Call, op: StructView, what: string): HandlerResult {
  if (op.number('u.cpu_ol.cpuid') === 0) return no(refuse('EOPNOTSUPP', 'no-such-processor', { what, cpu: 0 }));
  return no(refuse('EINVAL', 'no-such-processor', { what, cpu: cpuOf(call, op) }));
}

const cpuOf = (_call: Call, op: StructView): number => op.number('u.cpu_ol.cpuid');

const PARKING = { set: 1, get: 2 } as const;

/** One processor: none can be idle for good. */
function parking(call: Call, op: StructView, what: string): HandlerResult {
  switch (op.number('u.core_parking.type')) {
    case PARKING.set:
      return 0;
    case PARKING.get:
      op.set('u.core_parking.idle_nums', 0);
      return back(call, op);
    default:
      return invalid(what, 'type');
  }
}

function quirk(_call: Call, op: StructView, what: string): HandlerResult {
  const id = op.number('u.platform_quirk.quirk_id');
  return id >= 1 && id <= 3 ? 0 : invalid(what, 'quirk_id');
}

const ENTRY = 24;
/** The offsets in an entry: command or answer, reserved, register, value. */
const AT = { command: 0, reserved: 4, register: 8, value: 16 } as const;

/** Reads model-specific registers of a processor, up to the first that may not be: its answer stands in its entry. */
function resources(call: Call, op: StructView, what: string): HandlerResult {
  const count = op.number('u.resource_op.nr_entries');
  if (count === 0) return 0;
  if (count > MOST_RESOURCES) return invalid(what, 'nr_entries');
  const address = op.big('u.resource_op.entries');
  const bytes = call.read(address, count * ENTRY);
  if (!bytes) return call.fault('entries');
  const list = bytes.slice();
  const view = new DataView(list.buffer);
  let done = 0;
  for (; done < count; done++) {
    const errno = refusedResource(view, done * ENTRY);
    if (errno === 0) continue;
    view.setInt32(done * ENTRY + AT.command, errno, true);
    break;
  }
  if (done > 0 && op.number('u.resource_op.cpu') !== 0)
    return no(refuse('ENODEV', 'no-such-processor', { what, cpu: op.number('u.resource_op.cpu') }));
  for (let n = 0; n < done; n++) view.setBigUint64(n * ENTRY + AT.value, BigInt(systemTime(call.hv)), true);
  const written = done === 0 ? 1 : Math.min(done + 1, count);
  if (!call.write(address, list.subarray(0, written * ENTRY))) return call.fault('entries');
  return done;
}

const ERRNO = { EPERM: -1, EINVAL: -22, EOPNOTSUPP: -95 } as const;

function refusedResource(view: DataView, at: number): number {
  if (view.getUint32(at + AT.reserved, true) !== 0) return ERRNO.EINVAL;
  const register = view.getBigUint64(at + AT.register, true);
  const command = view.getUint32(at + AT.command, true);
  if (command !== RESOURCE.read && command !== RESOURCE.write) return ERRNO.EOPNOTSUPP;
  if (register >> 32n) return ERRNO.EINVAL;
  return command === RESOURCE.read && register === BigInt(TSC) ? 0 : ERRNO.EPERM;
}

const operations: Readonly<Record<number, Operation>> = {
  17: (call, op, what) => setTime(call, op, 'settime32', what),
  // Xen has no loader for microcode of this processor.
  35: (_call, _op, what) => no(refuse('EINVAL', 'feature-not-built', { what })),
  39: quirk,
  48: cpuVersion,
  49: not('ENOSYS', 'no-efi'),
  50: firmware,
  51: sleep,
  // Xen itself sets the processors' frequency.
  52: not('ENOSYS', 'feature-not-built'),
  53: not('ENOSYS', 'feature-not-built'),
  54: processorInfo,
  55: cpuInfo,
  56: online,
  57: offline,
  60: parking,
  61: resources,
  62: (call, op, what) => setTime(call, op, 'settime64', what),
};

/** A command of dom0's, whose version was found right. Null: the simulator does not know it. */
export function platformOp(call: Call, command: number, bytes: Uint8Array, what: string): HandlerResult | null {
  const operation = operations[command];
  return operation ? operation(call, new StructView('xen_platform_op', call.bits, bytes), what) : null;
}
