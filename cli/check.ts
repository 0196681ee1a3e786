// `hyperport check`: the findings of C and assembly sources, as text or as JSON (docs/schemas/check.schema.json).

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { atLeast } from '../abi/rules/catalogue.ts';
import { type Analysis, languageOf, type Severity } from '../server/analysis/finding.ts';
import { analyseProject } from '../server/analysis/project/project.ts';
import { loadGrammars } from '../server/syntax/grammars.ts';
import { LineIndex } from '../server/syntax/lines.ts';
import { type CommandIo, UsageError } from './io.ts';

declare const HYPERPORT_VERSION: string;
/** Put in by the build; the sources run without it in tests only. */
const VERSION = typeof HYPERPORT_VERSION === 'string' ? HYPERPORT_VERSION : '0.0.0-source';

export const CHECK_SCHEMA = 'hyperport/check/1';
const LEVELS = ['silent', 'fault', 'emulated', 'idiom', 'never'] as const;
type Level = (typeof LEVELS)[number];

const USAGE = `Usage: hyperport check PATH… [--format text|json] [--fail-on silent|fault|emulated|idiom|never] [--masm att|intel]
  PATH       a C or assembly source (.c .h .cc .S .s .asm .inc), or a folder that is searched for them; calls are followed
             through all files that are named
  --format   text (default): one line a finding; json: see docs/schemas/check.schema.json
  --fail-on  exit with 1 when a finding is at or above this level (default emulated; silent > fault > emulated > idiom)
  --masm     dialect of inline asm, as GCC's -masm= (default att)
Exit: 0 nothing at or above the level, 1 something, 2 wrong usage or a path that cannot be read.`;

interface Options {
  readonly paths: readonly string[];
  readonly format: 'text' | 'json';
  readonly failOn: Level;
  readonly masm: 'att' | 'intel';
}

interface FileReport {
  readonly file: string;
  readonly lines: LineIndex;
  readonly analysis: Analysis;
}

export async function run(argv: string[], io: CommandIo): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(`${USAGE}\n`);
    return 0;
  }
  const options = parseOptions(argv);
  const files = [...new Set(options.paths.flatMap((path) => sourcesAt(resolve(io.cwd, path), path)))].sort();
  const grammars = await loadGrammars((name) => readFile(join(io.assets, name)));
  const sources = files.map((path) => ({ path: relative(io.cwd, path).split(sep).join('/'), text: readText(path), masm: options.masm }));
  const reports = [...analyseProject(grammars, sources)].map(
    ({ source, analysis }): FileReport => ({ file: source.path, lines: new LineIndex(source.text), analysis }),
  );
  io.stdout(options.format === 'json' ? `${JSON.stringify(jsonOf(reports), null, 2)}\n` : textOf(reports));
  const { failOn } = options;
  return failOn !== 'never' && reports.some(({ analysis }) => analysis.findings.some(({ severity }) => atLeast(severity, failOn))) ? 1 : 0;
}

function parseOptions(argv: readonly string[]): Options {
  const paths: string[] = [];
  const values: Record<string, string> = { '--format': 'text', '--fail-on': 'emulated', '--masm': 'att' };
  const allowed: Record<string, readonly string[]> = { '--format': ['text', 'json'], '--fail-on': LEVELS, '--masm': ['att', 'intel'] };
  let onlyPaths = false;
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i]!;
    if (onlyPaths || !arg.startsWith('-')) paths.push(arg);
    else if (arg === '--') onlyPaths = true;
    else {
      const [name, inline] = arg.split('=', 2) as [string, string | undefined];
      if (!Object.hasOwn(allowed, name)) throw new UsageError(`there is no option ${name}.\n${USAGE}`);
      const value = inline ?? argv[++i];
      if (value === undefined || !allowed[name]!.includes(value))
        throw new UsageError(`${name} takes one of ${allowed[name]!.join(', ')}${value === undefined ? '' : `, not '${value}'`}.`);
      values[name] = value;
    }
  }
  if (paths.length === 0) throw new UsageError(`name at least one file or folder.\n${USAGE}`);
  return {
    paths,
    format: values['--format'] as Options['format'],
    failOn: values['--fail-on'] as Level,
    masm: values['--masm'] as Options['masm'],
  };
}

