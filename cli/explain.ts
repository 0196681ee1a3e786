// `hyperport explain FILE|-`: what the lines of a Xen log mean; as text, or as JSON (docs/schemas/explain.schema.json).

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { explainLog } from '../explain/log/log.ts';
import type { LogExplanation } from '../explain/log/note.ts';
import { logAsText, rulePagePath } from '../explain/log/report.ts';
import { type LogSymbols, symbolsOfKernel } from '../explain/log/symbols.ts';
import { ImageError } from '../image/error.ts';
import { type CommandIo, readInputFile, readKernelFile, reasonOf, UsageError } from './io.ts';

declare const HYPERPORT_VERSION: string;
/** Outside of the bundle (tests) there is no version. */
const VERSION = typeof HYPERPORT_VERSION === 'string' ? HYPERPORT_VERSION : '0.0.0-source';

const USAGE = 'usage: hyperport explain FILE|- [--kernel ELF] [--json]';
/** A log larger than this is no log that a person pasted. */
const LARGEST_LOG = 64 << 20;

interface Options {
  readonly log: string;
  readonly kernel?: string;
  readonly json: boolean;
}

function parseOptions(argv: readonly string[]): Options {
  let log: string | undefined;
  let kernel: string | undefined;
  let json = false;
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (arg === '--json' || arg === '--format=json') json = true;
    else if (arg === '--format=text') json = false;
    else if (arg === '--format') {
      const value = argv[++i];
      if (value !== 'text' && value !== 'json') throw new UsageError(`--format takes text or json, not ${value ?? 'nothing'}.\n${USAGE}`);
      json = value === 'json';
    } else if (arg === '--kernel' || arg.startsWith('--kernel=')) {
      kernel = arg === '--kernel' ? argv[++i] : arg.slice('--kernel='.length);
      if (!kernel) throw new UsageError(`--kernel needs the ELF file of the guest's kernel.\n${USAGE}`);
    } else if (arg.startsWith('-') && arg !== '-') throw new UsageError(`unknown option ${arg}.\n${USAGE}`);
    else if (log !== undefined) throw new UsageError(`only one log can be given, not also ${arg}.\n${USAGE}`);
    else log = arg;
  }
  if (log === undefined) throw new UsageError(`no log is given; - reads it from standard input.\n${USAGE}`);
  return { log, json, ...(kernel ? { kernel } : {}) };
}

function readLog(path: string, io: CommandIo): string {
  let bytes: Uint8Array;
  if (path === '-') {
    try {
      bytes = readFileSync(0);
    } catch (error) {
      throw new UsageError(`cannot read the log from standard input: ${reasonOf(error)}.`);
    }
  } else bytes = readInputFile(resolve(io.cwd, path), 'log');
  if (bytes.length > LARGEST_LOG)
    throw new UsageError(`the log has ${bytes.length} bytes, more than ${LARGEST_LOG}. Cut out the part that matters: tail -c 1M FILE.`);
  if (bytes.subarray(0, 4096).includes(0)) throw new UsageError(`${path} is no text: it has zero bytes. Give the log itself, unpacked.`);
  return new TextDecoder().decode(bytes);
}

function readSymbols(path: string, io: CommandIo): LogSymbols {
  try {
    return symbolsOfKernel(readKernelFile(resolve(io.cwd, path)));
  } catch (error) {
    if (error instanceof ImageError) throw new UsageError(`${path}: ${error.message}`);
    throw error;
  }
}

function asJson(file: string, explanation: LogExplanation): string {
  const notes = explanation.notes.map((note) => ({ ...note, ...(note.rule ? { page: rulePagePath(note.rule) } : {}) }));
  return `${JSON.stringify({ schema: 'hyperport/explain/1', version: VERSION, file, ...explanation, notes }, null, 2)}\n`;
}

/** @returns 0 when something of Xen's was recognized, 1 when nothing was. Throws UsageError for wrong options and unreadable files. */
export async function run(argv: string[], io: CommandIo): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(
      `${USAGE}\n\nExplains lines of Xen's log (serial console, xl dmesg, debug keys 0 d e g q, a bug report): refusals, crashes, registers, stacks,\npage walks, page types, entries, error codes. With --kernel addresses of the guest become functions and lines.\nExit: 0 something was recognized, 1 nothing was, 2 usage or unreadable file.\n`,
    );
    return 0;
  }
  const { log, kernel, json } = parseOptions(argv);
  const symbols = kernel === undefined ? null : readSymbols(kernel, io);
  const explanation = explainLog(readLog(log, io), symbols);
  const file = log.replaceAll('\\', '/');
  io.stdout(json ? asJson(file, explanation) : logAsText(explanation));
  return explanation.notes.length > 0 ? 0 : 1;
}
