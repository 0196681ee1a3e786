// Control instructions: words, environment, the whole state in the layouts of fnsave and fxsave.

import { OperandKind as K } from '../../../x86/types.ts';
import * as L from '../layout.ts';
import type { RareBody } from '../rare/context.ts';
import { writeResult } from '../rare/segments.ts';
import { RareStatus } from '../tier0/status.ts';
import { toBits } from './convert.ts';
import { INTEGER_BIT, isZero, MAXIMUM } from './extended.ts';
import { commitBytes, prepareBytes, reachEnds, readBytes } from './operands.ts';
import { control, FDP, FIP, FOP, MATH_FAULT, type Unit, waiting } from './unit.ts';

const CONTROL_BITS = 0x1f7f;
const CONTROL_FIXED = 0x40;
const setControl = (u: Unit, v: number): void => {
  u.control = (v & CONTROL_BITS) | CONTROL_FIXED;
};

/** After fninit; the registers keep what they hold. */
function initialize(u: Unit): void {
  u.top = 0;
  u.control = 0x37f;
  u.status = 0;
  u.tags = 0;
  const { view } = u.c.core;
  for (let at = FOP; at < L.MXCSR; at += 2) view.setUint16(at, 0, true);
  view.setUint32(L.FCS, 0, true);
}

/** Two bits for each physical register: 0 valid, 1 zero, 2 special, 3 empty. */
function fullTags(u: Unit): number {
  let word = 0;
  for (let n = 0; n < 8; n++) {
    const v = u.read(n);
    const special = v.exponent === MAXIMUM || (v.significand & INTEGER_BIT) === 0n || v.exponent === 0;
    const tag = u.isEmpty(n) ? 3 : isZero(v) ? 1 : special ? 2 : 0;
    word |= tag << (2 * ((u.top + n) & 7));
  }
  return word;
}
function setFullTags(u: Unit, word: number): void {
  let tags = 0;
  for (let n = 0; n < 8; n++) if (((word >> (2 * n)) & 3) !== 3) tags |= 1 << n;
  u.tags = tags;
}

const ENVIRONMENT = { 2: 14, 4: 28 } as const;
const widthOf = (u: Unit): 2 | 4 => (u.i.d.operandSize === 2 ? 2 : 4);

/** The environment as it lies in memory: seven fields of 4 bytes, or of 2. */
function environment(u: Unit): bigint {
  const { view } = u.c.core;
  const word = (at: number): number => view.getUint16(at, true);
  const selectors = [word(L.FCS), word(L.FDS)];
  const fields =
    widthOf(u) === 2
      ? [u.control, u.status, fullTags(u), word(FIP), selectors[0]!, word(FDP), selectors[1]!]
      : [
          0xffff0000 | u.control,
          0xffff0000 | u.status,
          0xffff0000 | fullTags(u),
          view.getUint32(FIP, true),
          (word(FOP) << 16) | selectors[0]!,
          view.getUint32(FDP, true),
          0xffff0000 | selectors[1]!,
        ];
  const bits = BigInt(8 * widthOf(u));
  return fields.reduceRight((all, field) => (all << bits) | BigInt.asUintN(Number(bits), BigInt(field)), 0n);
}
function loadEnvironment(u: Unit, image: bigint): void {
  const width = widthOf(u);
  const { view } = u.c.core;
  const field = (n: number): number => Number(BigInt.asUintN(8 * width, image >> BigInt(8 * width * n)));
  setControl(u, field(0));
  u.top = (field(1) >> 11) & 7;
  u.status = field(1) & 0xffff;
  u.summarize();
  setFullTags(u, field(2) & 0xffff);
  view.setBigUint64(FIP, BigInt(field(3)), true);
  view.setUint16(L.FCS, field(4) & 0xffff, true);
  view.setUint16(FOP, width === 4 ? (field(4) >>> 16) & 0x7ff : 0, true);
  view.setBigUint64(FDP, BigInt(field(5)), true);
  view.setUint16(L.FDS, field(6) & 0xffff, true);
}

const fnstenv = control((u) => {
  if (!reachEnds(u, ENVIRONMENT[widthOf(u)], widthOf(u), true)) return RareStatus.stopped;
  const stores = prepareBytes(u, ENVIRONMENT[widthOf(u)]);
  if (!stores) return RareStatus.stopped;
  const hit = commitBytes(u, stores, environment(u));
  u.control |= 0x3f;
  u.summarize();
  return u.c.done(hit);
});
const fldenv = waiting((u) => {
  if (!reachEnds(u, ENVIRONMENT[widthOf(u)], widthOf(u), false)) return RareStatus.stopped;
  const image = readBytes(u, 0, ENVIRONMENT[widthOf(u)]);
  if (image === null) return RareStatus.stopped;
  loadEnvironment(u, image);
  return RareStatus.done;
});

const REGISTERS = 80;
const fnsave = control((u) => {
  const size = ENVIRONMENT[widthOf(u)];
  if (!reachEnds(u, size + REGISTERS, widthOf(u), true)) return RareStatus.stopped;
  const stores = prepareBytes(u, size + REGISTERS);
  if (!stores) return RareStatus.stopped;
  let image = environment(u);
  for (let n = 0; n < 8; n++) image |= toBits(u.read(n)) << BigInt(8 * (size + 10 * n));
  const hit = commitBytes(u, stores, image);
  initialize(u);
  return u.c.done(hit);
});
const frstor = waiting((u) => {
  const size = ENVIRONMENT[widthOf(u)];
  if (!reachEnds(u, size + REGISTERS, widthOf(u), false)) return RareStatus.stopped;
  const image = readBytes(u, 0, size + REGISTERS);
  if (image === null) return RareStatus.stopped;
  loadEnvironment(u, image);
  const { view } = u.c.core;
  for (let n = 0; n < 8; n++) {
    const bits = image >> BigInt(8 * (size + 10 * n));
    view.setBigUint64(L.MMX + 16 * n, BigInt.asUintN(64, bits), true);
    view.setUint16(L.MMX + 16 * n + 8, Number(BigInt.asUintN(16, bits >> 64n)), true);
  }
  return RareStatus.done;
});

const fldcw = waiting((u) => {
  const v = u.c.value(u.i.d, 0, 2);
  if (v === null) return RareStatus.stopped;
  setControl(u, Number(v));
  u.summarize();
  return RareStatus.done;
});

export const STATE: Record<string, RareBody> = {
  fninit: control((u) => {
    initialize(u);
    return RareStatus.done;
  }),
  fnclex: control((u) => {
    u.status &= 0x7f00;
    return RareStatus.done;
  }),
  wait: control((u) => (u.pending ? u.c.stop(MATH_FAULT) : RareStatus.done)),
  fneni: control(() => RareStatus.done),
  fndisi: control(() => RareStatus.done),
  fnsetpm: control(() => RareStatus.done),
  fldcw,
  fnstcw: control((u) => writeResult(u.c, u.i.d, 0, 2, BigInt(u.control))),
  fnstsw: control((u) => {
    if (u.i.d.kind[0] === K.memory) return writeResult(u.c, u.i.d, 0, 2, BigInt(u.status));
    u.c.setReg(0, 2, BigInt(u.status));
    return RareStatus.done;
  }),
  fnstenv,
  fldenv,
  fnsave,
  frstor,
};
