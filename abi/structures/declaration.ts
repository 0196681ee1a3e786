// The notation of the structure tables and its parser. One string declares a structure for both bitnesses:
//
//   u32=mmuext cmd; union { frame mfn; xlong linear_addr } arg1; 64: ulong pad; 32: ulong pad[5]
//
//   u8 u16 u32 u64 s8 … s64 ulong long   numbers; ulong and long have the guest's word size
//   x8 x16 x32 x64 xlong                 the same, shown in hexadecimal: addresses, masks, flags, register values
//   u64a x64a                            64 bits aligned to 8 also where the guest's ABI aligns them to 4
//   char                                 text when it is an array
//   frame domid port ref handle          a frame number (word size), a domain id, an event port, a grant reference, a grant handle
//   T=name                               the value has names: enumerations.ts
//   @T p     @T p[n]    @64:T p          a guest pointer (handle); to an array whose length is in field n; 8 bytes in both bitnesses
//   64: / 32:                            the field exists in this bitness only
//   >T f                                 Xen writes the field and does not read it
//   union { … } as the whole declaration: a union

export type Bits = 64 | 32;

export type TypeExpression =
  | { readonly kind: 'scalar'; readonly name: string; readonly enumeration: string | null }
  | { readonly kind: 'pointer'; readonly to: string; readonly wide: boolean; readonly count: string | null }
  | { readonly kind: 'group'; readonly union: boolean; readonly members: readonly Member[] }
  | { readonly kind: 'named'; readonly name: string };

export interface Member {
  readonly name: string;
  readonly type: TypeExpression;
  /** Lengths of array dimensions; empty for a plain member. 0: a flexible array. */
  readonly lengths: readonly number[];
  readonly only: Bits | null;
  /** Written by Xen, not read: its value before the call means nothing. */
  readonly out: boolean;
}

export const scalarNames = new Set(
  'u8 u16 u32 u64 s8 s16 s32 s64 x8 x16 x32 x64 u64a x64a ulong long xlong char frame domid port ref handle void'.split(' '),
);

/** Parses a declaration of a table. Throws on a mistake in the table. */
export function parseDeclaration(text: string): { readonly union: boolean; readonly members: readonly Member[] } {
  const tokens = text.match(/64:(?=[\s])|32:(?=[\s])|@(?:64:)?\w+|\w+(?:=\w+)?|[{};[\]>]/g) ?? [];
  let at = 0;
  const fail = (): never => {
    throw new Error(`structure table: cannot read '${tokens.slice(at, at + 4).join(' ')}' in '${text.trim()}'`);
  };
  const expect = (token: string): void => {
    if (tokens[at++] !== token) {
      at--;
      fail();
    }
  };
  const typeOf = (token: string): TypeExpression => {
    const pointer = /^@(64:)?(\w+)$/.exec(token);
    if (pointer) return { kind: 'pointer', to: pointer[2]!, wide: pointer[1] !== undefined, count: null };
    const [name, enumeration] = token.split('=');
    if (scalarNames.has(name!)) return { kind: 'scalar', name: name!, enumeration: enumeration ?? null };
    if (enumeration !== undefined) fail();
    return { kind: 'named', name: token };
  };
  const group = (): readonly Member[] => {
    const members: Member[] = [];
    while (at < tokens.length && tokens[at] !== '}') {
      let only: Bits | null = null;
      if (tokens[at] === '64:' || tokens[at] === '32:') only = tokens[at++] === '64:' ? 64 : 32;
      const out = tokens[at] === '>';
      if (out) at++;
      const first = tokens[at++] ?? fail();
      let type: TypeExpression;
      if (tokens[at] === '{') {
        at++;
        if (first !== 'union' && first !== 'struct') fail();
        type = { kind: 'group', union: first === 'union', members: group() };
        expect('}');
      } else type = typeOf(first);
      const name = tokens[at] !== undefined && /^\w+$/.test(tokens[at]!) ? tokens[at++]! : '';
      const lengths: number[] = [];
      while (tokens[at] === '[') {
        const length = tokens[at + 1] ?? fail();
        at += 2;
        expect(']');
        if (/^\d+$/.test(length)) lengths.push(Number(length));
        else if (type.kind === 'pointer') type = { ...type, count: length };
        else fail();
      }
      members.push({ name, type, lengths, only, out });
      if (tokens[at] === ';') at++;
      else if (at < tokens.length && tokens[at] !== '}') fail();
    }
    return members;
  };
  const members = group();
  if (at !== tokens.length) fail();
  const [only] = members;
  if (members.length === 1 && only!.name === '' && only!.type.kind === 'group')
    return { union: only!.type.union, members: only!.type.members };
  if (members.some((member) => member.name === '')) fail();
  return { union: false, members };
}
