// From launch parameters to a machine with symbols, ready to run and stopped at its entry point.

import { openKernel } from '../image/elf/kernel.ts';
import { createMachine } from '../simulator/machine.ts';
import type { DomainConfig } from '../simulator/machine-types.ts';
import { type HostClock, hostClock } from './clock.ts';
import { readBinary, resolvePath } from './files.ts';
import { MachineHost } from './machine-host.ts';
import type { LaunchDomain, LaunchParameters } from './protocol.ts';
import { GuestSymbols } from './symbols/guest-symbols.ts';

export interface SourceOptions {
  /** Folder that relative paths start from. */
  readonly cwd: string;
  /** Path prefixes in debug information to path prefixes here. */
  readonly sourceMap?: Readonly<Record<string, string>>;
}

/** Throws UserError (files), ImageError or KernelImageError (what is in the kernel). */
export function launchMachine(launch: LaunchParameters, sources: SourceOptions, clock: HostClock = hostClock): MachineHost {
  const [first, ...others] = [launch, ...(launch.domains ?? [])].map((one) => readDomain(one, sources));
  const { cpu, tier1, preemption = 'off', l1tf = 'off', check } = launch;
  const machine = createMachine({
    ...first!.config,
    ...{ cpu, tier1, preemption, l1tf },
    ...(check === undefined ? {} : { invariants: { everyCalls: check } }),
    domains: others.map(({ config }) => config),
  });
  const symbols = [first!, ...others].map(({ elf, program }, configured) => {
    const options = { program, cwd: sources.cwd, sourceMap: sources.sourceMap ?? {} };
    const page = () => machine.domains().find((one) => one.configured === configured)?.hypercallPage ?? null;
    return new GuestSymbols(elf, options, page);
  });
  return new MachineHost({ ...launch, program: first!.program }, machine, symbols, clock);
}

function readDomain(launch: LaunchDomain, { cwd }: SourceOptions) {
  const program = resolvePath(launch.program, cwd);
  const kernel = readBinary(program, 'kernel "program"', true);
  const ramdisk = launch.ramdisk === null ? null : readBinary(resolvePath(launch.ramdisk, cwd), 'ramdisk');
  const { cmdline, memoryMib, vcpus, dom0, tsc, name, weight, cap } = launch;
  const config: DomainConfig = {
    ...{ kernel, cmdline, memoryMib, vcpus, dom0, tsc },
    ...(ramdisk ? { ramdisk } : {}),
    ...(name === undefined ? {} : { name }),
    ...(weight === undefined ? {} : { weight }),
    ...(cap === undefined ? {} : { cap }),
  };
  return { program, config, elf: openKernel(kernel) };
}
