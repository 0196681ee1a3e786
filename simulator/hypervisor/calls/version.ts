// xen_version: facts about the hypervisor, as Debian's Xen 4.17 answers.

import { addressSpace32, addressSpace64 } from '../../../abi/constants/address-space.table.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Call, type HandlerResult, no, notPrivileged, otherOperation } from '../call.ts';

const VERSION = (4 << 16) | 17;
const EXTRA = '.5';
/** Identification of the modelled build: the length is that of a real one. */
const BUILD_ID = Uint8Array.from({ length: 20 }, (_, n) => 0x40 + n);
// Each word is followed by a space, the last too.
const CAPABILITIES = 'xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ';
/** Debian's Xen does not run 32-bit PV guests; one that does says so. */
const CAPABILITIES_PV32 = 'xen-3.0-x86_64 xen-3.0-x86_32p hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ';
/** preserve A/D, highmem assist, map available bits, vnode, direct mapped. */
const FEATURES = 0x220e0;
const FEATURE_DOM0 = 0x800;
const FEATURE_EXTENDED_CR3 = 0x10;
const EXTENDED_CR3 = 3;

const padded = (text: string, size: number): Uint8Array => {
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode(text).subarray(0, size - 1));
  return bytes;
};

export function xenVersion(call: Call): HandlerResult {
  const command = call.s32(0);
  const address = call.args[1]!;
  const text = (value: string, size: number): HandlerResult =>
    call.write(address, padded(value, size)) ? 0 : call.fault('buffer for text');
  switch (command) {
    case 0:
      return VERSION;
    case 1:
      return text(EXTRA, 16);
    case 2: {
      const info = new Uint8Array(64 + 16 + 32 + 32);
      info.set(padded('gcc (Debian) 12', 64), 0);
      info.set(padded('pkg-xen-devel', 16), 64);
      info.set(padded('lists.alioth.debian.org', 32), 80);
      return call.write(address, info) ? 0 : call.fault('compile_info');
    }
    case 3:
      return text(call.bits === 64 ? CAPABILITIES : CAPABILITIES_PV32, 1024);
    case 4:
      return text('', 64);
    case 5: {
      const { HYPERVISOR_VIRT_START } = call.bits === 64 ? addressSpace64 : addressSpace32;
      return call.writeWord(address, HYPERVISOR_VIRT_START) ? 0 : call.fault('platform_parameters');
    }
    case 6: {
      const op = call.struct('xen_feature_info', address);
      if (!op) return call.fault('xen_feature_info');
      const index = op.number('submap_idx');
      if (index > 0) return no(refuse('EINVAL', 'no-such-submap', { index }));
      op.set('submap', FEATURES | (call.domain.isDom0 ? FEATURE_DOM0 : 0) | (call.domain.assist(EXTENDED_CR3) ? FEATURE_EXTENDED_CR3 : 0));
      return call.put(address, op) ? 0 : call.fault('xen_feature_info');
    }
    case 7:
      return 4096;
    case 8:
      return call.write(address, new Uint8Array(16)) ? 0 : call.fault('domain handle');
    case 9:
      return text(call.domain.isDom0 ? '' : '<denied>', 1024);
    case 10:
      return buildId(call, address);
    default:
      return otherOperation(call, command);
  }
}

/** For dom0 only: the length for a null pointer, else the bytes behind the structure's length field. */
function buildId(call: Call, address: bigint): HandlerResult {
  if (!call.domain.isDom0) return notPrivileged('xen_version.build_id');
  if (address === 0n) return BUILD_ID.length;
  const bytes = call.read(address, 4);
  if (!bytes) return call.fault('build_id');
  const room = new DataView(bytes.buffer).getUint32(0, true);
  if (room === 0) return no(refuse('EINVAL', 'buffer-too-small', { entries: 0, needed: BUILD_ID.length }));
  if (room < BUILD_ID.length) return no(refuse('ENOBUFS', 'buffer-too-small', { entries: room, needed: BUILD_ID.length }));
  return call.write(address + 4n, BUILD_ID) ? BUILD_ID.length : call.fault('build_id');
}
