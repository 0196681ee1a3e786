// Tier 0's flags: the last operation lies in memory and is evaluated on demand.

import { I32, type Node, Space, type Width } from '../emit/expressions.ts';
import { FlagKind } from '../isa/builder.ts';
import * as L from '../layout.ts';
import { LOG2 } from './locals.ts';
import { Tier0Operands } from './operands.ts';

export abstract class Tier0Flags extends Tier0Operands {
  // Flags
  protected storeFlags(kind: number, w: Width, f1: Node, f2: Node | null): void {
    this.committed = true;
    if (this.keepFlags) {
      const a = this.val(f1);
      const b = f2 === null ? null : this.val(f2);
      this.known = { kind, w, f1: a, f2: b ?? this.k64(0) };
      f1 = a;
      f2 = b;
    } else this.known = null;
    const zero = this.k32(0);
    // Both values are computed before the first store: either may itself be made from the old flags.
    if (f2 !== null) {
      f1 = this.val(f1);
      f2 = this.val(f2);
    }
    this.storeAt(8, zero, f1, L.FLAG_1, Space.flags);
    if (f2 !== null) this.storeAt(8, zero, f2, L.FLAG_2, Space.flags);
    this.storeAt(4, zero, this.k32(kind * 4 + LOG2[w]), L.FLAG_OP, Space.flags);
  }
  private flagOp(): Node {
    return this.loadAt(4, this.zero(), L.FLAG_OP, Space.flags);
  }
  private flag1(): Node {
    return this.loadAt(8, this.zero(), L.FLAG_1, Space.flags);
  }
  private flag2(): Node {
    return this.loadAt(8, this.zero(), L.FLAG_2, Space.flags);
  }
  eflags(): Node {
    return this.let(this.helper('eflags', []));
  }
  systemFlags(): Node {
    return this.state(4, L.SYSTEM_FLAGS);
  }
  setSystemFlags(v: Node): void {
    this.committed = true;
    this.setState(4, L.SYSTEM_FLAGS, v);
  }
  /** The common kinds are tested in line, at full width after shifting operands to the top; the rest calls a helper. */
  protected conditionDynamic(cc: number): Node {
    const negated = cc & 1;
    const group = cc >> 1;
    const slow = (): Node => this.helper('condition', [this.k32(cc)]);
    if (group === 0 || group === 5) return this.let(slow());
    const result = this.temp(I32);
    const op = this.let(this.flagOp());
    const kind = this.let(this.shr(op, this.k32(2)));
    const shift = this.let(this.sub(this.k64(64), this.u64(this.shl(this.k32(8), this.and(op, this.k32(3))))));
    const a = (): Node => this.shl(this.flag1(), shift);
    const b = (): Node => this.shl(this.flag2(), shift);
    const compare = (pair: readonly [number, number], x: Node, y: Node): Node => this.compare(pair[negated]!, x, y);
    const afterSub: Record<number, readonly [number, number]> = {
      1: [0x49, 0x4f],
      2: [0x46, 0x47],
      3: [0x4d, 0x4b],
      4: [0x48, 0x4e],
      6: [0x48, 0x4e],
      7: [0x4c, 0x4a],
    };
    this.emit(this.eq(kind, this.k32(FlagKind.sub)));
    this.open('if', 'sub');
    this.setLocal(result, group === 4 ? compare([0x48, 0x4e], this.sub(a(), b()), this.k64(0)) : compare(afterSub[group]!, a(), b()));
    this.else();
    const orSlow = (fast: Node, value: () => Node, otherwise: () => void): void => {
      this.emit(fast);
      this.open('if', 'fast');
      this.setLocal(result, value());
      this.else();
      otherwise();
      this.close();
    };
    const last = (): void => this.setLocal(result, slow());
    if (group === 2 || group === 4) {
      // Zero and sign need the result only, which add, inc and dec hold in f1.
      const kinds = (1 << FlagKind.add) | (1 << FlagKind.inc) | (1 << FlagKind.dec);
      const zeroOrSign = (): Node => compare(group === 2 ? [0x46, 0x47] : [0x48, 0x4e], a(), this.k64(0));
      orSlow(this.and(this.shr(this.k32(kinds), kind), this.k32(1)), zeroOrSign, last);
    } else if (group === 1) {
      const kept = (): Node => (negated ? this.isZero(this.flag2()) : this.wrap(this.flag2()));
      orSlow(this.eq(this.or(kind, this.k32(1)), this.k32(FlagKind.dec)), kept, () =>
        orSlow(this.eq(kind, this.k32(FlagKind.add)), () => compare([0x49, 0x4f], a(), b()), last),
      );
    } else last();
    this.close();
    return this.local(result, I32);
  }
}
