// The x87 registers as mmx registers. The fxsave layout counts registers from the top of the x87 stack; an MMX instruction sets
// TOP to 0, so what lies elsewhere moves to its physical number. Source: AMD64 APM volume 1, chapter 5.

import type { Core } from '../core.ts';
import * as L from '../layout.ts';

/** Moves the register images from stack order to physical order and marks all registers valid. */
export function enterMmx(core: Core): number {
  setTop(core, 0);
  core.u8[L.FTW] = 0xff;
  return 0;
}

/** Changes TOP; every physical register keeps its value. */
export function setTop(core: Core, top: number): void {
  const { u8, view } = core;
  const status = view.getUint16(L.FSW, true);
  const turn = ((status >> 11) & 7) - top;
  if (turn !== 0) {
    const old = u8.slice(L.MMX, L.MMX + 128);
    for (let i = 0; i < 8; i++) u8.set(old.subarray(16 * i, 16 * i + 16), L.MMX + 16 * ((i + turn) & 7));
  }
  view.setUint16(L.FSW, (status & ~0x3800) | (top << 11), true);
}
