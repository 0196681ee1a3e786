// `hyperport run KERNEL`: boots a ported kernel on the simulator. stdout holds the guest's console bytes and nothing else.

import { writeSync } from 'node:fs';
import { stdin } from 'node:process';
import { startInfoLines } from '../../explain/state/start-info.ts';
import { describeDomainEnding } from '../../host/endings.ts';
import { grantLeakLines, type SymbolsOfDomain } from '../../host/grant-words.ts';
import { crashReport, idleReport, logLine, refusalReport } from '../../host/report-words.ts';
import { GuestSymbols } from '../../host/symbols/guest-symbols.ts';
import { openKernel } from '../../image/elf/kernel.ts';
import { ImageError } from '../../image/error.ts';
import { createMachine } from '../../simulator/machine.ts';
import { type DomainConfig, type Ending, KernelImageError, type Machine } from '../../simulator/machine-types.ts';
import { type CommandIo, readInputFile, readKernelFile, UsageError } from '../io.ts';
import { DomainLines } from './domain-lines.ts';
import type { DomainOptions } from './domains.ts';
import { openKeyboard } from './keyboard.ts';
import { parseRunOptions, RUN_USAGE, type RunOptions } from './options.ts';
import { ExitCode, runSession, type SessionEnd } from './session.ts';
import { traceToFile } from './trace-file.ts';

export async function run(argv: string[], io: CommandIo): Promise<number> {
  const options = parseRunOptions(argv, stdin.isTTY === true);
  if (options === null) {
    io.stdout(`${RUN_USAGE}\n`);
    return ExitCode.done;
  }
  const machine = buildMachine(options);
  const closeTrace = options.trace === null ? null : traceToFile(machine, options.trace);
  const startInfo = options.startInfo ? machine.report()?.startInfo : null;
  if (startInfo) io.stderr(`${startInfoLines(startInfo).join('\n')}\n`);
  machine.subscribe(['log'], (record) => {
    if (record.kind !== 'log') return;
    if (record.by === 'simulator') io.stderr(`hyperport run: ${logLine(record, symbols(record.domain))}\n`);
    else if (options.xenLog) io.stderr(`(XEN) ${record.text}\n`);
  });
  const symbols = symbolsByDomain(options, machine);
  tellRefusals(options, machine, symbols, io);
  const unknown = new Set<string>();
  machine.subscribe(['undecoded'], (record) => {
    if (record.kind !== 'undecoded') return;
    const what = record.instruction ?? record.bytes;
    if (!unknown.has(what))
      io.stderr(`hyperport run: the simulator does not execute ${what} (at ${record.rip ?? 'an unknown place'}): the guest gets #UD.\n`);
    unknown.add(what);
  });
  const several = options.domains.length > 0;
  const told = new Set<Ending>();
  const lines = several ? new DomainLines(new Map(machine.domains().map(({ id, name }) => [id, name])), writeConsole) : null;
  const session = {
    ...options,
    inputDomain: inputDomain(options, machine),
    domainEnded: (domain: number, ending: Ending) => {
      io.stderr(`hyperport run: ${describeDomainEnding(machine, domain, ending)}\n`);
      told.add(ending);
      if (ending.kind === 'crash') for (const line of crashReport(machine, symbols(domain), ending).slice(1)) io.stderr(`  ${line}\n`);
    },
  };
  const keyboard = openKeyboard(stdin, options.input === null);
  const started = performance.now();
  try {
    const end = await runSession(machine, session, keyboard, (domain, bytes) => (lines ? lines.push(domain, bytes) : writeConsole(bytes)));
    lines?.flushAll();
    if (end.message) io.stderr(`hyperport run: ${end.message}\n`);
    if (!end.crash || !told.has(end.crash)) for (const line of moreOf(end, machine, symbols)) io.stderr(`  ${line}\n`);
    for (const line of grantLeakLines(machine, symbols)) io.stderr(`hyperport run: ${line}\n`);
    if (options.stats) io.stderr(`${stats(machine, performance.now() - started)}\n`);
    return end.code;
  } finally {
    keyboard.close();
    closeTrace?.();
  }
}

function buildMachine(options: RunOptions): Machine {
  const [first, ...domains] = [options, ...options.domains].map(readDomain);
  try {
    return createMachine({
      ...first!,
      ...(domains.length > 0 && { domains }),
      cpu: options.cpu,
      tier1: options.tier1,
      l1tf: options.l1tf,
      preemption: options.preemption,
      ...(options.check !== null && { invariants: { everyCalls: options.check } }),
      ...(Object.keys(options.store).length > 0 && { store: options.store }),
    });
  } catch (error) {
    if (error instanceof KernelImageError)
      throw new UsageError(`${[options, ...options.domains][error.configured]!.kernel}: ${error.message}`);
    throw error;
  }
}

function readDomain({ kernel, cmdline, ramdisk, memoryMib, vcpus, dom0, tsc, name, weight, cap }: DomainOptions): DomainConfig {
  return {
    ...{ kernel: readKernelFile(kernel), cmdline, memoryMib, vcpus, dom0, tsc, weight, cap },
    ...(ramdisk !== null && { ramdisk: readInputFile(ramdisk, 'RAM disk') }),
    ...(name !== null && { name }),
  };
}

/** The domain that --console names. */
function inputDomain({ console }: RunOptions, machine: Machine): number {
  if (console === null) return machine.domain;
  const all = machine.domains();
  const found = all.find(({ id, name }) => name === console || `${id}` === console);
  if (found) return found.id;
  throw new UsageError(`--console takes ${all.map(({ id, name }) => `${name} (${id})`).join(' or ')}, not '${console}'.`);
}

/** Names and lines of the kernel of each domain, by its id; null where its image has none to be read, or dom0 made it. */
function symbolsByDomain(options: RunOptions, machine: Machine): SymbolsOfDomain {
  const all = [options, ...options.domains].map(({ kernel }, configured) => symbolsOf(kernel, configured, machine));
  const places = new Map(machine.domains().map(({ id, configured }) => [id, configured]));
  return (domain) => {
    const configured = places.get(domain) ?? null;
    return configured === null ? null : (all[configured] ?? null);
  };
}

function symbolsOf(kernel: string, configured: number, machine: Machine): GuestSymbols | null {
  const page = () => machine.domains().find((one) => one.configured === configured)?.hypercallPage ?? null;
  try {
    return new GuestSymbols(openKernel(readKernelFile(kernel)), { program: kernel, cwd: process.cwd(), sourceMap: {} }, page);
  } catch (error) {
    if (error instanceof ImageError) return null;
    throw error;
  }
}

/** What is known of a crash, or of a guest that stands still. */
function moreOf({ crash, waits }: SessionEnd, machine: Machine, symbols: SymbolsOfDomain): string[] {
  const crashed = machine.domains().find(({ ending }) => ending === crash)?.id ?? machine.domain;
  if (crash) return crashReport(machine, symbols(crashed), crash).slice(1);
  return waits ? idleReport(machine, waits) : [];
}

/** With --refusals: each refused call as it happens, with its place and the explanation. */
function tellRefusals(options: RunOptions, machine: Machine, symbols: SymbolsOfDomain, io: CommandIo): void {
  if (!options.refusals) return;
  machine.subscribe(['hypercall'], (record) => {
    if (record.kind !== 'hypercall' || !record.refusal) return;
    for (const line of refusalReport(machine, symbols(record.domain), record)) io.stderr(`${line}\n`);
  });
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
