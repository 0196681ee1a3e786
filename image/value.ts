// Values of typed objects in a stopped guest: text for one line, and children read when a user opens them.

import { ENCODING } from './dwarf/constants.table.ts';
import { type Location, type MemoryReader, type Piece, Unavailable } from './dwarf/expression.ts';
import { type CType, type Member, stripAliases } from './dwarf/types.ts';
import { hex } from './error.ts';

export interface ValueReader {
  readonly memory: MemoryReader;
  /** Value of a DWARF register in the variable's frame. */
  readonly register: (number: number) => bigint | undefined;
  readonly addressSize: 4 | 8;
  /** Name for an address in a pointer: '<boot_p2m+16>'. */
  readonly symbolise?: (address: bigint) => string | undefined;
}

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
}

const MAX_STRING = 200;
const MAX_OBJECT = 1 << 20;
const printable = new TextDecoder('latin1');

/** Where the bytes of an object come from: memory, registers, or a mixture. Offsets are in bytes. */
interface Source {
  readonly address: bigint | undefined;
  /** @throws Unavailable */
  bytes(offset: number, length: number): Uint8Array;
}

const bigintBytes = (value: bigint, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));

function memorySource(address: bigint, reader: ValueReader): Source {
  return {
    address,
    bytes: (offset, length) => {
      const at = BigInt.asUintN(reader.addressSize * 8, address + BigInt(offset));
      const bytes = reader.memory(at, length);
      if (bytes.length < length) throw new Unavailable(`memory at ${hex(at + BigInt(bytes.length))} is not mapped`);
      return bytes;
    },
  };
}

function fixedSource(bytes: Uint8Array): Source {
  return {
    address: undefined,
    bytes: (offset, length) => {
      if (offset + length > bytes.length) throw new Unavailable('optimized out');
      return bytes.subarray(offset, offset + length);
    },
  };
}

function piecesSource(pieces: readonly Piece[], reader: ValueReader): Source {
  if (pieces.every(({ location }) => location.kind === 'unavailable')) throw new Unavailable('optimized out');
  return {
    address: undefined,
    bytes: (offset, length) => {
      const out = new Uint8Array(length);
      let bit = 0;
      for (const piece of pieces) {
        const [from, to] = [Math.max(bit, offset * 8), Math.min(bit + piece.bits, (offset + length) * 8)];
        if (from < to) {
          const source = sourceOf(piece.location, reader);
          const first = piece.bitOffset + from - bit;
          const bytes = source.bytes(first >> 3, ((first & 7) + to - from + 7) >> 3);
          for (let i = 0; i < to - from; i++) {
            const at = (first & 7) + i;
            if ((bytes[at >> 3]! >> (at & 7)) & 1) out[(from - offset * 8 + i) >> 3]! |= 1 << ((from + i) & 7);
          }
        }
        bit += piece.bits;
      }
      if (bit < (offset + length) * 8) throw new Unavailable('optimized out');
      return out;
    },
  };
}

function sourceOf(location: Location, reader: ValueReader): Source {
  switch (location.kind) {
    case 'memory':
      return memorySource(location.address, reader);
    case 'register': {
      const value = reader.register(location.register);
      if (value === undefined) throw new Unavailable('in a register that was not preserved by the function called');
      return fixedSource(bigintBytes(value, 8));
    }
    case 'value':
      return fixedSource(bigintBytes(location.value, 8));
    case 'bytes':
      return fixedSource(location.bytes);
    case 'pieces':
      return piecesSource(location.pieces, reader);
    case 'implicit-pointer':
      throw new Unavailable('pointer that was optimized out');
    case 'unavailable':
      throw new Unavailable(location.reason);
  }
}

function unsignedOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

function floatText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 4) return String(view.getFloat32(0, true));
  if (bytes.length === 8) return String(view.getFloat64(0, true));
  if (bytes.length < 10) return '<floating point of an unknown size>';
  // x87 extended precision: 64-bit mantissa with its integer bit, 15-bit exponent.
  const mantissa = Number(view.getBigUint64(0, true));
  const high = view.getUint16(8, true);
  const exponent = (high & 0x7fff) - 16383 - 63;
  return String((high & 0x8000 ? -1 : 1) * mantissa * 2 ** exponent);
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '"': '\\"', '\\': '\\\\', '\0': '\\0' };
const quote = (text: string): string =>
  `"${[...text].map((c) => ESCAPES[c] ?? (c >= ' ' && c <= '~' ? c : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)).join('')}"`;

function charText(code: number): string {
  const c = String.fromCharCode(code & 255);
  const shown = ESCAPES[c] ?? (c >= ' ' && c <= '~' ? c : `\\x${(code & 255).toString(16).padStart(2, '0')}`);
  return c === "'" ? "'\\''" : c === '"' ? `'"'` : `'${shown}'`;
}

function isChar(type: CType): boolean {
  const plain = stripAliases(type);
  return (
    plain.kind === 'base' && plain.size === 1 && (plain.encoding === ENCODING.signed_char || plain.encoding === ENCODING.unsigned_char)
  );
}

function enumText(type: CType & { kind: 'enum' }, raw: bigint): string {
  const mask = (value: bigint): bigint => BigInt.asUintN(type.size * 8, value);
  const enumerators = type.enumerators();
  const exact = enumerators.find(({ value }) => mask(value) === raw);
  const number = type.signed ? BigInt.asIntN(type.size * 8, raw) : raw;
  if (exact) return `${exact.name} (${number})`;
  // Flags: every bit must have a name.
  let rest = raw;
  const names: string[] = [];
  for (const { name, value } of enumerators) {
    const bits = mask(value);
    if (bits !== 0n && (bits & (bits - 1n)) === 0n && (rest & bits) !== 0n) {
      names.push(name);
      rest &= ~bits;
    }
  }
  return names.length > 0 && rest === 0n ? `${names.join(' | ')} (${hex(raw)})` : String(number);
}

function baseText(type: CType & { kind: 'base' }, bytes: Uint8Array): string {
  const raw = unsignedOf(bytes);
  const width = type.size * 8;
  switch (type.encoding) {
    case ENCODING.float:
      return floatText(bytes);
    case ENCODING.boolean:
      return raw === 0n ? 'false' : raw === 1n ? 'true' : `${raw} (no valid bool)`;
    case ENCODING.signed:
      return String(BigInt.asIntN(width, raw));
    case ENCODING.signed_char:
    case ENCODING.unsigned_char:
    case ENCODING.UTF: {
      if (type.size > 1) return String(raw);
      const number = type.encoding === ENCODING.signed_char ? BigInt.asIntN(width, raw) : raw;
      return `${number} ${charText(Number(raw))}`;
    }
    case ENCODING.address:
      return hex(raw);
    default:
      return raw < 10n ? String(raw) : `${raw} (${hex(raw)})`;
  }
}

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
