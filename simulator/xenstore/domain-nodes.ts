// The nodes that `xl create` makes for a PV domain, with their owners, in the order in which libxl 4.17 makes them (DIRECTORY lists in
// that order): libxl_create.c (libxl__domain_make), libxl_dom.c (libxl__build_post), libxl_console.c (libxl__device_console_add).

import { domainPath } from './paths.ts';
import type { Permission } from './permissions.ts';
import type { XenStore } from './responder.ts';

export interface DomainDescription {
  readonly domain: number;
  readonly name: string;
  /** Canonical text form. */
  readonly uuid: string;
  /** Kernel file as it was given to xl, shown in /vm. */
  readonly kernel: string;
  readonly cmdline: string;
  readonly ramdisk?: string;
  readonly memoryKib: number;
  /** memory/static-max; the memory unless given. */
  readonly maximumKib?: number;
  readonly vcpus: number;
  /** vCPUs that are online at the start; all unless given. */
  readonly onlineVcpus?: number;
  readonly storePort: number;
  readonly storeMfn: number;
  readonly consolePort: number;
  readonly consoleMfn: number;
  /** Seconds since 1970 at creation, shown in /vm with two decimals. */
  readonly startTime: number;
  /** Pseudo-terminal that xenconsoled opened. */
  readonly tty: string;
}

export interface DomainNode {
  readonly path: string;
  readonly value: string;
  readonly permissions: readonly Permission[];
}

/** Bytes that xenconsoled keeps of a console nobody reads. */
const consoleLimit = 1048576;

/** Every node, parents before children. */
export function domainNodes(description: DomainDescription): readonly DomainNode[] {
  const { domain } = description;
  const owner = (id: number): Permission => ({ domain: id, read: false, write: false });
  const readableBy = (id: number): Permission => ({ domain: id, read: true, write: false });
  /** The toolstack's, readable by the domain. */
  const readOnly = [owner(0), readableBy(domain)];
  /** The domain's own. */
  const own = [owner(domain)];
  /** The toolstack's alone. */
  const hidden = [owner(0)];
  const home = domainPath(domain);
  const vm = `/vm/${description.uuid}`;
  const libxl = `/libxl/${domain}`;
  const backend = `/local/domain/0/backend/console/${domain}/0`;
  const consoleBackend = { 'frontend-id': String(domain), online: '1', state: '1', protocol: 'vt100' };
  const nodes: DomainNode[] = [];
  const add = (permissions: readonly Permission[], path: string, value = ''): void => {
    nodes.push({ path, value, permissions });
  };

  add(readOnly, home);
  add(readOnly, vm);
  add(hidden, libxl);
  add(hidden, `${libxl}/device`);
  add(readOnly, `${home}/vm`, vm);
  add(readOnly, `${home}/name`, description.name);
  add(readOnly, `${vm}/name`, description.name);
  add(readOnly, `${home}/cpu`);
  add(readOnly, `${home}/memory`);
  add(readOnly, `${home}/device`);
  add(readOnly, `${home}/device/suspend`);
  add(own, `${home}/device/suspend/event-channel`);
  add(readOnly, `${home}/control`);
  for (const name of ['shutdown', 'feature-poweroff', 'feature-reboot', 'feature-suspend', 'sysrq']) add(own, `${home}/control/${name}`);
  for (const name of ['data', 'drivers', 'feature', 'attr', 'error']) add(own, `${home}/${name}`);
  add(readOnly, `${vm}/uuid`, description.uuid);
  add(readOnly, `${home}/control/platform-feature-multiprocessor-suspend`, '1');
  add(readOnly, `${home}/control/platform-feature-xs_reset_watches`, '1');
  add(hidden, `${libxl}/type`, 'pv');

  add(readOnly, `${home}/memory/static-max`, String(description.maximumKib ?? description.memoryKib));
  add(readOnly, `${home}/memory/target`, String(description.memoryKib));
  add(readOnly, `${home}/memory/videoram`, '0');
  add(readOnly, `${home}/domid`, String(domain));
  add(readOnly, `${home}/store`);
  add(readOnly, `${home}/store/port`, String(description.storePort));
  add(readOnly, `${home}/store/ring-ref`, String(description.storeMfn));
  const online = description.onlineVcpus ?? description.vcpus;
  for (let i = 0; i < description.vcpus; i++) {
    add(readOnly, `${home}/cpu/${i}`);
    add(readOnly, `${home}/cpu/${i}/availability`, i < online ? 'online' : 'offline');
  }
  add(readOnly, `${vm}/image`);
  add(readOnly, `${vm}/image/ostype`, 'linux');
  add(readOnly, `${vm}/image/kernel`, description.kernel);
  add(readOnly, `${vm}/start_time`, description.startTime.toFixed(2));
  if (description.ramdisk !== undefined) add(readOnly, `${vm}/image/ramdisk`, description.ramdisk);
  if (description.cmdline !== '') add(readOnly, `${vm}/image/cmdline`, description.cmdline);

  add(hidden, `${libxl}/device/console`);
  add(hidden, `${libxl}/device/console/0`);
  add(hidden, `${libxl}/device/console/0/frontend`, `${home}/console`);
  add(hidden, `${libxl}/device/console/0/backend`, backend);
  add(readOnly, `${home}/console`);
  add(readOnly, `${home}/console/backend`, backend);
  add([owner(domain), readableBy(0)], `${home}/console/backend-id`, '0');
  add(readOnly, `${home}/console/limit`, String(consoleLimit));
  add(readOnly, `${home}/console/type`, 'xenconsoled');
  add(readOnly, `${home}/console/output`, 'pty');
  add(readOnly, `${home}/console/tty`, description.tty);
  add(readOnly, `${home}/console/port`, String(description.consolePort));
  add(readOnly, `${home}/console/ring-ref`, String(description.consoleMfn));
  add(readOnly, backend);
  add(readOnly, `${backend}/frontend`, `${home}/console`);
  for (const [name, value] of Object.entries(consoleBackend)) add(readOnly, `${backend}/${name}`, value);
  for (const [name, value] of Object.entries(consoleBackend)) add(hidden, `${libxl}/device/console/0/${name}`, value);
  add(hidden, `${libxl}/dm-version`, 'qemu_xen');
  return nodes;
}

/** What xen-init-dom0 writes when the host starts. */
const hostNodes: readonly (readonly [string, string])[] = [
  ['/local/domain/0/control/feature-poweroff', '1'],
  ['/local/domain/0/control/feature-reboot', '1'],
  ['/local/domain/0/control/feature-suspend', '1'],
  ['/local/domain/0/domid', '0'],
  ['/local/domain/0/name', 'Domain-0'],
  ['/local/pool/0/name', 'Pool-0'],
];

/** Puts a domain (and what every host has) into the store and opens its connection. */
export function addDomain(store: XenStore, description: DomainDescription): void {
  for (const [path, value] of hostNodes) store.write(path, value);
  for (const { path, value, permissions } of domainNodes(description)) store.write(path, value, permissions);
  store.introduce(description.domain);
}
