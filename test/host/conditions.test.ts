// Conditions over trace records, hit counts, log messages and the names of breakpoints.

import { describe, expect, test } from 'vitest';
import { hitHolds, parseHitCondition } from '../../host/breakpoints/hits.ts';
import { parseLogMessage } from '../../host/breakpoints/log-message.ts';
import { isNamed, parseNamedTarget, targetMatches } from '../../host/breakpoints/names.ts';
import { namedBreakpoint } from '../../host/breakpoints/record-breakpoint.ts';
import { parseExpression } from '../../host/expression/parser.ts';
import { evaluateOnRecord, holdsOnRecord } from '../../host/expression/record-value.ts';
import type { TraceRecord } from '../../simulator/trace/records.ts';

const pin: TraceRecord & { kind: 'hypercall' } = {
  ...{ n: 5, icount: 1000, domain: 1, vcpu: 0, rip: '0xffffffff80001348', kind: 'hypercall', nr: 26, name: 'mmuext_op' },
  operation: 'PIN_L4_TABLE+NEW_BASEPTR',
  args: {
    uops: [
      { cmd: 'MMUEXT_PIN_L4_TABLE', mfn: '0x1234' },
      { cmd: 'MMUEXT_NEW_BASEPTR', mfn: '0x1235' },
    ],
    count: 2,
    foreigndom: 'DOMID_SELF',
  },
  ret: -22,
  reason: 'the frame is writable elsewhere',
};
const holds = (condition: string, record = pin): boolean => holdsOnRecord(parseExpression(condition), record);

describe('a condition over a hypercall', () => {
  test.each([
    'args.uops[0].mfn == 0x1234 && ret < 0',
    'args.uops[1].mfn == 4661',
    'uops[0].cmd == MMUEXT_PIN_L4_TABLE',
    "args.foreigndom == 'DOMID_SELF'",
    'ret == -EINVAL',
    'ret != -EBUSY && reason != null',
    '(args.count & 3) == 2 || 1 / 0',
    'args.count << 4 == 32',
    'args.uops.length >= 2 ? name == "mmuext_op" : 0',
    '!(icount > 1000) && vcpu == 0 && rip == 0xffffffff80001348',
    '-1 - 2 * 3 == -7 && ~0 == -1 && 7 % 4 == 3 && args.count%nr == 2',
  ])('%s holds', (condition) => expect(holds(condition)).toBe(true));

  test.each(['ret >= 0', 'args.uops[9].mfn == 0x1234', 'args.uops[9].mfn != 0x1234', 'args.foreigndom == 5', 'operation == null'])(
    '%s does not hold',
    (condition) => expect(holds(condition)).toBe(false),
  );

  test('that names what the record does not have says what it has', () => {
    expect(() => holds('args.op == 1')).toThrow("There is no 'op' here; there is: uops, count, foreigndom.");
    expect(() => holds('arg == 1')).toThrow(/There is no 'arg' in a record of kind hypercall; there is: .*ret.* and in args: uops/);
    expect(() => holds('args.count / 0 == 1')).toThrow('divides by zero');
    expect(() => holds('$rax == 1')).toThrow('Registers cannot be read');
  });

  test('of a call without a return value has no order', () => {
    expect(holds('ret < 0 || ret >= 0', { ...pin, ret: null } as typeof pin)).toBe(false);
  });
});

describe('an expression that cannot be read says where', () => {
  test.each([
    ['', 'The expression is empty.'],
    ['ret < ', "Expected a value but found the end at column 7 of 'ret < '."],
    ['ret = 1', "'=' at column 5 would assign; write '==' to compare."],
    ['args.ops[0', "Expected ']' but found the end"],
    ['a @ b', "Cannot read '@' at column 3"],
    ['0xzz', 'is not a number'],
    ['f(1)', 'Functions cannot be called'],
    ['(1', "Expected ')'"],
    ['1 2', 'Expected an operator or the end'],
    [`${'('.repeat(300)}1`, 'nested deeper than 200'],
    ['-'.repeat(1000), 'nested deeper than 200'],
    ['x'.repeat(3000), 'write at most 2000'],
  ])('%s', (text, message) => expect(() => parseExpression(text)).toThrow(message));
});

test('precedence is that of C', () => {
  expect(evaluateOnRecord(parseExpression('1 + 2 * 3 - 4 / 2'), pin)).toBe(5n);
  expect(evaluateOnRecord(parseExpression('1 | 6 ^ 3 & 2'), pin)).toBe(5n);
  expect(evaluateOnRecord(parseExpression('10 - 3 - 2'), pin)).toBe(5n);
  expect(parseExpression('(struct page *)p->next')).toMatchObject({ kind: 'cast', type: { base: 'struct page', pointers: 1 } });
  expect(parseExpression('(count) - 1')).toMatchObject({ kind: 'binary', operator: '-' });
  expect(parseExpression('(pte_t *)$rsp')).toMatchObject({ kind: 'cast', type: { base: 'pte_t', pointers: 1 } });
  expect(parseExpression('%rax + %rsp')).toMatchObject({ operator: '+', left: { kind: 'register', name: 'rax' } });
  expect(parseExpression('sizeof(unsigned long)')).toMatchObject({ kind: 'sizeof', operand: { base: 'unsigned long' } });
});

