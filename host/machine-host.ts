// One machine and everything that acts on it: run control, breakpoints, symbols, trace. Clients (debug session, protocol
// server, CLI) hold this object; what happens comes to them as calls of their observer.

import { asVirtual, type VirtualAddress } from '../abi/address.ts';
import type { Machine, RegisterName } from '../simulator/machine-types.ts';
import { BreakpointTable, type GuestEvaluator } from './breakpoints/table.ts';
import { callSite } from './call-site.ts';
import { type HostClock, hostClock } from './clock.ts';
import { describeDomainEnding, describeEnding, type FinalEnding } from './endings.ts';
import { UserError } from './errors.ts';
import { guestEvaluator } from './expression/guest-evaluator.ts';
import { Guests } from './guests.ts';
import type { EndingInfo, LaunchParameters, TracedRecord, TraceRecord } from './protocol.ts';
import { idleReport, logLine } from './report-words.ts';
import { RunControl, type Stop } from './run-control.ts';
import { RunTo, type StepLine, type Target } from './stepping/drives.ts';
import { InstructionStep } from './stepping/instruction-step.ts';
import { LineStep } from './stepping/line-step.ts';
import type { GuestSymbols } from './symbols/guest-symbols.ts';
import { callStack, isWrapper, type StackFrame } from './symbols/stack.ts';
import { explainCrash, explainWaits } from './words.ts';

export type { RegisterName, Registers } from '../simulator/machine-types.ts';

export interface HostObserver {
  continued?(): void;
  stopped?(stop: Stop): void;
  ended?(ending: EndingInfo): void;
  console?(domain: number, bytes: Uint8Array): void;
  /** For a person: deadlock, conditions that cannot be evaluated; 'log' for log points. */
  message?(category: 'important' | 'info' | 'log', text: string): void;
}

export class MachineHost {
  readonly launch: LaunchParameters;
  readonly machine: Machine;
  /** The kernels' symbols, by domain. */
  readonly guests: Guests;
  readonly table: BreakpointTable;
  readonly run: RunControl;
  readonly evaluator: GuestEvaluator;
  readonly clock: HostClock;
  private readonly observers = new Set<HostObserver>();
  private nextId = 1;
  /** How it ended, once it did. */
  ending: EndingInfo | null = null;
  lastStop: Stop | null = null;

  constructor(launch: LaunchParameters, machine: Machine, symbols: readonly GuestSymbols[], clock: HostClock = hostClock) {
    this.launch = launch;
    this.machine = machine;
    this.guests = new Guests(machine, symbols);
    this.clock = clock;
    this.evaluator = guestEvaluator(machine, this.guests);
    const reporter = {
      problem: (text: string) => this.tell('important', text),
      log: (text: string) => this.tell('log', text),
    };
    this.table = new BreakpointTable(this.evaluator, reporter, () => this.run.install());
    this.run = new RunControl(
      machine,
      this.table,
      {
        continued: () => this.each((o) => o.continued?.()),
        stopped: (stop) => {
          this.lastStop = stop;
          this.each((o) => o.stopped?.(stop));
        },
        domainEnded: (domain, ending) => this.tell('info', describeDomainEnding(machine, domain, ending)),
        idle: (waits) => this.tell('info', [explainWaits(waits), ...idleReport(machine, waits)].join('\n')),
        ended: (ending) => this.ends(ending),
      },
      clock,
      launch.pace,
    );
    machine.subscribe(['log'], (record) => {
      if (record.kind === 'log')
        this.tell('info', record.by === 'xen' ? `(XEN) ${record.text}` : logLine(record, this.guests.of(record.domain)));
    });
    machine.onConsole((domain, bytes) => this.each((o) => o.console?.(domain, bytes)));
  }

  /** Returns a function that ends the observation. */
  observe(observer: HostObserver): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** A number for a new breakpoint, unique in this machine. */
  newId(): number {
    return this.nextId++;
  }

  continue(): void {
    this.mustBeStopped();
    this.run.resume();
  }

