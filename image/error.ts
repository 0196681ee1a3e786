// What a reader of images answers when the bytes cannot be used: one typed error whose message says what is wrong and what to do.

export type ImageErrorKind =
  | 'empty'
  | 'not-elf'
  | 'big-endian'
  | 'wrong-machine'
  | 'wrong-type'
  | 'truncated'
  | 'malformed'
  | 'no-xen-notes'
  | 'compression'
  | 'too-large';

/** The user's image is at fault, not this program: `message` is in full sentences and is shown without a stack. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly kind: ImageErrorKind;

  constructor(kind: ImageErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** `0x…`, lower case, the form that addresses take everywhere in Hyperport. */
export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
