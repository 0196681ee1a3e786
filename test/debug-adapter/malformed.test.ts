// Requests with missing and wrong arguments: every one is answered with what is wrong, none is a bug, the session goes on.

import { expect, test } from 'vitest';
import { families } from '../../debug-adapter/families.ts';
import { DapClient } from './client.ts';

const lastWords = new Set(['launch', 'restart', 'terminate', 'disconnect', 'continue', 'configurationDone', 'next', 'stepIn', 'stepOut']);
const wrong = [
  {},
  null,
  'text',
  [],
  {
    source: 5,
    breakpoints: 7,
    filters: 1,
    expression: 3,
    memoryReference: {},
    count: 'x',
    threadId: 'a',
    frameId: 'b',
    bytes: 5,
    kinds: 3,
    data: 9,
    method: 4,
  },
  {
    source: {},
    breakpoints: [null],
    filters: [],
    filterOptions: [null],
    threadId: 1.5,
    frameId: 1e300,
    variablesReference: -1,
    method: '__proto__',
    params: null,
  },
  {
    source: { path: 'x' },
    breakpoints: [{}],
    memoryReference: '0',
    data: '***',
    bytes: '***',
    count: -1,
    instructionCount: -1,
    expression: '',
    method: 'registers',
  },
  {
    memoryReference: '0',
    offset: 'far',
    count: 1,
    instructionCount: 1,
    instructionOffset: 0.5,
    expression: '('.repeat(5000),
    method: 'recent',
    params: { limit: 'all' },
  },
];

test('every request with wrong arguments is answered, and the session goes on', async () => {
  const client = new DapClient();
  await client.start({ stopOnEntry: true });
  await client.event('stopped');
  for (const command of Object.keys(families).filter((name) => !lastWords.has(name)))
    for (const args of wrong) {
      const answer = await client.ask(command, args);
      expect(`${command} ${answer.message ?? ''}`).not.toMatch(/bug|undefined|Cannot read|not a function/);
    }
  expect((await client.ask('setFunctionBreakpoints', { breakpoints: [{}] })).message).toBe(
    `'setFunctionBreakpoints' needs "breakpoints", a list of objects, each with the string "name".`,
  );
  expect((await client.request('stackTrace', { threadId: 1 })).stackFrames[0].name).toBe('_start');
  await client.request('disconnect');
});
