// `hyperport run KERNEL`: boots a ported kernel on the simulator. stdout holds the guest's console bytes and nothing else.

import { writeSync } from 'node:fs';
import { stdin } from 'node:process';
import { createMachine } from '../../simulator/machine.ts';
import { KernelImageError, type Machine } from '../../simulator/machine-types.ts';
import { type CommandIo, readInputFile, readKernelFile, UsageError } from '../io.ts';
import { openKeyboard } from './keyboard.ts';
import { parseRunOptions, RUN_USAGE, type RunOptions } from './options.ts';
import { ExitCode, runSession } from './session.ts';
import { traceToFile } from './trace-file.ts';

export async function run(argv: string[], io: CommandIo): Promise<number> {
  const options = parseRunOptions(argv, stdin.isTTY === true);
  if (options === null) {
    io.stdout(`${RUN_USAGE}\n`);
    return ExitCode.done;
  }
  const machine = buildMachine(options);
  const closeTrace = options.trace === null ? null : traceToFile(machine, options.trace);
  machine.subscribe(['log'], (record) => {
    if (record.kind === 'log' && record.by === 'simulator') io.stderr(`hyperport run: ${record.text}\n`);
  });
  const unknown = new Set<string>();
  machine.subscribe(['undecoded'], (record) => {
    if (record.kind !== 'undecoded') return;
    const what = record.instruction ?? record.bytes;
    if (!unknown.has(what))
      io.stderr(`hyperport run: the simulator does not execute ${what} (at ${record.rip ?? 'an unknown place'}): the guest gets #UD.\n`);
    unknown.add(what);
  });
  const keyboard = openKeyboard(stdin, options.input === null);
  const started = performance.now();
  try {
    const end = await runSession(machine, options, keyboard, writeConsole);
    if (end.message) io.stderr(`hyperport run: ${end.message}\n`);
    if (options.stats) io.stderr(`${stats(machine, performance.now() - started)}\n`);
    return end.code;
  } finally {
    keyboard.close();
    closeTrace?.();
  }
}

function buildMachine(options: RunOptions): Machine {
  const kernel = readKernelFile(options.kernel);
  const ramdisk = options.ramdisk === null ? undefined : readInputFile(options.ramdisk, 'RAM disk');
  try {
    return createMachine({
      kernel,
      cmdline: options.cmdline,
      ...(ramdisk && { ramdisk }),
      memoryMib: options.memoryMib,
      vcpus: options.vcpus,
      dom0: options.dom0,
      cpu: options.cpu,
      tsc: options.tsc,
      tier1: options.tier1,
    });
  } catch (error) {
    if (error instanceof KernelImageError) throw new UsageError(`${options.kernel}: ${error.message}`);
    throw error;
  }
}

/** Console bytes leave at once and in order, also into a slow pipe. A closed pipe ends the output, not the run. */
function writeConsole(bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === 'EPIPE') return;
      if (code !== 'EAGAIN') throw error;
    }
  }
}

function stats(machine: Machine, wallMs: number): string {
  const { instructions, hypercalls } = machine.counters();
  return JSON.stringify({
    instructions,
    hypercalls,
    wallMs: Math.round(wallMs),
    mips: Number((instructions / Math.max(wallMs, 1) / 1000).toFixed(1)),
  });
}
