// Oracle: the store of a real host, recorded (recorded/xenstore-ls.txt).

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { addDomain, type DomainDescription } from '../../simulator/xenstore/domain-nodes.ts';
import { childPath } from '../../simulator/xenstore/paths.ts';
import { permissionText } from '../../simulator/xenstore/permissions.ts';
import { XenStore } from '../../simulator/xenstore/responder.ts';
import { textOf } from '../../simulator/xenstore/wire.ts';

const recorded = readFileSync(fileURLToPath(new URL('recorded/xenstore-ls.txt', import.meta.url)), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('/'));

/** As `xenstore-ls -fp` prints it. */
function listing(store: XenStore): string[] {
  const lines: string[] = [];
  const walk = (path: string): void => {
    const node = store.tree.nodes.get(path)!;
    if (path !== '/') lines.push(`${path} = "${textOf(node.data)}"   (${node.permissions.map(permissionText).join(',')})`);
    for (const child of node.children) walk(childPath(path, child));
  };
  walk('/');
  return lines;
}

const grub: DomainDescription = {
  domain: 1,
  name: 'grub',
  uuid: 'f523c5df-9a53-4670-acce-9b4ff45f9028',
  kernel: '/guests/grub.kernel',
  cmdline: 'one two',
  memoryKib: 65536,
  vcpus: 1,
  storePort: 1,
  storeMfn: 510005,
  consolePort: 2,
  consoleMfn: 510006,
  startTime: 1795362284.24,
  tty: '/dev/pts/0',
};

test('a PV domain finds the nodes that xl creates, with their values, permissions and order', () => {
  const store = new XenStore();
  addDomain(store, grub);
  expect(recorded.length).toBeGreaterThan(80);
  // The recorded host made /local/pool before /local/domain/0's guests; the order between the two is not a domain's business.
  const sorted = (lines: readonly string[]): string[] => [...lines].sort();
  expect(sorted(listing(store))).toEqual(sorted(recorded));
  const home = (lines: readonly string[]): string[] => lines.filter((line) => /^\/(local\/domain\/1|vm\/|libxl\/)/.test(line));
  expect(home(listing(store))).toEqual(home(recorded));
});

test('every vCPU has its availability', () => {
  const store = new XenStore();
  addDomain(store, { ...grub, vcpus: 3, onlineVcpus: 2 });
  expect(store.list('/local/domain/1/cpu')).toEqual(['0', '1', '2']);
  expect(store.read('/local/domain/1/cpu/1/availability')).toBe('online');
  expect(store.read('/local/domain/1/cpu/2/availability')).toBe('offline');
});
