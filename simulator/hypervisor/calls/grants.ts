// grant_table_op as a guest without other domains to talk to needs it: its own table. What needs a second domain is refused with
// the status that Xen gives when that domain does not exist.

import { grantStatuses as S } from '../../../abi/constants/grant.table.ts';
import { type StructureName, type StructView, sizeOf, writeBig } from '../../../abi/layout.ts';
import { refuse } from '../../memory/refuse.ts';
import { type Answer, type Call, type HandlerResult, no, notImplemented, otherOperation } from '../call.ts';
import { MAX_GRANT_FRAMES } from '../grant-table.ts';

const DOMID_SELF = 0x7ff0;

const STRUCTURES: Readonly<Record<number, StructureName>> = {
  0: 'gnttab_map_grant_ref',
  1: 'gnttab_unmap_grant_ref',
  2: 'gnttab_setup_table',
  4: 'gnttab_transfer',
  5: 'gnttab_copy',
  6: 'gnttab_query_size',
  7: 'gnttab_unmap_and_replace',
  8: 'gnttab_set_version',
  9: 'gnttab_get_status_frames',
  10: 'gnttab_get_version',
  11: 'gnttab_swap_grant_ref',
  12: 'gnttab_cache_flush',
};
/** Operations that take exactly one structure. */
const SINGLE = new Set([2, 6, 9]);
const HOW_TO_MAP = 3;
const PAGE = 4096;
/** References of a domU's console and store rings, which dom0 maps. */
const RESERVED = 2;

export function grantTableOp(call: Call): HandlerResult {
  const command = call.u32(0);
  const address = call.args[1]!;
  const count = call.u32(2);
  const name = STRUCTURES[command];
  if (!name) return otherOperation(call, command);
  if (count & 0x8000_0000) return no(refuse('EINVAL', 'grant-count', { count }));
  if (SINGLE.has(command) && count !== 1) return no(refuse('EINVAL', 'grant-count', { count }));
  let refusal: Answer['refusal'];
  for (let n = 0; n < (command === 8 || command === 10 ? 1 : count); n++) {
    const at = address + BigInt(n * sizeOf(name, call.bits));
    const op = call.struct(name, at);
    if (!op) return call.fault(name);
    const result = one(call, command, op);
    if ('ret' in result) return result;
    if (result.status !== undefined && result.status !== S.GNTST_okay) {
      refusal = refuse('EINVAL', 'grant-status', { operation: name, status: result.status, why: result.why ?? '' });
    }
    if (!call.put(at, op)) return call.fault(name);
  }
  return refusal ? { ret: 0n, refusal } : 0;
}

type Outcome = Answer | { readonly status?: number; readonly why?: string };

const isSelf = (call: Call, domain: number): boolean => domain === DOMID_SELF || domain === call.domain.id;

function one(call: Call, command: number, op: StructView): Outcome {
  const { grants } = call.domain;
  const status = (value: number, why: string): Outcome => {
    op.set('status', value);
    return { status: value, why };
  };
  switch (command) {
    case 0:
    case 1:
    case 7: {
      if (command !== 0) return status(S.GNTST_bad_handle, 'nothing is mapped by a grant');
      const domain = op.number('dom');
      if ((op.number('flags') & HOW_TO_MAP) === 0)
        return status(S.GNTST_bad_gntref, 'flags ask neither for a host nor for a device mapping');
      if (isSelf(call, domain)) return notImplemented('grant_table_op.map_grant_ref of the own domain');
      return status(S.GNTST_bad_domain, `domain ${domain} does not exist`);
    }
    case 2:
      return setupTable(call, op);
    case 4: {
      const mfn = Number(op.big('mfn') & 0xff_ffff_ffffn);
      const { frames } = call.hv.memory;
      if (mfn >= frames.owner.length || frames.owner[mfn] !== call.domain.id)
        return status(S.GNTST_bad_page, `frame ${mfn} is not the domain's`);
      const domain = op.number('domid');
      if (isSelf(call, domain)) return notImplemented('grant_table_op.transfer to the own domain');
      return status(S.GNTST_bad_domain, `domain ${domain} does not exist`);
    }
    case 9:
      if (!isSelf(call, op.number('dom'))) return status(S.GNTST_bad_domain, `domain ${op.number('dom')} does not exist`);
      return status(S.GNTST_general_error, 'a table of version 1 has no status frames');
    case 11: {
      const [a, b] = [op.number('ref_a'), op.number('ref_b')];
      const wrong = [a, b].find((ref) => ref >= grants.entries);
      if (wrong !== undefined) return status(S.GNTST_bad_gntref, `there is no reference ${wrong}`);
      if (!call.domain.isDom0 && Math.min(a, b) < RESERVED) return status(S.GNTST_eagain, 'the back end of the console or store maps it');
      grants.swap(a, b);
      return status(S.GNTST_okay, '');
    }
    case 12: {
      const [offset, length] = [op.number('offset'), op.number('length')];
      if (offset + length > PAGE) return no(refuse('EINVAL', 'grant-count', { count: length }));
      return length === 0 ? {} : notImplemented('grant_table_op.cache_flush of memory');
    }
    case 5: {
      const source = op.number('source.domid');
      const dest = op.number('dest.domid');
      if (isSelf(call, source) && isSelf(call, dest)) return notImplemented('grant_table_op.copy inside the own domain');
      return status(S.GNTST_bad_domain, `domain ${isSelf(call, source) ? dest : source} does not exist`);
    }
    case 6: {
      if (!isSelf(call, op.number('dom'))) return status(S.GNTST_bad_domain, `domain ${op.number('dom')} does not exist`);
      op.set('nr_frames', grants.frames.length);
      op.set('max_nr_frames', MAX_GRANT_FRAMES);
      op.set('status', S.GNTST_okay);
      return {};
    }
    case 8: {
      const version = op.number('version');
      if (version !== 1 && version !== 2) return no(refuse('EINVAL', 'grant-version', { version }));
      if (version === 2) return notImplemented('grant tables of version 2');
      op.set('version', grants.version);
      grants.version = version;
      return {};
    }
    default:
      if (!isSelf(call, op.number('dom'))) return no(refuse('ESRCH', 'no-such-domain', { what: 'get_version', domain: op.number('dom') }));
      op.set('version', grants.version);
      return {};
  }
}

function setupTable(call: Call, op: StructView): Outcome {
  const frames = op.number('nr_frames');
  const fail = (status: number, why: string): Outcome => {
    op.set('status', status);
    return { status, why };
  };
  if (!isSelf(call, op.number('dom'))) return fail(S.GNTST_bad_domain, `domain ${op.number('dom')} does not exist`);
  if (frames > MAX_GRANT_FRAMES)
    return fail(S.GNTST_general_error, `${frames} frames are asked for, at most ${MAX_GRANT_FRAMES} are allowed`);
  call.domain.grants.grow(frames);
  const list = new Uint8Array(frames * call.word);
  for (let n = 0; n < frames; n++) writeBig(list, n * call.word, call.word, BigInt(call.domain.grants.frames[n]!));
  op.set('status', S.GNTST_okay);
  if (!call.write(op.big('frame_list'), list)) {
    // Of a 32-bit guest Xen copies the list itself, after the status.
    if (call.bits === 32) return {};
    const status = S.GNTST_bad_virt_addr;
    op.set('status', status);
    return { status, why: 'the frame list cannot be written' };
  }
  return {};
}
