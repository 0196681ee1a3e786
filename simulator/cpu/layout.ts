// Where everything lies in the engine's one WebAssembly memory. The vCPU that runs has its state at constant addresses
// (switching copies one block); TLBs, decoded records and RAM follow.

/** Scratch of a run, not machine state. */
export const COUNT = 0x200; // i32: budget left when the interpreter returned
export const FAULT_RECORD = 0x204; // i32: record that stopped
export const RAISED = 0x208; // i32: vector raised by a body
export const FETCH_TLB = 0x20c; // i32: base of the instruction TLB in use
export const RAISED_CODE = 0x210; // i32: error code of that vector, -1 none
/** A crossing read is gathered here, a crossing write is left here until the instruction has ended. */
export const SCRATCH_READ = 0x280;
export const SCRATCH_WRITE = 0x2a0;
/** 48 bytes for vector instructions that shift through memory. */
export const VECTOR_SCRATCH = 0x300;

/** State of the vCPU that runs. */
export const STATE = 0x400;
export const STATE_SIZE = 0x400;
export const REG = STATE; // 16 general registers
export const ZERO_REG = 16; // always zero: records without base or index name it
export const EA_REG = 17; // address computed by an address record before the instruction's own
export const RIP = STATE + 0x90;
export const FLAG_OP = STATE + 0x98; // i32: kind * 4 + log2 width
export const SYSTEM_FLAGS = STATE + 0x9c; // i32: rflags without oszapc
export const FLAG_1 = STATE + 0xa0;
export const FLAG_2 = STATE + 0xa8;
export const SEGMENT_BASE = STATE + 0xb0; // 6 x i64, then one that is always zero
export const NO_SEGMENT = 6;
export const SEGMENT_LIMIT = STATE + 0xe8; // 6 x i32
export const SEGMENT_ATTRIBUTES = STATE + 0x100; // 6 x i32
/** Attributes of a data segment without limits of its own: present, writable, expand-up, not code. */
export const PLAIN_MASK = 0x8e;
export const PLAIN_DATA = 0x82;
export const SELECTOR = STATE + 0x118; // 6 x i32
export const CR2 = STATE + 0x130;
export const MODE_BITS = STATE + 0x138;
export const MODE_CPL = STATE + 0x13c;
export const MODE_BANK = STATE + 0x140;
export const TRAP_TSC = STATE + 0x144;
export const FPU_DISABLED = STATE + 0x14c;
/** u16 each: selectors of the last x87 instruction and of its operand, for which fxsave64 has no place. */
export const FCS = STATE + 0x150;
export const FDS = STATE + 0x152;
/** Debug registers 0 to 7, 8 bytes each; 4 to 6 are not used here. */
export const DEBUG = STATE + 0x158;
/** i32: the instruction before loaded ss by mov or pop: no debug trap and no breakpoint before the next one has run. */
export const SHADOW = STATE + 0x198;
/** i32: bits of DR6 for a debug trap that is due before the next instruction. */
export const PENDING_DEBUG = STATE + 0x19c;
/** i32: CR0.AM. */
export const ALIGNMENT_MASK = STATE + 0x1a0;

/** x87 and SSE state in the layout of fxsave. */
export const FXSAVE = STATE + 0x200;
export const FCW = FXSAVE;
export const FSW = FXSAVE + 2;
/** Abridged tags: one bit for each physical register that is not empty. */
export const FTW = FXSAVE + 4;
export const MXCSR = FXSAVE + 24;
/** st(0) to st(7); with TOP 0, as after every MMX instruction, mm0 to mm7. 16 bytes each. */
export const MMX = FXSAVE + 32;
export const XMM = FXSAVE + 160;

/** Saved state of the vCPUs that do not run. */
export const SAVED = 0x1000;

/** Block table: by address, one per decoding mode; 16 bytes: rip i64, frame i32, block i32. */
export const BLOCK_TABLE = 0x100000;
export const BLOCK_TABLE_ENTRIES = 65536;
export const BLOCK_TABLE_SIZE = BLOCK_TABLE_ENTRIES * 16;
export const DECODE_MODES = 4; // 64-bit, 32-bit flat, 32-bit with segments, 32-bit with a code segment that is not flat

