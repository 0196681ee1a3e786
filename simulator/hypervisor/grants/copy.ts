// grant copy: bytes from one page to another, each named by a grant or, of the caller's own, by frame. What an element claimed is kept
// for the next ones of the list that name the same.
// Behaviour of Xen 4.17 (common/grant_table.c).

import { asMfn, type Mfn, PAGE_SIZE } from '../../../abi/address.ts';
import { domids } from '../../../abi/constants/domain.table.ts';
import { grantCopyFlags as C, grantStatuses as S } from '../../../abi/constants/grant.table.ts';
import type { StructView } from '../../../abi/layout.ts';
import { FrameType } from '../../memory/frame-table.ts';
import { alsoPrints, frameText, refuse } from '../../memory/refuse.ts';
import type { Call } from '../call.ts';
import { acquire, isAcquired, release } from './copy-source.ts';
import { absentGrant, byAnyId, type Granting, noDomain } from './domains.ts';
import { type Outcome, okay, refused } from './facts.ts';

/** One end of a copy as an element names it. */
interface Pointer {
  readonly domid: number;
  /** Reference or frame. */
  readonly named: bigint;
  readonly offset: number;
  readonly byGrant: boolean;
}

/** One end as it is claimed. */
interface Claimed {
  domain: Granting | null;
  domid: number;
  named: bigint;
  mfn: Mfn | null;
  offset: number;
  length: number;
  granted: boolean;
  typed: boolean;
}

const unclaimed = (): Claimed => ({
  ...{ domain: null, domid: 0, named: 0n, mfn: null, offset: 0, length: 0, granted: false, typed: false },
});

export class GrantCopier {
  private readonly call: Call;
  private readonly source = unclaimed();
  private readonly dest = unclaimed();

  constructor(call: Call) {
    this.call = call;
  }

  /** Carries one element out. */
  copy(op: StructView): Outcome {
    const outcome = this.one(op);
    if (outcome.status !== S.GNTST_okay) this.letGo();
    return outcome;
  }

  private one(op: StructView): Outcome {
    const flags = op.number('flags');
    const from = pointer(op, 'source', (flags & C.GNTCOPY_source_gref) !== 0);
    const to = pointer(op, 'dest', (flags & C.GNTCOPY_dest_gref) !== 0);
    const { source, dest } = this;
    if (!source.domain || from.domid !== source.domid || !dest.domain || to.domid !== dest.domid) {
      this.letGo();
      source.domain = null;
      dest.domain = null;
      const refusal = this.find(from, source) ?? this.find(to, dest);
      if (refusal) {
        source.domain = null;
        dest.domain = null;
        return refusal;
      }
    }
    for (const [wanted, end] of [
      [from, source],
      [to, dest],
    ] as const) {
      if (isClaimed(end, wanted)) continue;
      this.drop(end);
      const refusal = this.claim(end, wanted);
      if (refusal) return refusal;
    }
    return this.move(op.number('len'), from, to);
  }

  private find({ domid, byGrant }: Pointer, end: Claimed): Outcome | null {
    if (domid !== domids.DOMID_SELF && !byGrant)
      return refused(S.GNTST_permission_denied, refuse('EPERM', 'grant-copy-by-frame', { domain: domid }));
    end.domain = byAnyId(this.call, domid);
    if (!end.domain) return refused(S.GNTST_bad_domain, noDomain('a grant', domid, false));
    end.domid = domid;
    return null;
  }

