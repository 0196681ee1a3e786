// Numbers of the floating-point operations that are carried out in TypeScript, as generated code passes them.

const FOUR = ['ps', 'pd', 'ss', 'sd'] as const;
const of = (stems: readonly string[], kinds: readonly string[]): string[] => stems.flatMap((stem) => kinds.map((kind) => stem + kind));

export const FLOAT_OPERATIONS: readonly string[] = [
  ...of(['add', 'sub', 'mul', 'div', 'min', 'max', 'sqrt', 'cmp'], FOUR),
  ...of(['hadd', 'hsub', 'addsub'], ['ps', 'pd']),
  ...of(['rcp', 'rsqrt'], ['ps', 'ss']),
  ...of(['comi', 'ucomi'], ['ss', 'sd']),
  ...of(['cvtdq2', 'cvtpi2'], ['ps', 'pd']),
  ...['cvtps2pd', 'cvtpd2ps', 'cvtss2sd', 'cvtsd2ss'],
  ...of(['cvt', 'cvtt'], ['ps2dq', 'pd2dq', 'ps2pi', 'pd2pi']),
  // Integers of 4 and 8 bytes.
  ...of(['cvtsi2ss', 'cvtsi2sd', 'cvtss2si', 'cvtsd2si', 'cvttss2si', 'cvttsd2si'], ['4', '8']),
];

export function floatOperationNumber(name: string): number {
  const n = FLOAT_OPERATIONS.indexOf(name);
  if (n < 0) throw new Error(`no floating-point operation ${name}`);
  return n;
}
