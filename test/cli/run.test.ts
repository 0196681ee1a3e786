// The contract of `hyperport run`: exit codes, streams, trace and statistics. The guests are built here with gcc.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { describe, expect, it } from 'vitest';
import { buildGuest, hyperport, root, schedOp, scratch } from './guests.ts';

const PORT = 'samples/tinykernel/prebuilt/tinykernel-xen.elf';
const LOOP = '1: jmp 1b\n';

describe('hyperport run: how it ends', () => {
  it('0: the guest powers off; stdout holds its console and nothing else', () => {
    const { status, stdout, stderr } = hyperport('run', PORT);
    expect(stdout).toMatch(/^tinykernel: hello\r\n/);
    expect(stdout).toMatch(/tinykernel: bye\r\n$/);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
  it('0: the text of --until is seen', () => expect(hyperport('run', buildGuest(LOOP), '--until', '').status).toBe(0));
  it('2: usage', () => {
    const { status, stdout, stderr } = hyperport('run');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/which kernel/);
  });
  it('3: the guest crashes, and stderr says why', () => {
    const { status, stderr } = hyperport('run', buildGuest('ud2\n'));
    expect(status).toBe(3);
    expect(stderr).toMatch(/the guest crashed: .*#UD|invalid opcode/);
  });
  it('3: the guest reports a crash of its own', () => expect(hyperport('run', buildGuest(schedOp(2, 3) + LOOP)).status).toBe(3));
  it('4: the instruction limit, to the instruction', () => {
    const { status, stderr } = hyperport('run', buildGuest(LOOP), '--max-instructions', '123457', '--stats');
    expect(status).toBe(4);
    expect(JSON.parse(stderr.trim().split('\n').at(-1)!).instructions).toBe(123_457);
  });
  it('5: deadlock, with what each vCPU waits for', () => {
    const { status, stderr } = hyperport('run', buildGuest(schedOp(1) + LOOP));
    expect(status).toBe(5);
    expect(stderr).toMatch(/d1v0: SCHEDOP_block/);
  });
  it('6: the guest asks for a reboot', () => expect(hyperport('run', buildGuest(schedOp(2, 1) + LOOP)).status).toBe(6));
  it('7: the guest ends without the text of --until', () => expect(hyperport('run', PORT, '--until', 'no such text').status).toBe(7));
});

describe('hyperport run: console input', () => {
  it('reaches the guest, held back until the guest has printed the text of --input-after', () => {
    const { status, stdout } = hyperport(
      'run',
      PORT,
      '--cmdline',
      'interactive',
      '--input',
      'help\\nquit\\n',
      '--input-after',
      'tinykernel> ',
    );
    expect(stdout).toContain('tinykernel> help\r\nhelp: this list');
    expect(status).toBe(0);
  });
  it('gives the same console and the same trace whatever the pace', () => {
    const [fast, real] = ['fast', 'real'].map((pace) => {
      const trace = join(scratch(), 'trace');
      const typed = ['--cmdline', 'interactive', '--input', 'help\\nticks\\nquit\\n', '--input-after', 'tinykernel> '];
      const { stdout } = hyperport('run', PORT, ...typed, '--pace', pace, '--trace', trace);
      return { stdout, trace: readFileSync(trace, 'utf8') };
    });
    expect(real!.stdout).toBe(fast!.stdout);
    expect(real!.trace === fast!.trace).toBe(true);
  });
});

describe('hyperport run: --trace and --stats', () => {
  const folder = scratch();
  const traceOf = (name: string, ...more: string[]) => {
    const file = join(folder, name);
    hyperport('run', PORT, '--cmdline', 'wrong-pte', '--trace', file, ...more);
    return readFileSync(file, 'utf8');
  };

  it('every line of the trace follows the documented schema, and the first names it', () => {
    const validate = new Ajv({ strict: false, allErrors: true }).compile(
      JSON.parse(readFileSync(join(root, 'docs/schemas/trace.schema.json'), 'utf8')),
    );
    const records = traceOf('a.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records[0]).toMatchObject({ kind: 'trace', schema: 'hyperport-trace', version: 1 });
    const wrong = records
      .filter((record) => !validate(record))
      .map((record) => ({ record, errors: validate(record) || validate.errors?.map((e) => `${e.instancePath} ${e.message}`) }));
    expect(wrong).toEqual([]);
    const pin = records.find((record) => record.kind === 'hypercall' && record.operation === 'PIN_L4_TABLE');
    expect(pin).toMatchObject({ name: 'mmuext_op', ret: 0, reason: null, args: { count: 1 } });
    const refused = records.find((record) => record.kind === 'hypercall' && record.ret === -16);
    expect(refused.reason).toMatch(/top-level \(level 4\) page table/);
  });

  it('two runs give the same trace, byte for byte, whatever the pace', () => {
    const first = traceOf('b.jsonl');
    expect(traceOf('c.jsonl')).toBe(first);
    expect(traceOf('d.jsonl', '--pace', 'real')).toBe(first);
  });

  it('--stats is one JSON line', () => {
    const { stderr } = hyperport('run', PORT, '--stats');
    expect(Object.keys(JSON.parse(stderr))).toEqual(['instructions', 'hypercalls', 'wallMs', 'mips']);
  });
});