  private claim(end: Claimed, wanted: Pointer): Outcome | null {
    const { hv, domain } = this.call;
    const { types } = hv.memory;
    const readonly = end === this.source;
    const owner = end.domain!;
    if (wanted.byGrant) {
      const ref = Number(wanted.named & 0xffff_ffffn);
      if (owner === 'absent') {
        const refusal = absentGrant(ref, domain.id);
        return refused(refusal.rule === 'grant-reference' ? S.GNTST_bad_gntref : S.GNTST_general_error, refusal);
      }
      const got = acquire(hv, owner, ref, domain.id, readonly);
      if (!isAcquired(got)) return got;
      Object.assign(end, { mfn: got.mfn, offset: got.offset, length: got.length, granted: true });
      // The reference is the low half of what was a frame before.
      end.named = (end.named & ~0xffff_ffffn) | BigInt(ref);
    } else {
      const mfn = asMfn(Number(wanted.named & 0xff_ffff_ffffn));
      const missing = types.getPage(mfn, domain.id);
      if (missing) return refused(S.GNTST_bad_page, alsoPrints(missing, 'grant-copy-frame', { mfn: wanted.named.toString(16) }));
      Object.assign(end, { mfn, offset: 0, length: PAGE_SIZE, granted: false, named: wanted.named });
    }
    if (readonly) return null;
    const wrong = types.getType(end.mfn!, FrameType.writable);
    if (wrong)
      return refused(
        S.GNTST_general_error,
        alsoPrints({ ...wrong, rule: 'grant-frame-in-use' }, 'grant-not-writable', { mfn: `0x${frameText(end.mfn!)}` }),
      );
    end.typed = true;
    return null;
  }

  private move(length: number, from: Pointer, to: Pointer): Outcome {
    const { source, dest } = this;
    if (from.offset + length > PAGE_SIZE || to.offset + length > PAGE_SIZE)
      return refused(
        S.GNTST_bad_copy_arg,
        refuse(
          'EINVAL',
          'grant-copy-bounds',
          { source: from.offset, dest: to.offset, length, allowed: 'a page' },
          { template: 'grant-copy-beyond', args: {} },
        ),
      );
    for (const [wanted, end, what] of [
      [from, source, 'source'],
      [to, dest, 'destination'],
    ] as const) {
      if (wanted.offset >= end.offset && wanted.offset + length <= end.offset + end.length) continue;
      const allowed = `bytes ${end.offset} to ${end.offset + end.length - 1} of the ${what}`;
      return refused(
        S.GNTST_general_error,
        refuse('EINVAL', 'grant-copy-bounds', { source: from.offset, dest: to.offset, length, allowed }),
      );
    }
    const { ram } = this.call.hv.memory;
    const bytes = ram.page(source.mfn!).slice(from.offset, from.offset + length);
    ram.page(dest.mfn!).set(bytes, to.offset);
    this.call.hv.written(dest.mfn!);
    this.tell(source, from);
    this.tell(dest, to);
    return okay;
  }

  private tell({ domain, granted }: Claimed, { named }: Pointer): void {
    const { hv, vcpu } = this.call;
    if (!granted || domain === null || domain === 'absent') return;
    hv.trace.emit('grant', { domain: vcpu.domain.id, vcpu: vcpu.id, action: 'copied', ref: Number(named & 0xffff_ffffn), peer: domain.id });
  }

  private drop(end: Claimed): void {
    const { hv } = this.call;
    const { types } = hv.memory;
    if (end.granted && end.domain && end.domain !== 'absent')
      release(hv, end.domain, Number(end.named & 0xffff_ffffn), end === this.source);
    if (end.typed) types.putType(end.mfn!);
    if (end.mfn !== null) types.putPage(end.mfn);
    Object.assign(end, { mfn: null, granted: false, typed: false });
  }

  /** Lets go of what both ends claimed; at the end of a round, and after an element that was refused. */
  letGo(): void {
    this.drop(this.source);
    this.drop(this.dest);
  }
}

function pointer(op: StructView, name: 'source' | 'dest', byGrant: boolean): Pointer {
  const named = byGrant ? BigInt(op.number(`${name}.u.ref`)) : op.big(`${name}.u.gmfn`);
  return { domid: op.number(`${name}.domid`), named, offset: op.number(`${name}.offset`), byGrant };
}

/** Does the next element name what is claimed already? */
function isClaimed(end: Claimed, { named, byGrant }: Pointer): boolean {
  if (end.mfn === null) return false;
  return byGrant ? end.granted && (end.named & 0xffff_ffffn) === named : end.named === named;
}
