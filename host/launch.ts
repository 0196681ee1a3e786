// From launch parameters to a machine with symbols, ready to run and stopped at its entry point.

import { openKernel } from '../image/elf/kernel.ts';
import { createMachine } from '../simulator/machine.ts';
import { type HostClock, hostClock } from './clock.ts';
import { readBinary, resolvePath } from './files.ts';
import { MachineHost } from './machine-host.ts';
import type { LaunchParameters } from './protocol.ts';
import { GuestSymbols } from './symbols/guest-symbols.ts';

export interface SourceOptions {
  /** Folder that relative paths start from. */
  readonly cwd: string;
  /** Path prefixes in debug information to path prefixes here. */
  readonly sourceMap?: Readonly<Record<string, string>>;
}

/** Throws UserError (files), ImageError or KernelImageError (what is in the kernel). */
export function launchMachine(launch: LaunchParameters, sources: SourceOptions, clock: HostClock = hostClock): MachineHost {
  const program = resolvePath(launch.program, sources.cwd);
  const kernel = readBinary(program, 'kernel "program"', true);
  const ramdisk = launch.ramdisk === null ? null : readBinary(resolvePath(launch.ramdisk, sources.cwd), 'ramdisk');
  const elf = openKernel(kernel);
  const { cmdline, memoryMib, vcpus, dom0, cpu, tsc, tier1 } = launch;
  const machine = createMachine({ kernel, cmdline, memoryMib, vcpus, dom0, cpu, tsc, tier1, ...(ramdisk ? { ramdisk } : {}) });
  const symbols = new GuestSymbols(elf, { program, cwd: sources.cwd, sourceMap: sources.sourceMap ?? {} }, () => machine.hypercallPage());
  return new MachineHost({ ...launch, program }, machine, symbols, clock);
}
