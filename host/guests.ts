// The kernels of a machine: the symbols of each domain, found by its id or by one of its vCPUs.

import type { Machine } from '../simulator/machine-types.ts';
import type { GuestSymbols } from './symbols/guest-symbols.ts';

export interface Guest {
  readonly domain: number;
  readonly symbols: GuestSymbols;
}

export class Guests {
  private readonly machine: Machine;
  private readonly all: readonly GuestSymbols[];

  /** `symbols`: of the domains in the order of the configuration, the first one first. */
  constructor(machine: Machine, symbols: readonly GuestSymbols[]) {
    this.machine = machine;
    this.all = symbols;
  }

  /** Those that there are now. */
  list(): readonly Guest[] {
    if (this.all.length === 1) return [{ domain: this.machine.domain, symbols: this.all[0]! }];
    return this.machine.domains().flatMap(({ id, configured }) => {
      const symbols = configured === null ? undefined : this.all[configured];
      return symbols ? [{ domain: id, symbols }] : [];
    });
  }

  /** The first domain's for one whose kernel is not known: dom0 made it. */
  of(domain: number): GuestSymbols {
    return this.list().find((guest) => guest.domain === domain)?.symbols ?? this.all[0]!;
  }

  /** Of the domain that a vCPU (its number in the machine) belongs to. */
  ofVcpu(vcpu: number): GuestSymbols {
    if (this.all.length === 1) return this.all[0]!;
    const found = this.machine.vcpus().find(({ id }) => id === vcpu);
    return this.of(found?.domain ?? this.machine.domain);
  }

  /** Is there more than one domain, so that words have to say which? */
  get several(): boolean {
    return this.machine.domains().length > 1;
  }
}
