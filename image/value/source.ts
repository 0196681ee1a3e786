// Where the bytes of a variable come from: guest memory, registers, pieces of both, or the debug information itself.

import { type Location, type MemoryReader, type Piece, Unavailable } from '../dwarf/expression.ts';
import { hex } from '../error.ts';

export interface ValueReader {
  readonly memory: MemoryReader;
  /** Value of a DWARF register in the variable's frame. */
  readonly register: (number: number) => bigint | undefined;
  readonly addressSize: 4 | 8;
  /** Name for an address in a pointer: '<boot_p2m+16>'. */
  readonly symbolise?: (address: bigint) => string | undefined;
}

/** Where the bytes of an object come from: memory, registers, or a mixture. Offsets are in bytes. */
export interface Source {
  readonly address: bigint | undefined;
  /** @throws Unavailable */
  bytes(offset: number, length: number): Uint8Array;
}

/** A number as little-endian bytes. */
export const bigintBytes = (value: bigint, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));

export function memorySource(address: bigint, reader: ValueReader): Source {
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

/** @throws Unavailable when the location has no bytes at all. */
export function sourceOf(location: Location, reader: ValueReader): Source {
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
