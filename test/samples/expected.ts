// What tinykernel says. The lines are the same for the native kernel and for its port; only the `platform:` line tells where it runs.

export const commonLines = [
  'tinykernel: hello',
  'paging: own tables',
  'segments and traps: ready',
  'cpu: AuthenticAMD',
  'timer: 5 ticks, the time stamp counter went on',
  'fault: mapped a page at 0xffffffffc0003000',
  'heap: wrote 42, read 42',
  'fault: mapped a page at 0xffffffffc0003000',
  'heap: read 0 from a new page',
  'user: hello',
  'fpu: first use by the user task',
  'user: exited with 42',
  'tinykernel: bye',
];

/** The whole console text of a plain run. */
export function expectedLines(platform: string): string[] {
  return [commonLines[0] as string, `platform: ${platform}`, ...commonLines.slice(1)];
}

/** The lines that `wrong-pte` adds before the user task: Xen's refusals. */
export const wrongEntryLines = ['wrong: own page table, writable: -16', 'wrong: level 2 entry for a page of data: -22'];

export const typedAtShell = [
  { after: 'tinykernel> ', text: 'user\r' },
  { after: 'tinykernel> ', text: 'nonsense\r' },
  { after: 'tinykernel> ', text: 'quit\r' },
];

/** From the user task's first end on, when typedAtShell is typed at `interactive`. */
export const shellLines = [
  'type help',
  'tinykernel> user',
  'user: hello',
  'fpu: first use by the user task',
  'user: exited with 42',
  'tinykernel> nonsense',
  'nonsense: no such command',
  'tinykernel> quit',
  'tinykernel: bye',
];

export const typedAtEcho = [{ after: 'q ends', text: 'abc\rq' }];
export const echoLines = ['echo: type, q ends', 'abc', '', 'tinykernel: bye'];
