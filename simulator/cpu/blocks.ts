// The blocks of decoded code by what they are asked for: their address, their header, the frame that their bytes lie in. Chains
// of numbers in typed arrays: code that runs once makes one object a block and nothing else to collect.

import type { Core } from './core.ts';
import * as L from './layout.ts';
import type { DecodeMode } from './records.ts';

const BUCKETS = 65536;

export interface Block {
  readonly header: number;
  readonly count: number;
  readonly mode: DecodeMode;
  readonly frame: number;
  /** Bytes within the frame. */
  readonly start: number;
  readonly end: number;
  /** Frame of the second page when its only instruction crosses a border, -1 else; and how many bytes lie there. */
  readonly secondFrame: number;
  readonly secondBytes: number;
  readonly lo: number;
  readonly hi: number;
  /** Base of the code segment: linear address - address. 0 but in decoding mode 3. */
  readonly base: number;
  /** Copies of the first n instructions only, by n. */
  shorts: Map<number, number> | null;
  /** Tier 1: a region begins here, so that the interpreter may not run into it; it was asked for one. */
  region: boolean;
  asked: boolean;
  /** Numbers of blocks, 0 for none: this one, the next of its bucket, its neighbours in its frame. BlockStore sets them. */
  id: number;
  inBucket: number;
  next: number;
  previous: number;
}

export class BlockStore {
  private readonly i32: Int32Array;
  /** By number; the headers in memory hold it. */
  private blocks: (Block | null)[] = [null];
  /** First block of every bucket of addresses, and of every frame. */
  private readonly buckets = new Int32Array(BUCKETS);
  private readonly frames: Int32Array;
  /** Blocks whose instruction ends in a second frame, by that frame. */
  private readonly crossing = new Map<number, Set<Block>>();

  constructor(core: Core) {
    this.i32 = core.i32;
    this.frames = new Int32Array(core.frames);
  }

  private static bucket(lo: number, frame: number, mode: number): number {
    return (Math.imul(lo ^ Math.imul(frame, 0x85ebca6b), 0x9e3779b1) >>> 16) ^ mode;
  }

  /** The block of a header that the block table holds. */
  ofHeader(header: number): Block {
    return this.blocks[this.i32[(header + L.RECORD.immediate + 4) >> 2]!]!;
  }
  at(lo: number, hi: number, frame: number, mode: number): Block | undefined {
    for (let id = this.buckets[BlockStore.bucket(lo, frame, mode)]!; id !== 0; ) {
      const block = this.blocks[id]!;
      if (block.lo === lo && block.hi === hi && block.frame === frame && block.mode === mode) return block;
      id = block.inBucket;
    }
    return undefined;
  }
  /** Every block with bytes in a frame; `visit` may remove the block it is given. */
  eachIn(frame: number, visit: (block: Block) => void): void {
    for (let id = this.frames[frame]!; id !== 0; ) {
      const block = this.blocks[id]!;
      id = block.next;
      visit(block);
    }
    const crossing = this.crossing.get(frame);
    if (crossing) for (const block of [...crossing]) visit(block);
  }
  each(visit: (block: Block) => void): void {
    for (const block of this.blocks) if (block !== null) visit(block);
  }

  add(block: Block): void {
    const { blocks, frames, buckets } = this;
    const id = blocks.length;
    blocks.push(block);
    block.id = id;
    this.i32[(block.header + L.RECORD.immediate + 4) >> 2] = id;
    const bucket = BlockStore.bucket(block.lo, block.frame, block.mode);
    block.inBucket = buckets[bucket]!;
    buckets[bucket] = id;
    const next = frames[block.frame]!;
    block.next = next;
    if (next !== 0) blocks[next]!.previous = id;
    frames[block.frame] = id;
    if (block.secondFrame < 0) return;
    const crossing = this.crossing.get(block.secondFrame);
    if (crossing) crossing.add(block);
    else this.crossing.set(block.secondFrame, new Set([block]));
  }
  /** Its number is not given again before clear(). */
  remove(block: Block): void {
    const { blocks, frames, buckets } = this;
    // It may have been removed already.
    if (blocks[block.id] !== block) return;
    const bucket = BlockStore.bucket(block.lo, block.frame, block.mode);
    if (buckets[bucket] === block.id) buckets[bucket] = block.inBucket;
    else {
      let before = blocks[buckets[bucket]!]!;
      while (before.inBucket !== block.id) before = blocks[before.inBucket]!;
      before.inBucket = block.inBucket;
    }
    if (block.previous === 0) frames[block.frame] = block.next;
    else blocks[block.previous]!.next = block.next;
    if (block.next !== 0) blocks[block.next]!.previous = block.previous;
    blocks[block.id] = null;
    const crossing = this.crossing.get(block.secondFrame);
    if (crossing?.delete(block) && crossing.size === 0) this.crossing.delete(block.secondFrame);
  }
  clear(): void {
    this.blocks = [null];
    this.buckets.fill(0);
    this.frames.fill(0);
    this.crossing.clear();
  }
}