export const MAX_VCPUS = 32;
/** Tag bit 0: entry invalid; bit 1 (write tags): the frame holds decoded code, take the slow path; bit 2: the page holds watched
 * bytes, likewise. */
export const TAG_INVALID = 1;
export const TAG_CODE = 2;
export const TAG_WATCH = 4;
/** Instruction TLB: 256 entries of 16 bytes: tag i64, frame i32. */
export const FETCH_ENTRIES = 256;
export const FETCH_BANK_SIZE = FETCH_ENTRIES * 16;
export const FETCH_TLBS = SAVED + MAX_VCPUS * STATE_SIZE;
/** Regions of tier 1 by the address of their entry: 16 bytes: rip i64, key i32, slot i32. */
export const REGION_TABLE = BLOCK_TABLE + DECODE_MODES * BLOCK_TABLE_SIZE;
export const REGION_TABLE_ENTRIES = 65536;
/** The key of an address: frame of its page and, from this bit on, the decoding mode. */
export const REGION_KEY_MODE = 24;
/** For every slot of tier 1's function table the key of the page that its regions begin in. */
export const SLOT_KEYS = REGION_TABLE + REGION_TABLE_ENTRIES * 16;
export const SLOT_LIMIT = 1 << 17;
/** For every slot, u8: which of its function's regions is meant. */
export const SLOT_ENTRIES = SLOT_KEYS + SLOT_LIMIT * 4;
/** Data TLB: 16384 entries in a bank, two banks for each vCPU. Tags for reads (i64), tags for writes (i64) and addends (i32: host
 * address less the lower half of the guest's) are arrays of their own: what an access looks at stays in the host's first cache. An
 * entry is named by the address of its read tag. Low tag bits: marks. */
export const TLB_ENTRIES = 16384;
export const TLB_BANK_SIZE = TLB_ENTRIES * 8;
const TLB_BANKS = 2 * MAX_VCPUS + 1;
export const TLBS = SLOT_ENTRIES + SLOT_LIMIT;
/** From the read tag to the write tag. */
export const TLB_WRITE = TLB_BANKS * TLB_BANK_SIZE;
/** Added to half the address of the entry: its addend. */
export const TLB_ADDEND = TLBS + 2 * TLB_WRITE - TLBS / 2;
/** A bank without any entry: with this base every access takes the slow path, which uses the vCPU's own bank. */
export const NO_TLB = TLBS + 2 * MAX_VCPUS * TLB_BANK_SIZE;
/** Where decoded records begin. */
export const RECORDS = TLBS + 2 * TLB_WRITE + TLB_WRITE / 2;

/** Decoded records, 32 bytes each. */
export const RECORD_BYTES = 24 << 20;
export const RECORD = {
  size: 32,
  handler: 0, // u16
  first: 2, // u8: offset of the first register operand from REG
  second: 3, // u8
  base: 4, // u8: offset of the base register
  index: 5, // u8
  scale: 6, // u8: shift count
  info: 7, // u8: length in bits 0-3, bit 4: addresses the stack segment, bit 5: not an instruction of its own
  immediate: 8, // i64; header: number of instructions i32, which bars a block that must not be entered; number of the block i32
  displacement: 16, // i32; branches: link of the fall-through
  link: 20, // i32: block of the taken branch; other records: offset of a third register operand; header: heat
  next: 24, // i64: address of the next instruction; header: address of the block
} as const;
export const INFO_STACK = 16;
export const INFO_PREFIX = 32;

export interface Layout {
  readonly records: number;
  readonly recordsEnd: number;
  readonly ram: number;
  readonly pages: number;
}

export function layoutFor(ramBytes: number): Layout {
  const records = RECORDS;
  const recordsEnd = records + RECORD_BYTES;
  const ram = Math.ceil(recordsEnd / 65536) * 65536;
  const pages = Math.ceil((ram + ramBytes) / 65536);
  if (pages > 65536) throw new RangeError(`machine RAM of ${ramBytes} bytes does not fit in the engine's 4 GiB memory`);
  return { records, recordsEnd, ram, pages };
}

export const tlbBase = (vcpu: number, bank: number): number => TLBS + (2 * vcpu + bank) * TLB_BANK_SIZE;
export const fetchTlbBase = (vcpu: number, bank: number): number => FETCH_TLBS + (2 * vcpu + bank) * FETCH_BANK_SIZE;
