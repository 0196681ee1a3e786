// Values of typed objects in a stopped guest: text for one line, and children read when a user opens them.

import { ENCODING } from './dwarf/constants.table.ts';
import { type Location, Unavailable } from './dwarf/expression.ts';
import { type CType, type Member, stripAliases } from './dwarf/types.ts';
import { hex } from './error.ts';
import { bigintBytes, memorySource, type Source, sourceOf, type ValueReader } from './value/source.ts';
import { baseText, enumText, isChar, quote, unsignedOf } from './value/text.ts';

export interface Value {
  readonly name: string;
  /** The type as C writes it. */
  readonly type: string;
  /** One line: `42`, `0x1f00 <idle_stack>`, `"xen-3.0"`, `{…}`; for what cannot be read `<optimized out>` or `<why>`. */
  readonly text: string;
  /** Address in guest memory, where the object has one. */
  readonly address: bigint | undefined;
  readonly ctype: CType;
  /** Contents as an unsigned number, for scalars, pointers and enumerations that could be read. */
  readonly number: bigint | undefined;
  /** How many children there are; 0 for scalars. */
  readonly childCount: number;
  /** Members, elements, or what a pointer points to; `start` and `count` page through long arrays. */
  children(start?: number, count?: number): readonly Value[];
  /** What guest memory must hold for this number, enumeration or pointer to be `value`. @throws Unavailable that says why it cannot be */
  bytesFor(value: bigint): { readonly address: bigint; readonly bytes: Uint8Array };
}

const MAX_STRING = 200;
const MAX_OBJECT = 1 << 20;
const printable = new TextDecoder('latin1');

class TypedValue implements Value {
  readonly name: string;
  readonly type: string;
  readonly ctype: CType;
  private readonly plain: CType;
  private readonly open: () => Source;
  private readonly reader: ValueReader;
  private readonly member: Member | undefined;
  private cachedText: string | undefined;

  constructor(name: string, type: CType, open: () => Source, reader: ValueReader, member?: Member) {
    this.name = name;
    this.ctype = type;
    this.type = type.name;
    this.plain = stripAliases(type);
    this.open = open;
    this.reader = reader;
    this.member = member;
  }

  get address(): bigint | undefined {
    try {
      return this.open().address;
    } catch (error) {
      if (error instanceof Unavailable) return undefined;
      throw error;
    }
  }

  /** The object's own bytes: a bit field comes shifted to bit 0 and extended to its type's size. */
  private bytes(): Uint8Array {
    const { plain, member } = this;
    if (!member?.bits) return this.open().bytes(0, plain.size);
    const { offset, width } = member.bits;
    const shift = ((offset % 8) + 8) % 8;
    const first = Math.floor(offset / 8);
    const raw = unsignedOf(this.open().bytes(first, (shift + width + 7) >> 3)) >> BigInt(shift);
    const isSigned =
      plain.kind === 'enum'
        ? plain.signed
        : plain.kind === 'base' && (plain.encoding === ENCODING.signed || plain.encoding === ENCODING.signed_char);
    return bigintBytes(isSigned ? BigInt.asIntN(width, raw) : BigInt.asUintN(width, raw), plain.size);
  }

  bytesFor(value: bigint): { address: bigint; bytes: Uint8Array } {
    const { plain, member } = this;
    if (!['base', 'pointer', 'enum'].includes(plain.kind) || plain.size > 8)
      throw new Unavailable(`a value of type '${this.type}' is set part by part`);
    if (plain.kind === 'base' && plain.encoding === ENCODING.float)
      throw new Unavailable('floating-point numbers are set as bytes, in the memory view');
    const width = member?.bits ? member.bits.width : plain.size * 8;
    if (value < -(1n << BigInt(width - 1)) || value >= 1n << BigInt(width))
      throw new Unavailable(`${value} does not fit into ${width} bits`);
    const source = this.open();
    if (source.address === undefined) throw new Unavailable('it is in no memory here, but in a register or optimized out');
    if (!member?.bits) return { address: source.address, bytes: bigintBytes(BigInt.asUintN(width, value), plain.size) };
    const { offset } = member.bits;
    const shift = BigInt(((offset % 8) + 8) % 8);
    const first = Math.floor(offset / 8);
    const length = (Number(shift) + width + 7) >> 3;
    const kept = unsignedOf(source.bytes(first, length)) & ~(((1n << BigInt(width)) - 1n) << shift);
    const bytes = bigintBytes(kept | (BigInt.asUintN(width, value) << shift), length);
    return { address: BigInt.asUintN(this.reader.addressSize * 8, source.address + BigInt(first)), bytes };
  }

  get number(): bigint | undefined {
    if (!['base', 'pointer', 'enum'].includes(this.plain.kind) || this.plain.size > 8) return undefined;
    try {
      return unsignedOf(this.bytes());
    } catch (error) {
      if (error instanceof Unavailable) return undefined;
      throw error;
    }
  }

