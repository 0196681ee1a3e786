// The legacy frame of lz4, which Linux kernels are packed with: blocks of at most 8 MiB, each with its packed size before it.

import { DamagedStream } from './lzma2.ts';

const BLOCK = 8 << 20;

/** One block: runs of literals and matches within what came before. Answers the new end of `out`. */
function block(input: Uint8Array, from: number, to: number, out: Uint8Array, start: number): number {
  let at = from;
  let written = start;
  const length = (nibble: number): number => {
    let value = nibble;
    if (nibble === 15)
      for (let more = 255; more === 255; value += more) {
        if (at >= to) throw new DamagedStream('it ends too early');
        more = input[at++]!;
      }
    return value;
  };
  while (at < to) {
    const token = input[at++]!;
    const literals = length(token >> 4);
    if (at + literals > to || written + literals > out.length) throw new DamagedStream('more literals than there are bytes');
    out.set(input.subarray(at, at + literals), written);
    at += literals;
    written += literals;
    if (at >= to) break;
    const distance = input[at]! | (input[at + 1]! << 8);
    at += 2;
    const match = length(token & 15) + 4;
    if (distance === 0 || distance > written - start || written + match > out.length)
      throw new DamagedStream('a match outside of what came before');
    for (let i = 0; i < match; i++) out[written + i] = out[written + i - distance]!;
    written += match;
  }
  return written;
}

/** @throws DamagedStream */
export function unlz4(input: Uint8Array, limit: number): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const blocks: Uint8Array[] = [];
  let total = 0;
  for (let at = 4; at + 4 <= input.length; ) {
    const size = view.getUint32(at, true);
    at += 4;
    if (at + size > input.length) throw new DamagedStream('it ends too early');
    const out = new Uint8Array(BLOCK);
    const length = block(input, at, at + size, out, 0);
    at += size;
    total += length;
    if (total > limit) throw new DamagedStream(`more than ${limit} bytes come out`);
    blocks.push(out.subarray(0, length));
  }
  const all = new Uint8Array(total);
  let done = 0;
  for (const piece of blocks) {
    all.set(piece, done);
    done += piece.length;
  }
  return all;
}