describe('hit counts', () => {
  const hits = (text: string): number[] => [1, 2, 3, 4, 5, 6].filter((n) => hitHolds(parseHitCondition(text), n));
  test.each([
    ['3', [3, 4, 5, 6]],
    ['== 3', [3]],
    ['=3', [3]],
    ['> 4', [5, 6]],
    ['<2', [1]],
    ['<= 2', [1, 2]],
    ['% 3', [3, 6]],
  ])('%s', (text, expected) => expect(hits(text)).toEqual(expected));
  test.each(['x', '', '% 0', '-1', '1 2', '99999999999999999999'])('%s is refused', (text) =>
    expect(() => parseHitCondition(text)).toThrow('is not a hit count'),
  );
});

describe('names of breakpoints', () => {
  const matches = (name: string, record: TraceRecord = pin): boolean => targetMatches(parseNamedTarget(name), record);
  test.each([
    'hypercall:mmuext_op.PIN_L4_TABLE',
    'hypercall:mmuext_op.NEW_BASEPTR',
    'hypercall:mmuext_op',
    'hypercall:mmuext_op.*',
    'hypercall:*',
    'hypercall:26',
    'hypercall:HYPERVISOR_mmuext_op.MMUEXT_PIN_L4_TABLE',
    ' hypercall:MMUEXT_OP ',
  ])('%s stops at the pin', (name) => expect(matches(name)).toBe(true));
  test.each(['hypercall:mmuext_op.UNPIN_TABLE', 'hypercall:mmu_update', 'hypercall:1', 'exception:*'])('%s does not', (name) =>
    expect(matches(name)).toBe(false),
  );

  test('a call inside a multicall counts', () => {
    const inner = { name: 'mmuext_op', operation: 'PIN_L4_TABLE', args: {} };
    const record = {
      ...pin,
      nr: 13,
      name: 'multicall',
      operation: null,
      args: { calls: [{ name: 'iret', operation: null, args: {} }, inner] },
    } as TraceRecord;
    expect(matches('hypercall:mmuext_op.PIN_L4_TABLE', record)).toBe(true);
    expect(matches('hypercall:mmuext_op.UNPIN_TABLE', record)).toBe(false);
  });

  test('events, exceptions and emulated instructions', () => {
    const base = { n: 1, icount: 1, domain: 1, vcpu: 0 };
    const upcall: TraceRecord = { ...base, kind: 'upcall', ports: [3, 4], virqs: ['VIRQ_TIMER'] };
    const fault: TraceRecord = { ...base, kind: 'exception', vector: 14, name: '#PF', error: '0x2', address: '0x0', reason: null };
    const emulate: TraceRecord = { ...base, kind: 'emulate', instruction: 'mov %cr3,%rax', rule: 'mov-from-cr3', detail: null };
    for (const name of ['event:VIRQ_TIMER', 'event:timer', 'event:4', 'event:port 4', 'event:*']) expect(matches(name, upcall)).toBe(true);
    for (const name of ['event:VIRQ_DEBUG', 'event:5']) expect(matches(name, upcall)).toBe(false);
    for (const name of ['exception:#PF', 'exception:pf', 'exception:14', 'exception:0xe', 'exception:*'])
      expect(matches(name, fault)).toBe(true);
    expect(matches('exception:#GP', fault)).toBe(false);
    for (const name of ['emulate:mov', 'emulate:mov-from-cr3', 'emulate:*']) expect(matches(name, emulate)).toBe(true);
    expect(matches('emulate:rdmsr', emulate)).toBe(false);
  });

  test.each([
    ['hypercall:mmuext_opp', "There is no hypercall 'mmuext_opp'; did you mean 'mmuext_op'?"],
    ['hypercall:mmuext_op.PIN_L4', "mmuext_op has no operation 'PIN_L4'; did you mean 'PIN_L4_TABLE'?"],
    ['hypercall:iret.x', 'iret has no operations; write hypercall:iret.'],
    ['hypercall:', "names nothing after 'hypercall:'"],
    ['event:VIRQ_TIMR', "did you mean 'VIRQ_TIMER'?"],
    ['exception:#XX', "There is no exception '#XX'"],
  ])('%s is refused with the nearest name', (name, message) => expect(() => parseNamedTarget(name)).toThrow(message));

  test('a plain function name is not one of them', () => {
    expect(isNamed('start_kernel')).toBe(false);
    expect(isNamed('hypercall:x')).toBe(true);
  });

  test('a condition over ret waits for the exit, any other stops before the call', () => {
    expect(namedBreakpoint(1, 'hypercall:mmuext_op', { condition: 'ret < 0' }).kinds).toEqual(['hypercall']);
    expect(namedBreakpoint(1, 'hypercall:mmuext_op', { condition: 'args.count == 1' }).kinds).toEqual(['hypercall-entry']);
    expect(namedBreakpoint(1, 'hypercall:mmuext_op', { logMessage: 'gave {ret}' }).kinds).toEqual(['hypercall']);
  });
});

test('a log message evaluates what stands in braces and shows what fails', () => {
  const render = (message: string): string => parseLogMessage(message).render((e) => String(evaluateOnRecord(e, pin)));
  expect(render('{name} gave {ret} for {args.uops[0].mfn}.')).toBe('mmuext_op gave -22 for 4660.');
  expect(render('{nothing}')).toMatch(/^<There is no 'nothing'/);
  expect(() => parseLogMessage('{ret')).toThrow("has '{' without '}'");
});
