// Oracle: gcc and binutils. What the compiler made of the native sample is disassembled; each sensitive instruction leads through the debug
// information to a source line, and the analyser has a finding of the same rule there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { prebuilt } from '../../scripts/samples.mjs';
import { decodeAny, newDecoded } from '../../x86/decode.ts';
import { xenInfo } from '../../x86/mnemonics.ts';
import { ROWS } from '../../x86/rows.ts';
import { OperandKind } from '../../x86/types.ts';
import { lineAt, nativeSources } from './native-findings.ts';

const elf = join(prebuilt, 'tinykernel-native.elf');

const run = (command: string, args: string[]) => execFileSync(command, args, { encoding: 'utf8', maxBuffer: 16 << 20 });

interface Sensitive {
  address: bigint;
  rule: string;
  mnemonic: string;
}

/** A section's bytes and address, by binutils. */
function section(name: string): { bytes: Uint8Array; address: bigint } {
  const folder = mkdtempSync(join(tmpdir(), 'hyperport-section-'));
  try {
    run('objcopy', ['-O', 'binary', `--only-section=${name}`, elf, join(folder, 'bytes')]);
    const header = new RegExp(` ${name.replace('.', '\\.')} +[0-9a-f]+ +([0-9a-f]+)`).exec(run('objdump', ['-h', elf]));
    return { bytes: readFileSync(join(folder, 'bytes')), address: BigInt(`0x${header?.[1]}`) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function symbol(name: string): bigint {
  return BigInt(`0x${new RegExp(`^([0-9a-f]+) . ${name}$`, 'm').exec(run('nm', [elf]))?.[1]}`);
}

/** The sensitive instructions between two addresses, in one mode, decoded one after the other. */
function sensitiveIn(code: { bytes: Uint8Array; address: bigint }, from: bigint, to: bigint, mode: 64 | 32): Sensitive[] {
  const found: Sensitive[] = [];
  const out = newDecoded();
  const end = Number(to - code.address);
  for (let offset = Number(from - code.address); offset < end; offset += out.length) {
    const status = decodeAny(code.bytes, offset, end, mode, out);
    if (status !== 'ok') throw new Error(`no instruction at ${(code.address + BigInt(offset)).toString(16)}: ${status}`);
    const row = ROWS[out.row];
    if (!row) throw new Error('the decoder names a row that is not there');
    const control = out.kind.indexOf(OperandKind.control);
    const xen = xenInfo(row, control >= 0 ? out.reg[control] : undefined);
    if (xen && xen.effect !== 'native') found.push({ address: code.address + BigInt(offset), rule: xen.rule, mnemonic: row.mnemonic });
  }
  return found;
}

test('every sensitive instruction of the compiled native sample has a finding on its source line', async () => {
  const text = section('.text');
  const boot = section('.boot');
  const user = section('.user');
  const instructions = [
    ...sensitiveIn(boot, symbol('_start'), symbol('boot64'), 32),
    ...sensitiveIn(text, text.address, text.address + BigInt(text.bytes.length), 64),
    ...sensitiveIn(user, user.address, symbol('message'), 64),
  ];
  const rules = new Set(instructions.map(({ rule }) => rule));
  for (const rule of [
    'cli',
    'sti',
    'pushf',
    'popf',
    'hlt',
    'lgdt',
    'lidt',
    'ltr',
    'mov-to-cr3',
    'mov-from-cr2',
    'invlpg',
    'swapgs',
    'iret',
    'port-io',
  ]) {
    expect(rules).toContain(rule);
  }

  const places = run('addr2line', ['-e', elf, ...instructions.map(({ address }) => `0x${address.toString(16)}`)])
    .trim()
    .split('\n');
  const findings = new Set<string>();
  for (const source of await nativeSources()) {
    for (const { rule, start, end } of source.findings) {
      for (let line = lineAt(source.text, start); line <= lineAt(source.text, end); line++) findings.add(`${source.file}:${line} ${rule}`);
    }
  }
  const without = instructions
    .map(({ mnemonic, rule }, index) => ({ mnemonic, place: basename(places[index] ?? '').replace(/ \(discriminator.*/, ''), rule }))
    .filter(({ place, rule }) => !findings.has(`${place} ${rule}`));
  expect(without).toEqual([]);
});
