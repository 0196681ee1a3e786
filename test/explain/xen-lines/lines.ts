// What a debug build of Xen logs while the scenarios of test/conformance run as dom0, each piece with the guest's line that follows it; and
// the same of the simulator. Recorded by `npm run conformance -- --messages`.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { matchMessage } from '../../../explain/log/message.ts';
import { createMachine } from '../../../simulator/machine.ts';
import { buildGuest, guestFolder } from '../../complaints/build.ts';
import { buildImage } from '../../conformance/build.ts';
import { images, scenarioFolder, scenarios } from '../../conformance/images.ts';
import { runOnXen } from '../../oracle/xen-dom0.ts';

const folder = fileURLToPath(new URL('recorded', import.meta.url));
const MEMORY = 64;
const LIMIT = 100_000_000;

/** Xen's lines between two lines of the guest. */
export interface Piece {
  /** '[scenario] the guest's next line', with its count where that comes again. */
  readonly place: string;
  readonly lines: readonly string[];
}

/** `lines`: the console of both, Xen's behind '(XEN) '. */
export function piecesOf(lines: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  const seen = new Map<string, number>();
  let scenario = '';
  let pending: string[] = [];
  for (const line of lines) {
    if (line.startsWith('(XEN) ')) {
      pending.push(line.slice(6));
      continue;
    }
    if (line.trim() === '') continue;
    const heading = /^\[(.*)\]$/.exec(line);
    if (heading) scenario = heading[1]!;
    // By name: what is answered is compared elsewhere.
    const name = `[${scenario}] ${line.replace(/ =.*$/, '').trim()}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    if (pending.length) pieces.push({ place: count > 1 ? `${name} (${count})` : name, lines: pending });
    pending = [];
  }
  if (pending.length) pieces.push({ place: `[${scenario}] the end`, lines: pending });
  return pieces;
}

/** What Xen puts in front of a line: its source, the vCPU for which it works. */
export const PREFIX = /^(?:[\w./-]+\.[chS]:\d+:\s?)?(?:d\d+v\d+ )?/;
/** Values that are not the same in two machines: frames, counts of references, addresses in Xen. */
const OWN_VALUES = new Set(['mfn', 'caf', 'xen', 'fixup', 'symbol', 'machine', 'bus']);
const FRAME_BITS = 0x000f_ffff_ffff_f000n;

/** A line without what differs between two machines; a line of no template stays as it is. */
export function comparable(line: string): string {
  const text = line.replace(PREFIX, '');
  const found = matchMessage(text) ?? matchMessage(line);
  if (!found) return text;
  const { od } = found.values;
  const values = Object.entries(found.values)
    // The type word of a free frame holds whatever Xen keeps there.
    .filter(([name]) => !OWN_VALUES.has(name) && !(name === 'taf' && od === 'NULL'))
    .map(([name, value]) => `${name} ${name === 'entry' ? (BigInt(`0x${value}`) & ~FRAME_BITS).toString(16) : value}`);
  return `${found.template} | ${values.join(', ')}`;
}

/** A guest whose lines are recorded: the images of the scenarios, and one for lines that none of them makes Xen log. */
export interface Recorded {
  readonly name: string;
  readonly scenarios: readonly string[];
  build(): Promise<string>;
}
const MORE = 'xen-lines';
export const guests = (): Recorded[] => [
  // Not those of the security advisories, which are about what is denied.
  ...images()
    .filter(({ name }) => !name.startsWith('security'))
    .map((image) => ({ name: image.name, scenarios: image.scenarios, build: () => buildImage(image) })),
  { name: MORE, scenarios: [MORE], build: () => buildGuest(MORE) },
];

/** Fingerprint of a scenario's source: what was recorded of another version of it is not compared. */
const fingerprint = (scenario: string): string =>
  createHash('sha256')
    .update(readFileSync(scenario === MORE ? join(guestFolder, `${MORE}.c`) : join(scenarioFolder, scenario, 'scenario.c')))
    .digest('hex')
    .slice(0, 12);

/** Scenarios whose recording is of their present source. */
export function currentScenarios(image: string): ReadonlySet<string> {
  const known = new Set([...scenarios(), MORE]);
  const text = readFileSync(join(folder, `${image}.txt`), 'utf8');
  return new Set(
    [...text.matchAll(/^# scenario (\S+) (\w+)$/gm)]
      .filter(([, name, print]) => known.has(name!) && fingerprint(name!) === print)
      .map(([, name]) => name!),
  );
}

export const scenarioOf = (place: string): string => /^\[([^\]]*)\]/.exec(place)?.[1] ?? '';

export const recordedImages = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.txt'))
    .map((file) => file.slice(0, -4));

export function readPieces(image: string): Piece[] {
  const pieces: Piece[] = [];
  let lines: string[] = [];
  for (const line of readFileSync(join(folder, `${image}.txt`), 'utf8')
    .trimEnd()
    .split('\n')) {
    if (line.startsWith('# ')) continue;
    if (line.startsWith('(XEN) ')) lines.push(line.slice(6));
    else {
      lines = [];
      pieces.push({ place: line, lines });
    }
  }
  return pieces;
}

/** Runs every guest on a debug build of Xen and keeps what it logged; `only`: those of these names. */
export async function record(print: (line: string) => void, only: readonly string[] = []): Promise<void> {
  for (const image of guests().filter(({ name }) => only.length === 0 || only.includes(name))) {
    const { run, end } = await runOnXen(await image.build(), { xen: 'debug', mem: MEMORY, timeoutMs: 40_000 });
    if (run.reason === 'timeout') {
      print(`${image.name}: does not come to its end on the debug build; not recorded`);
      continue;
    }
    const text = run.output.replaceAll('\r', '').replace(/^[\s\S]*?Freed \d+kB init memory\n/, '');
    // The last line may be cut: QEMU is ended when the machine restarts.
    const pieces = piecesOf(text.split('\n').slice(0, -1));
    const head = [
      `# ${image.name} as dom0 on a debug build of Xen 4.17 in QEMU: what Xen logged, and the guest's next line before it.`,
      '# Renewed by: npm run conformance -- --messages',
      ...image.scenarios.map((name) => `# scenario ${name} ${fingerprint(name)}`),
    ];
    const body = pieces.flatMap(({ place, lines }) => [place, ...lines.map((line) => `(XEN) ${line}`.trimEnd())]);
    writeFileSync(join(folder, `${image.name}.txt`), `${[...head, ...body].join('\n')}\n`);
    print(`${image.name}: ${pieces.reduce((sum, { lines }) => sum + lines.length, 0)} lines in ${pieces.length} places (${end})`);
  }
}

/** The same of the simulator. */
export function onSimulator(elf: string): Piece[] {
  const machine = createMachine({
    ...{ kernel: readFileSync(elf), cmdline: '', memoryMib: MEMORY, vcpus: 1 },
    ...{ dom0: true, cpu: 'amd', tsc: 'native' },
  } as const);
  let text = '';
  machine.onConsole((_, bytes) => {
    text += Buffer.from(bytes).toString('latin1');
  });
  machine.subscribe(['log'], (one) => {
    if (one.kind === 'log' && one.by === 'xen') text += `${text === '' || text.endsWith('\n') ? '' : '\n'}(XEN) ${one.text}\n`;
  });
  while (machine.icount() < LIMIT) {
    const { kind } = machine.run({ instructions: 1_000_000 });
    if (kind === 'idle' || kind === 'ended') break;
  }
  return piecesOf(text.replaceAll('\r', '').split('\n'));
}
