// Runs the call frame instructions of a function up to an address: how to find the CFA and each saved register there.

import { Reader } from '../bytes.ts';
import { hex, ImageError } from '../error.ts';
import type { FunctionEntry } from './cfi.ts';

export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: number }
  | { readonly kind: 'expression'; readonly expression: Uint8Array };

export type RegisterRule =
  | { readonly kind: 'undefined' | 'same' }
  /** Saved at CFA + offset. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** The value is CFA + offset. */
  | { readonly kind: 'value-offset'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: number }
  /** Saved at the address that the expression gives. */
  | { readonly kind: 'expression'; readonly expression: Uint8Array }
  | { readonly kind: 'value-expression'; readonly expression: Uint8Array };

export interface FrameRow {
  readonly cfa: CfaRule | undefined;
  readonly rules: ReadonlyMap<number, RegisterRule>;
}

const MAX_REMEMBERED = 1024;

class Interpreter {
  cfa: CfaRule | undefined;
  rules = new Map<number, RegisterRule>();
  private initial: ReadonlyMap<number, RegisterRule> = new Map();
  private readonly remembered: { cfa: CfaRule | undefined; rules: Map<number, RegisterRule> }[] = [];
  private location: bigint;
  private readonly entry: FunctionEntry;
  private readonly wanted: bigint;

  constructor(entry: FunctionEntry, wanted: bigint) {
    this.entry = entry;
    this.location = entry.low;
    this.wanted = wanted;
  }

  run(): FrameRow {
    this.execute(this.entry.common.instructions);
    this.initial = new Map(this.rules);
    this.execute(this.entry.instructions);
    return { cfa: this.cfa, rules: this.rules };
  }

  /** @returns false when the new location is beyond the wanted address. */
  private advance(delta: number): boolean {
    this.location += BigInt(delta * this.entry.common.codeAlignment);
    return this.location <= this.wanted;
  }

  private restore(register: number): void {
    const rule = this.initial.get(register);
    if (rule) this.rules.set(register, rule);
    else this.rules.delete(register);
  }

  private saved(register: number, offset: number): void {
    this.rules.set(register, { kind: 'offset', offset: offset * this.entry.common.dataAlignment });
  }

  private execute(instructions: Uint8Array): void {
    const r = new Reader(instructions, 'call frame information');
    while (!r.atEnd) {
      const byte = r.u8();
      const low = byte & 0x3f;
      switch (byte & 0xc0) {
        case 0x40: // advance_loc
          if (!this.advance(low)) return;
          break;
        case 0x80: // offset
          this.saved(low, r.uleb());
          break;
        case 0xc0:
          this.restore(low);
          break;
        default:
          if (!this.extended(low, r)) return;
      }
    }
  }

  private defineCfa(register: number, offset: number): void {
    this.cfa = { kind: 'register', register, offset };
  }

  private extended(opcode: number, r: Reader): boolean {
    const { common } = this.entry;
    const factored = (): number => r.sleb() * common.dataAlignment;
    const cfa = this.cfa?.kind === 'register' ? this.cfa : undefined;
    switch (opcode) {
      case 0x00: // nop
        return true;
      case 0x01: // set_loc
        this.location = r.unsigned(common.addressSize);
        return this.location <= this.wanted;
      case 0x02:
        return this.advance(r.u8());
      case 0x03:
        return this.advance(r.u16());
      case 0x04:
        return this.advance(r.u32());
      case 0x05: // offset_extended
        this.saved(r.uleb(), r.uleb());
        return true;
      case 0x06:
        this.restore(r.uleb());
        return true;
      case 0x07:
        this.rules.set(r.uleb(), { kind: 'undefined' });
        return true;
      case 0x08:
        this.rules.set(r.uleb(), { kind: 'same' });
        return true;
      case 0x09:
        this.rules.set(r.uleb(), { kind: 'register', register: r.uleb() });
        return true;
      case 0x0a: // remember_state
        if (this.remembered.length < MAX_REMEMBERED) this.remembered.push({ cfa: this.cfa, rules: new Map(this.rules) });
        return true;
      case 0x0b: {
        // restore_state
        const state = this.remembered.pop();
        if (state) {
          this.cfa = state.cfa;
          this.rules = state.rules;
        }
        return true;
      }
      case 0x0c: // def_cfa
        this.defineCfa(r.uleb(), r.uleb());
        return true;
      case 0x0d: // def_cfa_register
        this.defineCfa(r.uleb(), cfa?.offset ?? 0);
        return true;
      case 0x0e: // def_cfa_offset
        this.defineCfa(cfa?.register ?? 0, r.uleb());
        return true;
      case 0x0f:
        this.cfa = { kind: 'expression', expression: r.block(r.uleb()) };
        return true;
      case 0x10:
        this.rules.set(r.uleb(), { kind: 'expression', expression: r.block(r.uleb()) });
        return true;
      case 0x11: // offset_extended_sf
        this.rules.set(r.uleb(), { kind: 'offset', offset: factored() });
        return true;
      case 0x12: // def_cfa_sf
        this.defineCfa(r.uleb(), factored());
        return true;
      case 0x13: // def_cfa_offset_sf
        this.defineCfa(cfa?.register ?? 0, factored());
        return true;
      case 0x14: // val_offset
        this.rules.set(r.uleb(), { kind: 'value-offset', offset: r.uleb() * common.dataAlignment });
        return true;
      case 0x15:
        this.rules.set(r.uleb(), { kind: 'value-offset', offset: factored() });
        return true;
      case 0x16:
        this.rules.set(r.uleb(), { kind: 'value-expression', expression: r.block(r.uleb()) });
        return true;
      case 0x2e: // GNU_args_size
        r.uleb();
        return true;
      case 0x2f: // GNU_negative_offset_extended
        this.saved(r.uleb(), -r.uleb());
        return true;
      default:
        throw new ImageError(
          'malformed',
          `Call frame information uses the unknown instruction ${hex(opcode)}. The file is damaged: build it again.`,
        );
    }
  }
}

/** The rules that hold at `address`, which lies in the entry's function. */
export const frameRowAt = (entry: FunctionEntry, address: bigint): FrameRow => new Interpreter(entry, address).run();
