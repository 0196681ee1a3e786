// The x86 filter of .xz files, backwards: targets of calls and jumps (e8, e9), which the compressor made absolute, become relative again.

/** Whether bytes before, where another e8 or e9 stood, leave this one to be converted; by the marks of the three bytes before. */
const ALLOWED = [true, true, true, false, true, false, false, false];
/** Which byte of the target such a mark concerns. */
const CONCERNED = [0, 1, 2, 2, 3, 3, 3, 3];

const isSignByte = (byte: number): boolean => byte === 0 || byte === 0xff;

/** Converts in place; `start`: the position that the filter counted from. */
export function unfilterX86(bytes: Uint8Array, start = 0): void {
  let marks = 0;
  let last = -6;
  for (let at = 0; at + 5 <= bytes.length; ) {
    if ((bytes[at]! & 0xfe) !== 0xe8) {
      at++;
      continue;
    }
    const apart = at - last;
    last = at;
    if (apart > 5) marks = 0;
    else for (let i = 0; i < apart; i++) marks = (marks & 0x77) << 1;
    const top = bytes[at + 4]!;
    if (!isSignByte(top) || !ALLOWED[(marks >> 1) & 7] || marks >> 1 >= 0x10) {
      marks |= isSignByte(top) ? 0x11 : 1;
      at++;
      continue;
    }
    let source = bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16) | (top << 24);
    let target = 0;
    for (;;) {
      target = (source - (start + at + 5)) | 0;
      if (marks === 0) break;
      const shift = CONCERNED[marks >> 1]! * 8;
      if (!isSignByte((target >>> (24 - shift)) & 255)) break;
      source = target ^ (shift === 0 ? -1 : (1 << (32 - shift)) - 1);
    }
    bytes[at + 1] = target;
    bytes[at + 2] = target >> 8;
    bytes[at + 3] = target >> 16;
    bytes[at + 4] = target & 0x1000000 ? 0xff : 0;
    at += 5;
    marks = 0;
  }
}
