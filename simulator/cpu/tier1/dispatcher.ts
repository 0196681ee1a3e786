// The loop that calls regions: the only module that imports the table of their functions. It finds regions by address and frame,
// follows slots from region to region, and returns to the engine when there is none.

import { Emitter, I32, I64, type Node } from '../emit/expressions.ts';
import { assembleModule } from '../emit/module.ts';
import * as L from '../layout.ts';
import { Status } from './status.ts';

const PARAMETERS = [I32, I32] as const;
const TLB = 0;
const MODE = 1;
const RESULT = 2;
const TEMPS = 16;

class Dispatcher extends Emitter {
  constructor() {
    super();
    this.firstTemp32 = RESULT + 1;
    this.temps32 = TEMPS;
    this.firstTemp64 = RESULT + 1 + TEMPS;
    this.temps64 = TEMPS;
  }
  private result(): Node {
    return this.local(RESULT, I32);
  }
  /** Key of the page that RIP lies in; returns `lookup` when it is not in the instruction TLB. */
  private pageKey(rip: Node): Node {
    const index = this.and(this.wrap(this.shr(rip, this.k64(8))), this.k32((L.FETCH_ENTRIES - 1) << 4));
    const entry = this.let(this.add(this.loadAt(4, this.k32(0), L.FETCH_TLB), index));
    this.leaveIf(this.ne(this.loadAt(8, entry, 0), this.and(rip, this.k64(-4096))));
    return this.let(this.or(this.loadAt(4, entry, 8), this.local(MODE, I32)));
  }
  private leaveIf(condition: Node): void {
    this.emit(condition);
    this.open('if', 'leave');
    this.return(this.k32(Status.lookup));
    this.close();
  }
  write(): Uint8Array {
    this.open('loop', 'lookup');
    const rip = this.let(this.loadAt(8, this.k32(0), L.RIP));
    const key = this.pageKey(rip);
    const low = this.let(this.wrap(rip));
    const hash = this.and(this.xor(low, this.shr(low, this.k32(16))), this.k32(L.REGION_TABLE_ENTRIES - 1));
    const entry = this.let(this.shl(hash, this.k32(4)));
    this.leaveIf(this.ne(this.loadAt(8, entry, L.REGION_TABLE), rip));
    this.leaveIf(this.ne(this.loadAt(4, entry, L.REGION_TABLE + 8), key));
    this.setLocal(RESULT, this.loadAt(4, entry, L.REGION_TABLE + 12));
    this.open('loop', 'chain');
    this.emit(this.local(TLB, I32));
    this.emit(this.loadAt(1, this.result(), L.SLOT_ENTRIES));
    this.emit(this.result());
    this.byte(0x11); // call_indirect: type 0, table 0
    this.unsigned(0);
    this.unsigned(0);
    this.setLocalPopped(RESULT);
    this.emit(this.compare(0x4e, this.result(), this.k32(Status.firstSlot)));
    this.open('if', 'slot');
    this.emit(this.and(this.result(), this.k32(Status.otherPage)));
    this.open('if', 'other page');
    this.setLocal(RESULT, this.and(this.result(), this.k32(~Status.otherPage)));
    const target = this.let(this.loadAt(8, this.k32(0), L.RIP));
    const targetKey = this.pageKey(target);
    this.leaveIf(this.ne(this.loadAt(4, this.shl(this.result(), this.k32(2)), L.SLOT_KEYS), targetKey));
    this.close();
    this.br('chain');
    this.close();
    this.close();
    this.brIf(this.isZero(this.result()), 'lookup');
    this.return(this.result());
    this.close();
    this.byte(0);
    return this.bytes.slice(0, this.at);
  }
}

let dispatcherModule: WebAssembly.Module | null = null;
/** Exports `run(tlb, mode key) -> status` and `stub`, the function of slots without a region. */
export function compiledDispatcher(): WebAssembly.Module {
  if (!dispatcherModule) {
    const code = new Dispatcher().write();
    const locals = [
      [1 + TEMPS, I32],
      [TEMPS, I64],
    ] as const;
    const bytes = assembleModule(
      [],
      [
        { name: 'run', params: PARAMETERS, result: I32, locals, code },
        { name: 'stub', params: PARAMETERS, result: I32, locals: [], code: Uint8Array.from([0x41, Status.leave]) },
      ],
      { params: PARAMETERS, result: I32 },
    );
    dispatcherModule = new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
  }
  return dispatcherModule;
}
