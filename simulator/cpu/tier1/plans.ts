// Plans of the interpreter's cases for tier 1, made when first met: control flow by key, effects on flags by generating the case once.

import { newDecoded } from '../../../x86/decode.ts';
import { type Decoded, OperandKind as K } from '../../../x86/types.ts';
import { type Case, type CaseList, FixedCase } from '../tier0/cases.ts';
import { insnOf } from '../tier0/instruction.ts';
import { type Flow as Continuation, Tier1 } from './binding.ts';
import { ExitTable } from './exits.ts';
import { REGION_HELPERS } from './helpers.ts';
import type { Effects, Flow, Plan, Step } from './step.ts';

const FLOWS: Readonly<Record<string, Flow>> = {
  jcc: 'branch',
  jcxz: 'branch',
  loop: 'branch',
  loopz: 'branch',
  loopnz: 'branch',
  jmp: 'direct',
  call: 'call',
  ret: 'return',
  'jmp-ind': 'indirect',
  'call-ind': 'indirect',
};
const NOWHERE: Continuation = { direct: () => {}, branch: () => {}, indirect: () => {}, expected: null };

/** An instruction of the case, with registers all different and an immediate of 1. */
export function sampleOf(c: Case, bits: 64 | 32, registers: readonly number[] = [1, 2, 3]): Decoded {
  const d = newDecoded();
  d.length = 4;
  d.operandSize = c.w;
  d.addressSize = bits / 8;
  d.count = c.form.length;
  d.cc = c.cc;
  d.immLo = 1;
  d.base = 6;
  d.index = 7;
  d.dispLo = 8;
  for (let i = 0; i < c.form.length; i++) {
    const letter = c.form[i]!;
    d.kind[i] = letter === 'm' ? K.memory : letter === 'i' ? K.immediate : letter === 'x' ? K.xmm : letter === 'q' ? K.mmx : K.gpr;
    d.reg[i] = registers[i % registers.length]!;
  }
  return d;
}

export class Plans {
  private readonly list: CaseList;
  private readonly known = new Map<number, Plan>();
  private readonly probe: Tier1;

  constructor(list: CaseList, bits: 64 | 32) {
    this.list = list;
    this.probe = new Tier1(bits, REGION_HELPERS, new ExitTable());
  }

  /** Plan of the case with this handler number. */
  of(handler: number): Plan {
    let plan = this.known.get(handler);
    if (!plan) {
      const n = handler - FixedCase.count;
      plan = this.make(this.list.cases[n] ?? this.list.vectorCases[n - this.list.cases.length]!);
      this.known.set(handler, plan);
    }
    return plan;
  }
  private make(c: Case): Plan {
    const plan = { c, insn: insnOf(c), flow: FLOWS[c.definition.key] ?? ('none' as const) };
    return { ...plan, effects: this.observe({ ...plan, effects: { reads: true, writes: false, exits: true } }) };
  }
  private observe(plan: Plan): Effects {
    const { probe } = this;
    const step: Step = { d: sampleOf(plan.c, probe.bits), plan, lo: 0x1000, hi: 0, nextLo: 0x1004, nextHi: 0, secondFrame: -1 };
    probe.beginRegion();
    probe.exits.clear();
    probe.labels.push('exit');
    probe.flow = NOWHERE;
    probe.instruction(step, 1, false);
    return { reads: probe.sawRead, writes: probe.sawWrite, exits: probe.sawExit };
  }

  /** Effects of one instruction: a shift by a constant zero changes no flag. */
  static effectsOf({ d, plan, secondFrame }: Step): Effects {
    const { c, effects } = plan;
    if (secondFrame >= 0) return { ...effects, exits: true };
    if (!effects.writes || c.definition.sourceSizes[0] !== 1 || c.form[c.form.length - 1] !== 'i') return effects;
    return d.immLo & (c.w === 8 ? 63 : 31) ? effects : { ...effects, writes: false };
  }
}
