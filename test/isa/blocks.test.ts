// The store of decoded blocks against a plain list of them, over many additions and removals.

import { describe, expect, test } from 'vitest';
import { type Block, BlockStore } from '../../simulator/cpu/blocks.ts';
import type { Core } from '../../simulator/cpu/core.ts';
import type { DecodeMode } from '../../simulator/cpu/records.ts';

const FRAMES = 8;
const HEADERS = 4096;

function storeOf(): BlockStore {
  return new BlockStore({ i32: new Int32Array(HEADERS * 8), frames: FRAMES } as unknown as Core);
}

function blockAt(header: number, lo: number, frame: number, mode: DecodeMode, secondFrame: number): Block {
  const links = { id: 0, inBucket: 0, next: 0, previous: 0 };
  const place = { header, lo, hi: 0, frame, mode, secondFrame, secondBytes: 1, base: 0 };
  return { ...place, ...links, count: 1, start: lo & 4095, end: (lo & 4095) + 1, shorts: null, region: false, asked: false };
}

const inFrame = (store: BlockStore, frame: number): number[] => {
  const headers = new Set<number>();
  store.eachIn(frame, (block) => headers.add(block.header));
  return [...headers].sort((a, b) => a - b);
};

describe('the store of decoded blocks', () => {
  test('finds the blocks of an address, a header and a frame as a list would, whatever was removed', () => {
    const store = storeOf();
    let list: Block[] = [];
    let state = 7;
    const random = (limit: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    for (let i = 1; i < HEADERS; i++) {
      const lo = random(64) * 64;
      const frame = random(FRAMES);
      const mode = random(4) as DecodeMode;
      const known = list.find((b) => b.lo === lo && b.frame === frame && b.mode === mode);
      expect(store.at(lo, 0, frame, mode)).toBe(known);
      if (known) {
        store.remove(known);
        list = list.filter((b) => b !== known);
      } else {
        const block = blockAt(i * 32, lo, frame, mode, random(8) === 0 ? random(FRAMES) : -1);
        store.add(block);
        list.push(block);
        expect(store.ofHeader(block.header)).toBe(block);
      }
      const f = random(FRAMES);
      const expected = list.filter((b) => b.frame === f || b.secondFrame === f).map((b) => b.header);
      expect(inFrame(store, f)).toEqual(expected.sort((a, b) => a - b));
    }
    for (let frame = 0; frame < FRAMES; frame++) {
      store.eachIn(frame, (block) => store.remove(block));
      expect(inFrame(store, frame)).toEqual([]);
    }
  });

  test('blocks of two address spaces that end in the same second frame are both found there', () => {
    const store = storeOf();
    const [a, b] = [blockAt(32, 0xfff, 1, 0, 3), blockAt(64, 0xfff, 2, 0, 3)];
    store.add(a);
    store.add(b);
    expect(inFrame(store, 3)).toEqual([32, 64]);
    store.remove(b);
    expect(inFrame(store, 3)).toEqual([32]);
  });
});
