// The argument registers of a 32-bit guest's hypercalls (ebx, ecx, edx, esi, edi) in the shape of the 64-bit calls, so that handlers
// see one form: 64-bit values that come in two registers are one here.
// Source: public/arch-x86/xen-x86_32.h, public/xen.h (the arguments of each call).

const join = (low: bigint, high: bigint): bigint => (high << 32n) | low;

type Adapter = (raw: readonly bigint[]) => bigint[];

const [UPDATE_DESCRIPTOR, UPDATE_VA_MAPPING, SET_TIMER_OP, UPDATE_VA_MAPPING_OTHERDOMAIN] = [10, 14, 15, 22];

const adapters: Readonly<Record<number, Adapter>> = {
  [UPDATE_DESCRIPTOR]: ([ma, maHigh, low, high]) => [join(ma!, maHigh!), join(low!, high!)],
  [UPDATE_VA_MAPPING]: ([va, low, high, flags]) => [va!, join(low!, high!), flags!],
  [SET_TIMER_OP]: ([low, high]) => [join(low!, high!)],
  [UPDATE_VA_MAPPING_OTHERDOMAIN]: ([va, low, high, flags, domid]) => [va!, join(low!, high!), flags!, domid!],
};

/** `raw`: five 32-bit register values. The result has six values, as the 64-bit calls have. */
export function wideArguments(nr: number, raw: readonly bigint[]): bigint[] {
  const args = adapters[nr]?.(raw) ?? [...raw];
  while (args.length < 6) args.push(0n);
  return args;
}
