// Logs of real Xen 4.17 explained: crashes, debug keys and refusals as Debian's Xen and a debug build printed them in QEMU (logs/), and
// lines that people pasted into bug reports.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRule } from '../../abi/rules/catalogue.ts';
import { xenMessages } from '../../abi/xen-messages.table.ts';
import { explainLog } from '../../explain/log/log.ts';
import { logMessages } from '../../explain/log/messages.table.ts';
import type { LogExplanation, LogNote } from '../../explain/log/note.ts';
import { logAsMarkdown, logAsText, rulePagePath } from '../../explain/log/report.ts';
import { symbolsOfKernel } from '../../explain/log/symbols.ts';
import { countWord, entryWord, pageFaultCode, typeWord } from '../../explain/log/words.ts';
import { seededRandom } from '../../x86/encode.ts';

const log = (name: string): string => readFileSync(join(import.meta.dirname, 'logs', `${name}.txt`), 'utf8');
const noteOf = (e: LogExplanation, kind: LogNote['kind']): LogNote => {
  const found = e.notes.find((n) => n.kind === kind);
  expect(found, kind).toBeDefined();
  return found!;
};
const factOf = (note: LogNote, name: string): string | undefined => note.facts.find((f) => f.name === name)?.means;
const one = (line: string): LogNote => {
  const { notes } = explainLog(line);
  expect(notes, line).toHaveLength(1);
  return notes[0]!;
};

describe('a crash for want of a handler', () => {
  const e = explainLog(log('crash-no-handler'));
  test('is summed up in one sentence: who, where, which exception', () =>
    expect(e.summary).toEqual([
      'Domain 0, vCPU 0, was ended by Xen at ffffffff801033e8: #UD (invalid opcode) came and no handler is registered for it.',
    ]));
  test('registers: mode, event mask, page tables', () => {
    const registers = noteOf(e, 'registers');
    expect([registers.line, registers.lastLine]).toEqual([9, 19]);
    expect(factOf(registers, 'EM')).toBe('event upcalls are masked');
    expect(factOf(registers, 'cs')).toMatch(/64-bit guest code/);
    expect(factOf(registers, 'cr3')).toMatch(/machine frame 0x1ea34$/);
  });
  test('the frame that Xen had pushed is found on the stack', () => {
    const [frame] = noteOf(e, 'stack').facts;
    expect(frame!.name).toBe('frame at ffffffff8020efa8');
    expect(frame!.means).toMatch(/at ffffffff801033e8 in the kernel, stack pointer ffffffff8020efd0, events were masked/);
  });
  test('every line of Xen’s is explained or needs no explanation', () => expect(e.unread).toEqual([]));
});

describe('a crash for want of a stack', () => {
  const e = explainLog(log('crash-bounce-stack'));
  test('names the cause', () =>
    expect(e.summary[0]).toMatch(/could not push an exception or event frame on its kernel stack, whose pointer is not canonical/));
  test('the walk says where the mapping ends', () => {
    const walk = noteOf(e, 'page-walk');
    expect(walk.says).toBe('Nothing is mapped at 0xfffffffffffffff8: the walk ends at level 3, whose entry is not present.');
    expect(walk.facts.map((f) => f.means)).toEqual(['frame 0x1ee37: present, writable, user, accessed, dirty; pfn 0x237', 'empty']);
  });
  test('and which word of the frame could not be written', () =>
    expect(factOf(e.notes.find((n) => /domain_crash_sync/.test(n.text))!, 'in')).toMatch(/writing word 6/));
});

