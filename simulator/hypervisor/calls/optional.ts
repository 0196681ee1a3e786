// Calls that a build of Xen has or has not, and those for device models, profilers and HVM guests: kexec_op, xsm_op, xenoprof_op, argo_op, xenpmu_op,
// dm_op, hypfs_op, hvm_op, and number 49, which Xen makes itself go on with.
// Source: answers of Xen 4.17 in Debian's configuration, recorded in test/conformance/recorded/toolstack* and calls*.

import type { ErrnoName } from '../../../abi/errno.table.ts';
import { hypercallByNumber, operationByNumber } from '../../../abi/hypercalls.ts';
import { offsetOf } from '../../../abi/layout.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type Handler, type HandlerResult, no, notImplemented, notPrivileged } from '../call.ts';
import type { Domain } from '../domain.ts';
import { systemTime } from '../time.ts';

const SELF = 0x7ff0;
const DOMCTL_BYTES = 144;

const nameOf = (call: Call, operation: number): string => {
  const row = hypercallByNumber(call.nr)!;
  return `${row.name}.${operationByNumber(row, operation)?.name ?? operation}`;
};

const notBuilt = (call: Call): Answer => no(refuse('ENOSYS', 'feature-not-built', { what: hypercallByNumber(call.nr)!.name }));
const notForPv = (call: Call, operation: number, errno: ErrnoName): Answer =>
  no(refuse(errno, 'not-for-pv', { what: nameOf(call, operation) }));

const exists = (call: Call, domid: number): boolean => domid === 0 || domid === call.domain.id;
const noDomain = (what: string, domain: number): Answer => no(refuse('ESRCH', 'no-such-domain', { what, domain }));

/** Refused to a domU whatever the operation; the simulator carries none out for dom0. Xen takes an operation that it does not know as done. */
function kexecOp(call: Call): HandlerResult {
  const operation = call.u32(0);
  const what = nameOf(call, operation);
  if (!call.domain.isDom0) return notPrivileged(what);
  return operationByNumber(hypercallByNumber(call.nr)!, operation) ? notImplemented(what) : 0;
}

const HYPFS_VERSION = 1;
const HYPFS_PATH = 1024;

function hypfsOp(call: Call): HandlerResult {
  const operation = call.u32(0);
  const what = nameOf(call, operation);
  if (!call.domain.isDom0) return notPrivileged(what);
  const [path, length] = [call.args[1]!, Number(BigInt.asUintN(53, call.args[2]!))];
  const refused = no(refuse('EINVAL', 'hypfs-path', { length }));
  if (operation === 0) return call.args.slice(1, 5).some((arg) => arg !== 0n) ? refused : HYPFS_VERSION;
  if (length === 0 || length > HYPFS_PATH) return refused;
  return call.read(path, length) ? notImplemented(what) : call.fault('path');
}

const PROFILE_LAST = 17;
const CPU_TYPE_BYTES = 64;
/** The dom0 that asked first. */
const profilers = new WeakSet<Domain>();
/** Family 0xf of AMD, which the modelled processor is. */
const K8 = { events: 4, name: 'x86-64/hammer' } as const;
const PROFILE = { init: 0, getBuffer: 14 } as const;

/** Every domain may ask; only the profiler, which is dom0, may go on. */
function xenoprofOp(call: Call): HandlerResult {
  const operation = call.s32(0);
  if (operation < 0 || operation > PROFILE_LAST)
    return no(refuse('EINVAL', 'no-such-operation', { what: 'xenoprof_op', number: operation }));
  const what = nameOf(call, operation);
  if (operation === PROFILE.init) return profileInit(call, what);
  if (operation === PROFILE.getBuffer) {
    return call.struct('xenoprof_get_buffer', call.args[1]!) ? notImplemented(what) : call.fault('xenoprof_get_buffer');
  }
  if (profilers.has(call.domain)) return notImplemented(what);
  return no(refuse('EPERM', 'not-privileged', { what }, { template: 'xenoprof-denied', args: { operation: `${operation}` } }));
}

/** What can be counted on this processor. The first dom0 to ask becomes the profiler. */
function profileInit(call: Call, what: string): HandlerResult {
  const init = call.struct('xenoprof_init', call.args[1]!);
  if (!init) return call.fault('xenoprof_init');
  if (call.hv.config.cpu !== 'amd') return notImplemented(what);
  if (call.domain.isDom0) profilers.add(call.domain);
  init.set('num_events', K8.events);
  init.set('is_primary', call.domain.isDom0 ? 1 : 0);
  const name = new Uint8Array(CPU_TYPE_BYTES);
  for (let n = 0; n < K8.name.length; n++) name[n] = K8.name.charCodeAt(n);
  init.bytes.set(name, offsetOf('xenoprof_init', call.bits, 'cpu_type'));
  return call.put(call.args[1]!, init) ? 0 : call.fault('xenoprof_init');
}