  get text(): string {
    if (this.cachedText === undefined) {
      try {
        this.cachedText = this.describe();
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        this.cachedText = `<${error.message}>`;
      }
    }
    return this.cachedText;
  }

  private describe(): string {
    const { plain } = this;
    switch (plain.kind) {
      case 'base': {
        if (plain.size > 16) return '<number of an unknown size>';
        return baseText(plain, this.bytes());
      }
      case 'enum':
        return enumText(plain, unsignedOf(this.bytes()));
      case 'pointer':
        return this.pointerText(plain);
      case 'array':
        return this.arrayText(plain);
      case 'struct':
      case 'union':
        if (plain.isDeclaration) return '<incomplete type>';
        this.open();
        return '{…}';
      case 'function':
        return hex(this.address ?? 0n);
      case 'void':
        return '<void>';
      case 'unknown':
        return `<${plain.name}>`;
      case 'alias':
        return '<type nested too deeply>';
    }
  }

  private stringAt(bytesAt: (offset: number, length: number) => Uint8Array, limit: number): string | undefined {
    let text = '';
    for (let offset = 0; offset < limit; offset += 16) {
      let piece: Uint8Array;
      try {
        piece = bytesAt(offset, Math.min(16, limit - offset));
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        return offset === 0 ? undefined : `${quote(text)}…`;
      }
      const end = piece.indexOf(0);
      text += printable.decode(end < 0 ? piece : piece.subarray(0, end));
      if (end >= 0) return quote(text);
    }
    return `${quote(text)}…`;
  }

  private pointerText(plain: CType & { kind: 'pointer' }): string {
    const value = unsignedOf(this.bytes());
    if (value === 0n) return 'NULL';
    const target = plain.target();
    const symbol = this.reader.symbolise?.(value);
    const shown = symbol ? `${hex(value)} <${symbol}>` : hex(value);
    if (!isChar(target)) return shown;
    // Byte by byte at a page's end: the string may stop right before unmapped memory.
    const text = this.stringAt((offset, length) => {
      const bytes = this.reader.memory(value + BigInt(offset), length);
      if (bytes.length === 0) throw new Unavailable('not mapped');
      if (bytes.length < length && !bytes.includes(0)) throw new Unavailable('not mapped');
      return bytes;
    }, MAX_STRING);
    return text === undefined ? shown : `${shown} ${text}`;
  }

  private arrayText(plain: CType & { kind: 'array' }): string {
    if (isChar(plain.element) && plain.count) {
      const source = this.open();
      const bytes = source.bytes(0, Math.min(plain.count, MAX_STRING));
      const end = bytes.indexOf(0);
      if (end >= 0) return quote(printable.decode(bytes.subarray(0, end)));
      return `${quote(printable.decode(bytes))}${plain.count > MAX_STRING ? '…' : ''}`;
    }
    this.open();
    return plain.count === null ? '[…]' : `[${plain.count}]`;
  }

  get childCount(): number {
    const { plain } = this;
    switch (plain.kind) {
      case 'struct':
      case 'union':
        return plain.members().length;
      case 'array':
        return plain.count ?? 0;
      case 'pointer': {
        const target = stripAliases(plain.target());
        if (['void', 'function', 'unknown'].includes(target.kind) || (this.number ?? 0n) === 0n) return 0;
        return 1;
      }
      default:
        return 0;
    }
  }

  children(start = 0, count = 100): readonly Value[] {
    const { plain } = this;
    switch (plain.kind) {
      case 'struct':
      case 'union':
        return plain
          .members()
          .slice(start, start + count)
          .map((member) => this.child(member.name || '<anonymous>', member.type, member.offset, member));
      case 'array': {
        const end = Math.min(start + count, plain.count ?? 0);
        const out: Value[] = [];
        for (let i = start; i < end; i++) out.push(this.child(`[${i}]`, plain.element, i * plain.element.size));
        return out;
      }
      case 'pointer': {
        const to = this.number;
        if (this.childCount === 0 || to === undefined) return [];
        return [new TypedValue(`*${this.name}`, plain.target(), () => memorySource(to, this.reader), this.reader)];
      }
      default:
        return [];
    }
  }

  private child(name: string, type: CType, offset: number, member?: Member): Value {
    const open = (): Source => {
      const parent = this.open();
      return {
        address: parent.address === undefined ? undefined : BigInt.asUintN(this.reader.addressSize * 8, parent.address + BigInt(offset)),
        bytes: (at, length) => {
          if (length > MAX_OBJECT) throw new Unavailable('too large to show');
          return parent.bytes(offset + at, length);
        },
      };
    };
    return new TypedValue(name, type, open, this.reader, member);
  }
}

/** The value of an object of `type` at a location. Reads nothing until `text`, `number` or `children` is asked for. */
export function readValue(name: string, type: CType, location: Location, reader: ValueReader): Value {
  return new TypedValue(name, type, () => sourceOf(location, reader), reader);
}