describe('refused page-table entries of a debug build', () => {
  const e = explainLog(log('refused-entries'));
  const [first] = e.notes;
  test('types are decoded from the words', () => {
    expect(first!.text).toBe('Bad type (saw 8c00000000000002 != exp e000000000000000) for mfn 1e918 (pfn 00118)');
    expect(factOf(first!, 'in use as')).toBe('a top-level (level 4) page table, pinned, audited; 2 uses as that');
    expect(factOf(first!, 'asked for as')).toBe('writable memory');
    expect(first!.rule).toBe('frame-has-other-type');
  });
  test('entries bit by bit', () =>
    expect(factOf(e.notes[2]!, 'entry')).toBe('frame 0x1e918: present, writable, user, guest kernel page (Xen’s own bit 52)'));
});

describe('debug keys, with the kernel that ran', () => {
  const kernel = symbolsOfKernel(readFileSync(join(import.meta.dirname, '../../samples/tinykernel/prebuilt/tinykernel-xen.elf')));
  const e = explainLog(log('debug-keys'), kernel);
  test('e: each port with what it is bound to', () => {
    const ports = noteOf(e, 'event-channels');
    expect(ports.facts).toEqual([{ name: 'port 1', value: '[0/0/0]: s=5 n=0 x=0 v=0', means: 'bound to VIRQ_TIMER, for vCPU 0' }]);
  });
  test('q: memory, pages shared with Xen, vCPUs', () => {
    const domain = noteOf(e, 'domain');
    expect(factOf(domain, 'pages')).toMatch(/^64 MiB/);
    expect(factOf(domain, 'XenPage 1fc3f')).toMatch(/^given to a domain, Xen's own memory; 2 references; in use as writable memory/);
    expect(factOf(domain, 'vCPU 0')).toBe('does not run; an event waits and will be delivered when it runs');
  });
  test('0: the guest’s stack is unwound from the dump, inlined functions too, with source lines', () => {
    const guest = e.notes.filter((n) => n.kind === 'registers').at(-1)!;
    expect(guest.frames!.map((f) => `${f.function} ${f.certainty}`)).toEqual([
      'hypercall_page exact',
      'hypercall unwound',
      'HYPERVISOR_sched_op unwound',
      'wait_for_interrupt unwound',
      'read_byte unwound',
      'echo unwound',
      'kernel_main unwound',
      '_start unwound',
    ]);
    expect(guest.frames![4]).toMatchObject({ file: expect.stringMatching(/shell\.c$/), line: expect.any(Number) });
    expect(factOf(guest, 'rip')).toMatch(/hypercall 29 \(sched_op\)/);
    expect(factOf(guest, 'rsi')).toMatch(/debug build of Xen overwrote/);
  });
  test('d: Xen’s own registers are told apart from the guest’s', () =>
    expect(e.notes.find((n) => n.kind === 'registers')!.says).toMatch(/^Registers of Xen itself/));
  test('every line is explained', () => expect(e.unread).toEqual([]));
  test('a kernel that did not run is said to be none of it', () => {
    const { remarks } = explainLog(log('crash-no-handler').replaceAll('ffffffff801033e8', 'ffffffffa0000000'), kernel);
    expect(remarks.join()).toMatch(/is it the one that ran/);
  });
});

describe('debug keys with a domU beside dom0 (event channels, domains, run queues, grants, memory, registers)', () => {
  const e = explainLog(log('debug-keys-domu'));
  test('every line is explained', () => expect(e.unread).toEqual([]));
  test('e: both sides of each channel, with the state of the FIFO queue in dom0 and the selector bit in the domU', () => {
    const [dom0, domU] = e.notes.filter((n) => n.kind === 'event-channels');
    expect(factOf(dom0!, 'port 1')).toMatch(/^bound to VIRQ_TIMER, for vCPU 0, pending; an event waits for the vCPU/);
    expect(factOf(dom0!, 'port 8')).toBe('bound to pirq 9 (interrupt 9 of Xen), for vCPU 0');
    expect(dom0!.says).toBe('Event channels of domain 0, the control domain: 18 ports in use; pending and masked: 18.');
    expect(factOf(domU!, 'port 1')).toBe('connected to port 17 of domain 0, the control domain, for vCPU 0, masked');
  });
  test('q: each domain with its pages and vCPUs', () => {
    const domains = e.notes.filter((n) => n.kind === 'domain');
    expect(domains.map((n) => factOf(n, 'pages')!.replace(/;.*|, .*/, ''))).toEqual(['512 MiB', '64 MiB']);
    expect(factOf(domains[0]!, 'vm_assist')).toMatch(/4gb_segments, writable_pagetables, pae_extended_cr3, runstate_update_flag/);
  });
  test('r: who runs, who waits, whose share', () => {
    const queues = noteOf(e, 'run-queues');
    expect(queues.says).toBe('Run queues of the scheduler: 2 vCPUs; waiting for a processor: d0v0, d1v0.');
    expect(factOf(queues, 'scheduler')).toBe('SMP Credit Scheduler rev2');
    expect(factOf(queues, 'd1v0')).toBe('vCPU 0 of domain 1, on processor 0, 0 of its share left (weight 256), busy 7% of late, sleeps');
    expect(factOf(queues, 'domain 1')).toBe('weight 256, no cap, 1 vCPU');
  });
  test('g: what dom0 maps of the domU', () => {
    const grants = e.notes.filter((n) => n.kind === 'grants').at(-1)!;
    expect(grants.says).toMatch(/^Grants of domain 1/);
    expect(factOf(grants, 'grant 0x000')).toMatch(/domain 0.* has it: mapped/);
  });
  test('m and u: how much memory is free, and where', () => {
    const [heap, nodes] = e.notes.filter((n) => n.kind === 'memory');
    expect(heap!.says).toBe('Memory of the machine: 1446 MiB free for domains.');
    expect(factOf(heap!, 'heap[19]')).toBe('487 MiB free at addresses below 4 GiB, and not below half of it');
    expect(factOf(nodes!, 'domain 1')).toBe('domain 1 has 64 MiB (pages)');
  });
});

describe('lines from bug reports', () => {
  test('a grant into an address without a table: what to do, with an old file name in front', () => {
    const note = one('(XEN) [2022-03-01 12:00:01] mm.c:3889:d0 Could not find L1 PTE for address f8684000');
    expect(note).toMatchObject({ kind: 'message', rule: 'no-l1-table' });
    expect(note.advice).toMatch(/must exist in the current tables/);
    expect(note.facts[0]).toEqual({ name: 'on behalf of', value: 'd0', means: 'domain 0, the control domain' });
  });
  test('pg_owner 32753 is I/O memory', () => {
    const note = one(
      '(XEN) mm.c:907:d16 Error getting mfn 100000 (pfn 942b1) from L1 entry 8000000100000227 for l1e_owner=16, pg_owner=32753',
    );
    expect(factOf(note, 'pg_owner')).toMatch(/DOMID_IO: I\/O memory/);
    expect(factOf(note, 'entry')).toBe('frame 0x100000: present, writable, user, accessed, software bit 9, no execute');
  });
  test('an L1TF-vulnerable entry', () => {
    const note = one('(XEN) d1 L1TF-vulnerable L1e 8010000013600066 - Crashing');
    expect(note.rule).toBe('l1tf-entry');
    expect(factOf(note, 'entry')).toMatch(/^not present, with address bits 0x13600000 left in it/);
  });
  test('a frame of nobody: no type is read out of a free frame', () => {
    const note = one('(XEN) d0v0 Error mfn 1ed0c: rd=d0 od=NULL caf=c00000000000000 taf=040000010007ffff');
    expect(factOf(note, 'od')).toMatch(/nobody: the frame is free/);
    expect(factOf(note, 'caf')).toBe('given to no domain, free; 0 references');
    expect(factOf(note, 'taf')).toBe('says nothing: the frame is free');
  });
  test('I/O memory as owner', () =>
    expect(factOf(one('(XEN) d0v0 Error mfn 00000: rd=d0 od=d[IO] caf=8000000000000001 taf=e400000000000001'), 'od')).toMatch(
      /I\/O memory, which no domain owns/,
    ));
  test('a page fault without handler: the error code in words', () =>
    expect(factOf(one('(XEN) d0v0 Unhandled: vec 14, #PF[0002]'), 'error code')).toBe(
      'nothing is mapped there, a write, by the guest’s kernel',
    ));
  test('a port that waits for ever: pending and masked', () => {
    const e = explainLog(
      '(XEN) Event channel information for domain 3:\n(XEN)     port [p/m/s]\n(XEN)        5 [1/1/ -   ]: s=3 n=1 x=0 d=0 p=12',
    );
    expect(e.notes[0]!.facts[0]!.means).toMatch(
      /connected to port 12 of domain 0.*for vCPU 1, pending, masked; an event waits and the port is masked/,
    );
    expect(e.summary[0]).toMatch(/pending and masked: 5/);
    expect(e.notes[0]!.advice).toMatch(/unmask/);
  });
  test('an event that was taken off its queue, or whose selector bit was cleared, without being handled', () => {
    const port = (line: string): string => explainLog(`(XEN) ${line}`).notes[0]!.facts[0]!.means;
    expect(port('       5 [1/0/0]: s=3 n=0 x=0 d=0 p=12')).toMatch(/the selector bit is clear/);
    expect(port('       5 [1/0/1]: s=3 n=0 x=0 d=0 p=12')).toMatch(/waits for the vCPU to take its upcall/);
    expect(port('       5 [1/0/  -   ]: s=3 n=0 x=0 d=0 p=12')).toMatch(/on no queue/);
    expect(port('       5 [1/0/  0   ]: s=3 n=0 x=0 d=0 p=12')).toMatch(/waits for the vCPU to take its upcall/);
  });
  test('a grant that was taken back while mapped', () => {
    const e = explainLog(
      '(XEN) grant-table for remote d1 (v1)\n(XEN)   1 frames (64 max), 0 maptrack frames (1024 max)\n(XEN) [0x38c]      0 0x01fc20 0x00000101          0 0x000020 0x18',
    );
    expect(e.notes[0]!.says).toMatch(/1 of them were taken back while mapped/);
    expect(e.notes[0]!.facts.at(-1)!.means).toMatch(/mapped writable 1 times, mapped read only 1 times/);
  });
});

describe('a crash of a 32-bit guest', () => {
  const e = explainLog(log('crash-32-bit'));
  test('ring 1, words of 4 bytes, the frame in its own ring without a stack pointer', () => {
    expect(factOf(noteOf(e, 'registers'), 'cs')).toMatch(/32-bit guest kernel \(ring 1\)/);
    const stack = noteOf(e, 'stack');
    expect(stack.says).toMatch(/^160 words/);
    expect(stack.facts).toEqual([
      {
        name: 'frame at c020ef80',
        value: 'c01033b3',
        means: 'an exception or event frame that Xen pushed: at c01033b3 in the kernel, events were masked',
      },
    ]);
    expect(e.summary[0]).toMatch(/at 00000000c01033b3: #UD/);
    expect(e.unread).toEqual([]);
  });
});

describe('a crash that Xen gives a reason for', () => {
  test('the reason is in the summary, the page of the rule is named', () => {
    const e = explainLog(log('crash-iret'));
    expect(e.summary[0]).toMatch(/at ffffffff801022eb: An iret went to user mode, but the vCPU has no page tables for it/);
    expect(e.notes[0]).toMatchObject({ rule: 'no-user-tables' });
    expect(e.unread).toEqual([]);
  });
});

describe('words', () => {
  test('type words, count words, entries, error codes', () => {
    expect(typeWord(0x2c00000000000001n)).toBe('a level 1 page table, pinned, audited; 1 use as that');
    expect(typeWord(0n)).toBe('no use in particular; 0 uses as that');
    expect(countWord(0x8000000000000003n)).toBe('given to a domain; 3 references');
    expect(entryWord(0x8000000000000e61n | 0x80n, 2)).toMatch(/superpage \(PS\).*no execute/);
    expect(pageFaultCode(0x15n)).toBe('the page is there, the access is not allowed, an instruction fetch, by user mode');
  });
});

describe('the tables', () => {
  test('every message of both tables is recognized when its values are filled in', () => {
    const lost: string[] = [];
    for (const { text } of [...xenMessages, ...logMessages]) {
      const line = text.replace(/\{(\w+)\}/g, (_, name: string) => ({ rest: 'a b', symbol: 'f+0x1/0x2', level: '1' })[name] ?? '1');
      const { notes } = explainLog(`(XEN) ${line}`);
      if (notes.length === 0) lost.push(line);
    }
    expect(lost).toEqual([]);
  });
  test('every rule that a message names exists and has a page with its heading', () => {
    for (const { rule, text } of logMessages) if (rule) expect(findRule(rule), text).not.toBeNull();
    const page = rulePagePath('bounce-stack')!;
    expect(page).toBe('docs/rules/refusals.md#bounce-stack');
    expect(readFileSync(join(import.meta.dirname, '../../docs/rules/refusals.md'), 'utf8')).toMatch(/bounce-stack/);
    expect(rulePagePath('wrmsr')).toBe('docs/rules/wrmsr.md');
  });
});

describe('whatever is pasted', () => {
  test('text without Xen in it says what to paste', () => {
    const e = explainLog('hello\nworld');
    expect(e.notes).toEqual([]);
    expect(logAsText(e)).toMatch(/Nothing of Xen’s was recognized: paste lines/);
  });
  test('a line of Xen’s that nothing explains is listed', () => {
    const e = explainLog('(XEN) Domain 1 (vcpu#0) crashed on cpu#2:\n(XEN) quite unheard of: 42');
    expect(e.unread).toEqual([{ line: 2, text: 'quite unheard of: 42' }]);
    expect(logAsText(e)).toMatch(/Not explained \(1 line of Xen’s\):\n {2}2: quite unheard of: 42/);
  });
  test('random pieces of real logs, cut and mixed, never throw, and every note lies in the text', () => {
    const random = seededRandom(Math.floor(Math.random() * 2 ** 31));
    const source = ['crash-no-handler', 'crash-bounce-stack', 'refused-entries', 'debug-keys'].map(log).join('\n');
    for (let i = 0; i < 300; i++) {
      const parts = Array.from({ length: 6 }, () => {
        const at = random() % source.length;
        return source.slice(at, at + (random() % 700)).replace(/[0-9a-f]/g, (c) => (random() % 40 ? c : '?'));
      });
      const text = parts.join(random() & 1 ? '\n' : '\r\n');
      const e = explainLog(text);
      const count = text.split(/\r\n|\n|\r/).length;
      for (const n of e.notes) {
        expect(n.line).toBeGreaterThan(0);
        expect(n.lastLine).toBeLessThanOrEqual(count);
        expect(n.lastLine).toBeGreaterThanOrEqual(n.line);
      }
      logAsText(e);
      logAsMarkdown(e, (rule) => rule);
    }
  });
  test('a line of a megabyte and a million empty lines take bounded time', () => {
    const start = process.cpuUsage().user;
    explainLog(`(XEN) ${'a'.repeat(1 << 20)}`);
    expect(explainLog('\n'.repeat(1_000_000)).remarks.join()).toMatch(/Only the first/);
    expect(process.cpuUsage(undefined).user - start).toBeLessThan(20e6);
  });
  test('nothing of a log is markup in the page', () => {
    const page = logAsMarkdown(explainLog('(XEN) Domain 1 (vcpu#<img src=x>) crashed on cpu#`0`:'), (rule) => rule);
    expect(page).not.toMatch(/^[^`]*<img/m);
  });
});