const DM_BUFFERS = 2;

/** A device model acts for another domain, which must be an HVM guest. */
function dmOp(call: Call): HandlerResult {
  const domid = Number(call.args[0]! & 0xffffn);
  const count = call.u32(1);
  if (count > DM_BUFFERS) return no(refuse('E2BIG', 'too-many-buffers', { count, most: DM_BUFFERS }));
  if (!call.read(call.args[2]!, count * 2 * call.word)) return call.fault('buffers');
  if (domid === SELF || !exists(call, domid)) return noDomain('dm_op', domid);
  if (domid === call.domain.id) return notPrivileged('dm_op for the own domain');
  return no(refuse('EINVAL', 'not-for-pv', { what: 'dm_op' }));
}

const HVM = {
  setParam: 0,
  getParam: 1,
  flushTlbs: 5,
  pagetableDying: 9,
  getTime: 10,
  xentrace: 11,
  getMemType: 15,
  setUpcallVector: 23,
  requestVmEvent: 24,
  altp2m: 25,
} as const;
/** Of each of the structures that begin with a domain: parameter, dying page table, memory type. */
const PARAM_BYTES = 16;
const EVENT_BITS = 0xfff;
const TRACE_BYTES = 28;

function hvmOp(call: Call): HandlerResult {
  const operation = Number(BigInt.asIntN(32, call.args[0]!));
  const address = call.args[1]!;
  switch (operation) {
    case HVM.flushTlbs:
    case HVM.setUpcallVector:
      return notForPv(call, operation, 'EINVAL');
    case HVM.requestVmEvent:
      return address === 0n ? 0 : notForPv(call, operation, 'EINVAL');
    case HVM.altp2m:
      return notForPv(call, operation, 'EOPNOTSUPP');
    case HVM.getTime:
      return getTime(call, address);
    case HVM.xentrace:
      return trace(call, address);
    case HVM.setParam:
    case HVM.getParam:
    case HVM.pagetableDying:
    case HVM.getMemType:
      return ofDomain(call, operation, address);
    default:
      return no(
        refuse(
          'ENOSYS',
          'no-such-operation',
          { what: 'hvm_op', number: operation },
          { template: 'hvm-operation', args: { operation: `${operation}` } },
        ),
      );
  }
}

/** System time, for any guest that asks. */
function getTime(call: Call, address: bigint): HandlerResult {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(systemTime(call.hv)), true);
  return call.write(address, bytes) ? 0 : call.fault('xen_hvm_get_time');
}

/** A record for Xen's trace buffer, which this machine does not have: Xen drops it too while nobody traces. */
function trace(call: Call, address: bigint): HandlerResult {
  const request = call.struct('xen_hvm_xentrace', address);
  if (!request) return call.fault('xen_hvm_xentrace');
  const [event, bytes] = [request.number('event'), request.number('extra_bytes')];
  if (bytes > TRACE_BYTES || (event & ~EVENT_BITS) !== 0) return no(refuse('EINVAL', 'trace-record', { event, bytes }));
  return 0;
}

/** The domain is looked up, then found to be no HVM guest, or another's. */
function ofDomain(call: Call, operation: number, address: bigint): HandlerResult {
  const bytes = call.read(address, PARAM_BYTES);
  if (!bytes) return call.fault(nameOf(call, operation));
  const domid = bytes[0]! | (bytes[1]! << 8);
  const own = domid === SELF || domid === call.domain.id;
  if (!own && !exists(call, domid)) return noDomain(nameOf(call, operation), domid);
  if (operation === HVM.pagetableDying && !own) return notForPv(call, operation, 'EOPNOTSUPP');
  if (operation === HVM.getMemType && !own && !call.domain.isDom0) return notPrivileged(nameOf(call, operation));
  return notForPv(call, operation, 'EINVAL');
}

/** Xen re-enters a domctl that it interrupted by this number; nothing else has a use for it. */
function domctlContinuation(call: Call): HandlerResult {
  if (!call.read(call.args[0]!, DOMCTL_BYTES)) return call.fault('xen_domctl');
  return no(refuse('EOPNOTSUPP', 'no-such-operation', { what: 'hypercall', number: call.nr }));
}

export const optionalHandlers: Readonly<Record<number, Handler>> = {
  27: notBuilt,
  31: xenoprofOp,
  34: hvmOp,
  37: kexecOp,
  39: notBuilt,
  41: dmOp,
  42: hypfsOp,
  49: domctlContinuation,
};
