// docs/hypercalls.md: every row of the hypercall tables, what the simulator does with it and which scenarios show it, from the recordings of real Xen.
import { hypercalls } from '../../abi/hypercalls.ts';
import { figuresOf, type Proof } from './coverage.ts';
import { documentedPairs } from './documented.table.ts';
import { refusedAlways, unreachable } from './unreachable.table.ts';

const SHOWN = 2;
const SUCCESS = new Set(['0', 'a value', 'no return']);

/** What one kind of guest gets: by all proofs of a row. */
function state(proofs: readonly Proof[]): string {
  if (proofs.length === 0) return 'not called';
  const differing = proofs.find(({ simulator }) => simulator !== 'agrees');
  if (differing) return differing.simulator === 'different' ? 'differs' : 'differs (see below)';
  return proofs.some(({ outcome }) => SUCCESS.has(outcome)) ? 'works' : 'refused as Xen does';
}

function outcomes(proofs: readonly Proof[]): string {
  const byOutcome = new Map<string, Set<string>>();
  for (const { outcome, scenario } of proofs) byOutcome.set(outcome, (byOutcome.get(outcome) ?? new Set()).add(scenario));
  const rank = (outcome: string) => (SUCCESS.has(outcome) ? `0${outcome}` : outcome);
  return [...byOutcome]
    .sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1))
    .map(([outcome, scenarios]) => {
      const names = [...scenarios].sort();
      const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
      return `${outcome.startsWith('-') ? `\`${outcome}\`` : outcome}: ${names.slice(0, SHOWN).join(', ')}${more}`;
    })
    .join('<br>');
}

/** Why a row has no scenario that succeeds. */
function noSuccess(row: string, proofs: readonly Proof[]): string {
  if (proofs.some(({ outcome }) => SUCCESS.has(outcome))) return '';
  return `<br>success: unreachable because ${refusedAlways(row) ?? 'nobody knows'}`;
}

/** Rows that real Xen was never seen to carry out and of which it is not known why. */
export const unexplained = (proofs: readonly Proof[], rows: readonly string[]): string[] => {
  const works = new Set(proofs.filter(({ outcome }) => SUCCESS.has(outcome)).map(({ operation }) => operation));
  return rows.filter((row) => !works.has(row) && refusedAlways(row) === null);
};

/** What the headers say, as it was seen. */
export const documentedOf = (proofs: readonly Proof[]) => {
  const seen = new Set(proofs.map(({ operation, outcome }) => `${operation} ${outcome}`));
  return documentedPairs((row, errno) => seen.has(`${row} ${errno}`));
};

function reasons(proofs: readonly Proof[]): string[] {
  const texts = proofs.flatMap(({ simulator }) => (typeof simulator === 'object' ? [simulator.because] : []));
  return [...new Set(texts)];
}

export function hypercallPage(proofs: readonly Proof[]): string {
  const figures = figuresOf(proofs);
  const pairs = documentedOf(proofs);
  const counted = (which: (pair: (typeof pairs)[number]) => boolean) => pairs.filter(which).length;
  const byRow = new Map<string, Proof[]>();
  for (const proof of proofs) byRow.set(proof.operation, [...(byRow.get(proof.operation) ?? []), proof]);
  const out = [
    '# Hypercalls',
    '',
    'Every hypercall of Xen 4.17 with its operations, as the simulator answers it to 64-bit and 32-bit PV guests. Made from the recordings of real Xen in',
    '`test/conformance` by `npm run conformance -- --page`; a test holds it to them.',
    '',
    '- **works**: a scenario calls it with success, and every answer that real Xen was seen to give, to a domU and to dom0, is the one of the simulator.',
    '- **refused as Xen does**: real Xen was seen to refuse it always, and the simulator refuses it with the same errno in the same cases.',
    '- **differs**: in at least one case the answers differ; the reason is below the table.',
    '',
    `${figures.called[64]} of ${figures.rows} rows are called by a 64-bit domU and ${figures.called[32]} by a 32-bit one, with ${figures.pairs} pairs of row and outcome, each of which real Xen produced.`,
    '',
    `The comments of Xen's public headers name ${pairs.length} pairs of row and errno: ${counted(({ seen }) => seen)} of them real Xen was seen to give, ${counted(({ seen, unreachable: why }) => !seen && why !== null)} it does not give to a domU, for the reason in the row.`,
    '',
  ];
  for (const call of hypercalls()) {
    const names = call.operations ? call.operations.list.map((operation) => operation.name) : [''];
    out.push(
      `## ${call.name} (${call.number})`,
      '',
      '| operation | 64 bit | 32 bit | answers of real Xen, and scenarios |',
      '|---|---|---|---|',
    );
    const why: string[] = [];
    for (const name of names) {
      const row = name ? `${call.name}.${name}` : call.name;
      const mine = byRow.get(row) ?? [];
      const named = pairs
        .filter((pair) => pair.row === row && !pair.seen)
        .map(
          ({ errno, unreachable: why }) => `<br>\`${errno}\` (of the header): ${why === null ? 'not seen' : `unreachable because ${why}`}`,
        )
        .join('');
      const of = (bits: 64 | 32) => {
        const some = mine.filter((one) => one.bits === bits);
        return some.length === 0 && unreachable[row]?.[bits] ? `unreachable because ${unreachable[row][bits]}` : state(some);
      };
      out.push(`| ${name || call.name} | ${of(64)} | ${of(32)} | ${outcomes(mine)}${named}${noSuccess(row, mine)} |`);
      why.push(...reasons(mine).map((reason) => `- ${name || call.name}: ${reason}`));
    }
    out.push('', ...(why.length > 0 ? [...new Set(why), ''] : []));
  }
  return `${out.join('\n').trimEnd()}\n`;
}
