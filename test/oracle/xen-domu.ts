// PV kernels as domU on real Xen: a Linux dom0 in QEMU with xenstored, xenconsoled and xl, booted once for any number of guests.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { debianVersions, ensureDebian } from '../../scripts/debian.mjs';
import { type CpioEntry, cpio } from './cpio.ts';
import { consoleLines } from './native.ts';
import { type QemuOptions, runQemu, type Typing } from './qemu.ts';
import { oracleCache, type XenVariant, xenImage } from './xen-dom0.ts';

export interface DomUGuest {
  /** Letters, digits and dashes; unique in a run. */
  name: string;
  elf: string;
  cmdline?: string;
  ramdisk?: string;
  /** MB, 64 when absent. */
  mem?: number;
  /** One when absent. */
  vcpus?: number;
  typing?: Typing[];
  /** The run of this guest is over when this text appears after all typing; else when the domain ends. */
  until?: string;
  timeoutS?: number;
  /** A domain that is made right after this one and runs beside it; it is reported too. The run is over when both have ended. */
  peer?: Omit<DomUGuest, 'peer' | 'typing' | 'until' | 'timeoutS'>;
  /** Further lines for xl's configuration, such as `tsc_mode='native'`. */
  config?: string[];
}

export interface DomURun {
  /** Console text as xenconsoled logged it. */
  console: string;
  lines: string[];
  /** shutdown, reboot, suspend, crash: the reason that the domain gave or got; running: it had not ended; refused: xl create failed (`console` is what xl said). */
  end: 'shutdown' | 'reboot' | 'suspend' | 'crash' | 'running' | 'refused';
  /** dom0's uptime in seconds when `xl create` started and when the run was over. */
  startedS: number;
  endedS: number;
}

export interface DomUOptions {
  xen?: XenVariant;
  /** QEMU's CPU model for all of it. */
  cpu?: string;
  debug?: QemuOptions['debug'];
}

const programs = ['xl', 'xenstored', 'xenconsoled', 'xen-init-dom0'].map((name) => `usr/lib/xen-4.17/bin/${name}`);
const modules = ['xen-evtchn', 'xen-gntdev', 'xen-gntalloc', 'xen-privcmd', 'xenfs/xenfs'];
const libraryFolders = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'];

/** Boots the dom0, runs the guests one after the other and answers their runs by name. */
export async function runAsDomU(guests: DomUGuest[], options: DomUOptions = {}): Promise<Record<string, DomURun>> {
  const { runs, why } = await bootedOnce(guests, options);
  const missing = guests.filter((guest) => withPeers([guest]).some(({ name }) => !runs[name]));
  if (missing.length === 0) return runs;
  // Once more, for those that were not reported or whose report came with a wrong sum.
  const again = await bootedOnce(missing, options);
  const lost = withPeers(missing).filter(({ name }) => !again.runs[name]);
  if (lost.length > 0) throw new Error(`the dom0 did not report on ${lost.map(({ name }) => name).join(', ')}. ${why}\n${again.why}`);
  return { ...runs, ...again.runs };
}