  /** Throws UserError when the machine runs, or when the caller of the innermost frame is unknown (`out`). */
  step(vcpu: number, kind: 'in' | 'over' | 'out', granularity: 'line' | 'instruction'): void {
    this.mustBeStopped();
    if (kind === 'out') this.run.resume(this.stepOut(vcpu));
    else if (granularity === 'instruction') this.run.resume(new InstructionStep(this.machine, vcpu, kind === 'over'));
    else this.run.resume(new LineStep(this.machine, vcpu, kind === 'over', this.guests.ofVcpu(vcpu), this.behindStub(vcpu)));
  }

  /** In a stub of the hypercall page a person sees the line that made the call, so that is what is stepped. */
  private behindStub(vcpu: number): { line: StepLine; back: Target } | null {
    const frames = this.stack(vcpu, 2);
    const symbols = this.guests.ofVcpu(vcpu);
    if (!frames[0] || !symbols.isStub(frames[0].pc) || frames[0].interrupts) return null;
    const depth = frames.slice(1).filter((f) => f.inlined).length;
    const index = frames.findIndex((f, i) => i > 0 && !isWrapper(f));
    const frame = frames[index];
    if (!frame?.file) return null;
    const line = symbols.lineOfFrame(frame.physical.lookup, frame.inlineLevel);
    if (!line) return null;
    return {
      line: { ...line, inlineDepth: depth - (index - 1) },
      back: { addresses: [asVirtual(frame.pc)], low: frame.sp, high: frame.sp },
    };
  }

  /** Throws UserError when the machine runs. */
  mustBeStopped(): void {
    if (this.run.state === 'running') throw new UserError('The machine is running; pause it first.');
    if (this.run.state === 'ended') throw new UserError(`The machine has ended: ${this.ending?.text ?? ''}`);
  }

  input(bytes: Uint8Array, domain = this.machine.domain): void {
    if (this.run.state === 'ended') return;
    this.machine.inject({ kind: 'console', domain, bytes });
    this.run.wake();
  }

  /** Throws UserError for a vCPU that the machine does not have. */
  checkVcpu(vcpu: number): number {
    const vcpus = this.machine.vcpus();
    const count = vcpus.length;
    if (vcpus.some(({ id }) => id === vcpu)) return vcpu;
    throw new UserError(`There is no vCPU ${vcpu}; the machine has ${count}, numbered from 0.`);
  }

  /** Throws UserError when the machine runs or refuses the value (reserved bits, a selector that does not exist). */
  setRegister(vcpu: number, name: RegisterName, value: bigint): void {
    this.mustBeStopped();
    try {
      this.machine.setRegister(vcpu, name, value);
    } catch (error) {
      if (error instanceof RangeError) throw new UserError(error.message);
      throw error;
    }
  }

  /** The record with the source line of the guest that made it. */
  traced(record: TraceRecord): TracedRecord {
    const source = callSite(this.machine, this.guests, record);
    return source ? { ...record, source } : record;
  }

  read(vcpu: number, address: bigint, length: number): Uint8Array {
    return this.machine.readMemory(vcpu, asVirtual(address), length);
  }

  /** At most `limit` physical frames, innermost first. */
  stack(vcpu: number, limit?: number): readonly StackFrame[] {
    return callStack(this.machine, this.guests.ofVcpu(vcpu), vcpu, limit);
  }

  tell(category: 'important' | 'info' | 'log', text: string): void {
    this.each((o) => o.message?.(category, text));
  }

  private stepOut(vcpu: number): RunTo {
    const [frame, caller] = this.stack(vcpu, 2).filter((f) => !f.inlined);
    if (!frame || !caller) throw new UserError('The caller of this frame is unknown, so there is nowhere to step out to.');
    const addresses: VirtualAddress[] = [asVirtual(caller.pc)];
    const exact = frame.interrupts;
    return new RunTo(this.machine, vcpu, { addresses, low: caller.sp, high: exact ? caller.sp : caller.sp + 256n });
  }

  private ends(ending: FinalEnding): void {
    this.ending = describeEnding(ending, (crash) => explainCrash(crash));
    const told = this.ending;
    this.each((o) => o.ended?.(told));
  }

  private each(call: (observer: HostObserver) => void): void {
    for (const observer of [...this.observers]) call(observer);
  }
}
