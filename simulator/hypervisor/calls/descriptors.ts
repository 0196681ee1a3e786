// set_gdt and update_descriptor.

import { asMfn, type Mfn } from '../../../abi/address.ts';
import { readBig } from '../../../abi/layout.ts';
import { checkDescriptor } from '../../memory/descriptors.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { hex, refuse } from '../../memory/refuse.ts';
import { type Call, type HandlerResult, no } from '../call.ts';

/** Descriptors that a guest may have; the rest of the table is Xen's. */
const MAX_ENTRIES = 14 * 512;

export function setGdt(call: Call): HandlerResult {
  const [list] = call.args as [bigint];
  const entries = call.u32(1);
  if (entries > MAX_ENTRIES) return no(refuse('EINVAL', 'gdt-size', { entries, most: MAX_ENTRIES }));
  const count = Math.ceil(entries / 512);
  const bytes = call.read(list, count * call.word);
  if (!bytes) return call.fault('list of GDT frames');
  const { types } = call.hv.memory;
  const frames: Mfn[] = [];
  for (let n = 0; n < count; n++) {
    const mfn = asMfn(Number(readBig(bytes, n * call.word, call.word) & 0xff_ffff_ffffn));
    const refusal = types.getPageAndType(mfn, FrameType.segDesc, call.domain.id);
    if (refusal) {
      for (const taken of frames) types.putPageAndType(taken);
      return no({ ...refusal, errno: 'EINVAL', facts: { ...refusal.facts, index: n } });
    }
    frames.push(mfn);
  }
  for (const old of call.vcpu.gdtFrames) types.putPageAndType(old);
  call.vcpu.gdtFrames = frames;
  call.vcpu.gdtEntries = entries;
  call.vcpu.cpu.flushAll();
  return 0;
}

export function updateDescriptor(call: Call): HandlerResult {
  const [address, descriptor] = call.args as [bigint, bigint];
  if (address & 7n) return no(refuse('EINVAL', 'descriptor-alignment', { address: hex(address) }));
  const checked = checkDescriptor(Number(descriptor & 0xffff_ffffn) | 0, Number(descriptor >> 32n) | 0, call.bits);
  if (!checked) return no(refuse('EINVAL', 'descriptor-not-allowed', { descriptor: hex(descriptor) }));
  const mfn = asMfn(Number(address >> 12n));
  const { types, frames, ram } = call.hv.memory;
  const missing = types.getPage(mfn, call.domain.id);
  if (missing) return no(missing);
  const index = ram.index(mfn);
  const want = frames.type[index] === FrameType.segDesc ? FrameType.segDesc : FrameType.writable;
  const refusal = types.getType(mfn, want);
  if (!refusal) {
    ram.setEntry(mfn, Number((address & 0xfffn) >> 3n), (BigInt(checked.b) << 32n) | BigInt(checked.a));
    call.hv.written(mfn);
    types.putType(mfn);
  }
  types.putPage(mfn);
  return refusal ? no(refusal) : 0;
}