async function bootedOnce(guests: DomUGuest[], options: DomUOptions): Promise<{ runs: Record<string, DomURun>; why: string }> {
  const root = await ensureDebian(['linux', 'xen']);
  const kernel = (await readdir(join(root, 'boot'))).find((file) => file.startsWith('vmlinuz-'));
  if (!kernel) throw new Error(`no kernel in ${join(root, 'boot')}: remove .cache/debian and try again`);
  const folder = await mkdtemp(join(tmpdir(), 'hyperport-domu-'));
  try {
    const initramfs = join(folder, 'initramfs');
    const reports = join(folder, 'reports');
    await writeFile(initramfs, Buffer.concat([await guestArchive(guests), await readFile(await baseArchive(root, kernel))]));
    const seconds = guests.reduce((sum, guest) => sum + (guest.timeoutS ?? 60), 90);
    const run = await runQemu({
      args: [
        ...['-serial', `file:${reports}`, '-m', '2048', '-cpu', options.cpu ?? 'EPYC', '-kernel', await xenImage(options.xen)],
        ...['-initrd', `${join(root, 'boot', kernel)} console=hvc0 quiet loglevel=3,${initramfs}`],
        // With SMAP or SMEP this Linux dom0 dies early under QEMU's EPYC model.
        ...['-append', 'com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all noreboot=0 dom0_mem=512M smap=0 smep=0'],
      ],
      timeoutMs: seconds * 1000,
      until: /^@@ done/m,
      debug: options.debug,
    });
    const tail = consoleLines(run.output).slice(-25).join('\n');
    return { runs: parseRuns(guests, await readFile(reports, 'latin1')), why: `${run.errors}\nIts last lines:\n${tail}` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const withPeers = (guests: readonly DomUGuest[]): DomUGuest[] => guests.flatMap((guest) => (guest.peer ? [guest, guest.peer] : [guest]));

/** The runs whose report is there and has the sum that dom0 gave it. */
function parseRuns(guests: DomUGuest[], reports: string): Record<string, DomURun> {
  const runs: Record<string, DomURun> = {};
  for (const guest of withPeers(guests)) {
    const [, sum, said = ''] = new RegExp(`^@@ guest ${guest.name} (\\S+) (.*)$`, 'm').exec(reports.replaceAll('\r', '')) ?? [];
    if (createHash('md5').update(said).digest('hex') !== sum) continue;
    const fields = said.split(' ');
    const text = gunzipSync(Buffer.from(fields.at(-1) ?? '', 'base64')).toString('latin1');
    const [state = '', reason = '', started, ended] = fields;
    const refused = state === 'refused';
    runs[guest.name] = {
      console: text,
      lines: consoleLines(text),
      end: refused ? 'refused' : ending(state, reason),
      startedS: refused ? 0 : Number(started),
      endedS: refused ? 0 : Number(ended),
    };
  }
  return runs;
}

/** From xl's state letters and its reason code. */
function ending(state: string, reason: string): DomURun['end'] {
  if (!/[scd]/.test(state)) return 'running';
  return (['shutdown', 'reboot', 'suspend', 'crash'] as const)[Number(reason)] ?? 'crash';
}

/** The guests, their configurations and what is typed at them. */
async function guestArchive(guests: DomUGuest[]): Promise<Buffer> {
  const entries: CpioEntry[] = [{ path: 'guests', mode: 0o040755 }];
  const add = (path: string, data: string | Uint8Array) =>
    entries.push({ path: `guests/${path}`, mode: 0o100644, data: Buffer.from(data) });
  for (const guest of withPeers(guests)) {
    const config = [
      `name='${guest.name}'`,
      "type='pv'",
      `kernel='/guests/${guest.name}.kernel'`,
      `memory=${guest.mem ?? 64}`,
      `vcpus=${guest.vcpus ?? 1}`,
      ...(guest.cmdline ? [`extra='${guest.cmdline}'`] : []),
      ...(guest.ramdisk ? [`ramdisk='/guests/${guest.name}.ramdisk'`] : []),
      ...['poweroff', 'reboot', 'crash', 'watchdog'].map((event) => `on_${event}='preserve'`),
      ...(guest.config ?? []),
    ];
    add(`${guest.name}.kernel`, await readFile(guest.elf));
    if (guest.ramdisk) add(`${guest.name}.ramdisk`, await readFile(guest.ramdisk));
    add(`${guest.name}.cfg`, `${config.join('\n')}\n`);
    add(`${guest.name}.env`, `timeout=${guest.timeoutS ?? 60}\nuntil='${guest.until ?? ''}'\npeer='${guest.peer?.name ?? ''}'\n`);
    add(`${guest.name}.steps`, (guest.typing ?? []).map(({ after, text }) => `${after}\n${escaped(text)}\n`).join(''));
  }
  add('list', `${guests.map((guest) => guest.name).join('\n')}\n`);
  add('run.sh', readFileSync(new URL('domu/run.sh', import.meta.url)));
  return cpio(entries);
}

/** For the shell's printf. */
function escaped(text: string): string {
  return [...Buffer.from(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

/** The dom0's userland: busybox, the toolstack with the libraries that it needs, five modules. Cached by the packages' versions. */
async function baseArchive(root: string, kernel: string): Promise<string> {
  const init = readFileSync(new URL('domu/init', import.meta.url));
  const key = createHash('sha256')
    .update(JSON.stringify(await debianVersions()))
    .update(init)
    .digest('hex')
    .slice(0, 16);
  const path = join(oracleCache, `dom0-${key}.cpio.gz`);
  if (existsSync(path)) return path;
  const files = new Map<string, { data: Uint8Array; mode: number }>();
  const program = async (from: string, to: string) => files.set(to, { data: await readFile(join(root, from)), mode: 0o100755 });
  files.set('init', { data: init, mode: 0o100755 });
  await program('bin/busybox', 'bin/busybox');
  await program('usr/bin/xenstore-read', 'usr/bin/xenstore-read');
  for (const file of programs) await program(file, file);
  for (const file of [...programs, 'usr/bin/xenstore-read']) {
    for (const library of neededLibraries(root, file)) await program(library, `usr/lib/x86_64-linux-gnu/${basename(library)}`);
  }
  // glibc loads this one only when a thread is cancelled, as xl does.
  await program('lib/x86_64-linux-gnu/libgcc_s.so.1', 'usr/lib/x86_64-linux-gnu/libgcc_s.so.1');
  await program('lib/x86_64-linux-gnu/ld-linux-x86-64.so.2', 'lib64/ld-linux-x86-64.so.2');
  const release = kernel.replace('vmlinuz-', '');
  for (const module of modules) await program(`lib/modules/${release}/kernel/drivers/xen/${module}.ko`, `modules/${basename(module)}.ko`);

  const folders = new Set(['proc', 'sys', 'dev', 'etc', 'etc/xen']);
  for (const file of files.keys()) {
    for (let slash = file.indexOf('/'); slash > 0; slash = file.indexOf('/', slash + 1)) folders.add(file.slice(0, slash));
  }
  const archive = cpio([
    ...[...folders].sort().map((folder) => ({ path: folder, mode: 0o040755 })),
    { path: 'dev/console', mode: 0o020600, device: [5, 1] },
    ...[...files].map(([file, { data, mode }]) => ({ path: file, mode, data })),
  ]);
  await mkdir(oracleCache, { recursive: true });
  await writeFile(`${path}.${process.pid}`, gzipSync(archive, { level: 1 }));
  await rename(`${path}.${process.pid}`, path);
  return path;
}

/** The shared libraries of a program, relative to the root, as the unpacked loader finds them. */
function neededLibraries(root: string, program: string): string[] {
  const loader = join(root, 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2');
  const path = libraryFolders.map((folder) => join(root, folder)).join(':');
  const listing = execFileSync(loader, ['--library-path', path, '--list', join(root, program)], { encoding: 'utf8' });
  const found = [...listing.matchAll(/=> (\S+)/g)].map(([, file]) => file as string);
  const outside = found.filter((file) => !file.startsWith(root));
  if (outside.length > 0 || listing.includes('not found')) throw new Error(`${program} needs what is not unpacked:\n${listing}`);
  return found.map((file) => file.slice(root.length + 1));
}