const reasonOf = (error: unknown): string => {
  const code = (error as { code?: string }).code;
  if (code === 'ENOENT') return 'there is no such file or folder';
  return code === 'EACCES' || code === 'EPERM' ? 'permission denied' : (code ?? String(error));
};

/** The sources that a path of the command line names: itself, or those in the folder. A file that is named is always checked. */
function sourcesAt(path: string, asGiven: string): string[] {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return walk(path);
    if (!stat.isFile()) throw new UsageError(`${asGiven} is neither a file nor a folder. Name sources or folders of sources.`);
    return [path];
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${asGiven}: ${reasonOf(error)}.`);
  }
}

/** Sources below a folder. Hidden folders and node_modules are left out, links to folders are not followed. */
function walk(folder: string): string[] {
  const found: string[] = [];
  const pending = [folder];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const entry of list(at)) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) {
        if (!entry.name.startsWith('.') && entry.name !== 'node_modules') pending.push(path);
      } else if (
        languageOf(entry.name) &&
        (entry.isFile() || (entry.isSymbolicLink() && statSync(path, { throwIfNoEntry: false })?.isFile()))
      )
        found.push(path);
    }
  }
  return found;
}

function list(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw new UsageError(`cannot read the folder ${folder}: ${reasonOf(error)}.`);
  }
}

function readText(path: string): string {
  try {
    // A byte-order mark is no part of the text: editors do not count it either.
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_STRING_TOO_LONG')
      throw new UsageError(`${path} is larger than any source file. Name sources only.`);
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}.`);
  }
}

const bySeverity = (reports: readonly FileReport[]): Record<Severity, number> => {
  const counts: Record<Severity, number> = { silent: 0, fault: 0, emulated: 0, idiom: 0 };
  for (const { analysis } of reports) for (const { severity } of analysis.findings) counts[severity]++;
  return counts;
};

/** Lines and columns from 1, in UTF-16 units; the end is exclusive. */
const range = (lines: LineIndex, start: number, end: number) => {
  const from = lines.position(start);
  const to = lines.position(end);
  return { line: from.line + 1, column: from.column + 1, endLine: to.line + 1, endColumn: to.column + 1 };
};

function jsonOf(reports: readonly FileReport[]) {
  const findings = reports.flatMap(({ file, lines, analysis }) =>
    analysis.findings.map(({ rule, severity, start, end, instruction, message, replacement, fixes, kind, related }) => ({
      rule,
      file,
      ...range(lines, start, end),
      severity,
      instruction,
      message,
      replacement,
      fixes: fixes.map(({ title }) => ({ title })),
      ...(kind ? { kind } : {}),
      ...(related && related.length > 0 ? { related: related.map(({ path, line, message }) => ({ file: path, line, message })) } : {}),
    })),
  );
  const warnings = reports.flatMap(({ file, lines, analysis }) =>
    analysis.warnings.map(({ start, end, message }) => ({ file, ...range(lines, start, end), message })),
  );
  const summary = { files: reports.length, findings: findings.length, bySeverity: bySeverity(reports), warnings: warnings.length };
  return { schema: CHECK_SCHEMA, version: VERSION, findings, warnings, summary };
}

function textOf(reports: readonly FileReport[]): string {
  const out: string[] = [];
  let warnings = 0;
  for (const { file, lines, analysis } of reports) {
    const at = (offset: number): string => {
      const { line, column } = lines.position(offset);
      return `${file}:${line + 1}:${column + 1}`;
    };
    for (const { start, severity, rule, instruction, message, replacement, fixes, related } of analysis.findings) {
      out.push(
        `${at(start)}: ${severity}: ${instruction} [${rule}]`,
        `  ${message}`,
        `  Instead: ${replacement}`,
        ...(related ?? []).map(({ path, line, message: said }) => `  ${path}:${line}: ${said}`),
        ...fixes.map(({ title }) => `  Quick fix: ${title}`),
      );
    }
    for (const { start, message } of analysis.warnings) out.push(`${at(start)}: warning: ${message}`);
    warnings += analysis.warnings.length;
  }
  const counts = bySeverity(reports);
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const each = (Object.keys(counts) as Severity[]).map((severity) => `${counts[severity]} ${severity}`).join(', ');
  out.push(
    `${total} finding${total === 1 ? '' : 's'} in ${reports.length} file${reports.length === 1 ? '' : 's'} (${each}), ${warnings} warning${warnings === 1 ? '' : 's'}`,
  );
  return `${out.join('\n')}\n`;
}
