// The `hyperport` command: finds the subcommand, turns what it throws into messages and exit codes.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandIo, UsageError } from './io.ts';

declare const HYPERPORT_VERSION: string;

const USAGE = `hyperport ${HYPERPORT_VERSION}: port a kernel to Xen paravirtualization
Usage: hyperport COMMAND …
  check PATH…    find privileged and sensitive instructions in C and assembly sources
  run KERNEL     boot a ported kernel on the Xen simulator
  scan KERNEL    find the sensitive instructions that a linked kernel still holds
  notes KERNEL   decode the Xen ELF notes and say what the domain builder will do
  explain LOG    say what the lines of a Xen log mean
Each command answers --help.`;

type Command = (argv: string[], io: CommandIo) => Promise<number>;

/** Loaded on demand: `check` needs no simulator, `run` no parser. */
const COMMANDS: Readonly<Record<string, () => Promise<{ run: Command }>>> = {
  check: () => import('./check.ts'),
  run: () => import('./run/command.ts'),
  scan: () => import('./scan.ts'),
  notes: () => import('./notes.ts'),
  explain: () => import('./explain.ts'),
};

export async function main(argv: string[]): Promise<number> {
  const io: CommandIo = {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    cwd: process.cwd(),
    assets: dirname(fileURLToPath(import.meta.url)),
  };
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    io.stdout(`${USAGE}\n`);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === 'version') {
    io.stdout(`${HYPERPORT_VERSION}\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    io.stderr(`hyperport: there is no command '${name}'. Commands: ${Object.keys(COMMANDS).join(', ')}.\n`);
    return 2;
  }
  try {
    return await (await load()).run(rest, io);
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr(`hyperport ${name}: ${error.message}\n`);
      return 2;
    }
    io.stderr(
      `hyperport ${name}: a bug of Hyperport, please report it with the command line: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    if (process.env.HYPERPORT_DEBUG) io.stderr(`${error instanceof Error ? error.stack : ''}\n`);
    return 70;
  }
}

process.exitCode = await main(process.argv.slice(2));
