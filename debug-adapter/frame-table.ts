// Stack frames that the client has seen, by their DAP frame ids. Valid until the machine goes on.

import { UserError } from '../host/errors.ts';
import type { GuestScope } from '../host/expression/guest-value.ts';
import type { MachineHost } from '../host/machine-host.ts';
import { callStack, type StackFrame } from '../host/symbols/stack.ts';

export interface FrameEntry {
  readonly vcpu: number;
  readonly frame: StackFrame;
}

/** Deepest stack shown: a damaged stack may look endless. */
const deepest = 200;

export class FrameTable {
  private readonly byId = new Map<number, FrameEntry>();
  private readonly stacks = new Map<number, readonly { readonly id: number; readonly frame: StackFrame }[]>();
  private nextId = 1;
  /** The vCPU whose stack was asked for last. */
  private viewed: number | null = null;

  clear(): void {
    this.byId.clear();
    this.stacks.clear();
    this.viewed = null;
  }

  /** Registers or memory were edited: stacks are unwound again, ids that the client has stay good. */
  unwindAgain(): void {
    this.stacks.clear();
  }

  /** The whole stack of a vCPU, unwound once for each stop. */
  stackOf(host: MachineHost, vcpu: number): readonly { readonly id: number; readonly frame: StackFrame }[] {
    let stack = this.stacks.get(vcpu);
    if (!stack) {
      stack = callStack(host.machine, host.guests.ofVcpu(vcpu), vcpu, deepest).map((frame) => {
        const id = this.nextId++;
        this.byId.set(id, { vcpu, frame });
        return { id, frame };
      });
      this.stacks.set(vcpu, stack);
    }
    return stack;
  }

  /** A person looks at the stack of this vCPU: requests that name none mean its domain. */
  view(vcpu: number): void {
    this.viewed = vcpu;
  }

  /** The vCPU of a request that names none: in a machine of several domains that whose stack was asked for last, else the one that ran last. */
  vcpuInView(host: MachineHost): number {
    return (host.guests.several ? this.viewed : null) ?? host.machine.currentVcpu();
  }

  /** Throws UserError for an id of an earlier stop. */
  get(id: number): FrameEntry {
    const entry = this.byId.get(id);
    if (!entry) throw new UserError('The machine has gone on since this stack frame was shown.');
    return entry;
  }

  /** Where expressions are evaluated: in the frame, or without one in the innermost of the vCPU that ran last. */
  scopeOf(host: MachineHost, frameId: number | undefined): GuestScope {
    const { machine } = host;
    const vcpu = this.vcpuInView(host);
    const entry = frameId === undefined ? { vcpu, frame: this.stackOf(host, vcpu)[0]?.frame } : this.get(frameId);
    const symbols = host.guests.ofVcpu(entry.vcpu);
    return { machine, symbols, vcpu: entry.vcpu, frame: entry.frame?.physical ?? null, inlineLevel: entry.frame?.inlineLevel ?? 0 };
  }
}
