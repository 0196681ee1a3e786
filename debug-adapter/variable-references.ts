// DAP's variablesReference numbers: each stands for something with children, valid until the machine goes on.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../host/errors.ts';
import type { Value } from '../image/value.ts';

export interface Container {
  children(start?: number, count?: number): DebugProtocol.Variable[];
  /** The object in the guest that a child shows. Absent: its children are none. */
  find?(name: string): Value | undefined;
  /** Sets a child; returns its new value. Absent: nothing in it can be set. */
  set?(name: string, value: string): string;
}

export class VariableReferences {
  private readonly containers = new Map<number, Container>();
  private next = 1;

  clear(): void {
    this.containers.clear();
  }

  add(container: Container): number {
    this.containers.set(this.next, container);
    return this.next++;
  }

  /** Throws UserError for a number of an earlier stop. */
  get(reference: number): Container {
    const container = this.containers.get(reference);
    if (!container) throw new UserError('The machine has gone on since these variables were shown.');
    return container;
  }
}
