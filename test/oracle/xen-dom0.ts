// A PV kernel as dom0 on real Xen (Debian's, pinned) in QEMU: the cheap oracle, a little over a second for a small guest.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { derivedCache, ensureDebian, xenVersion } from '../../scripts/debian.mjs';
import { buildXen } from '../../scripts/xen-build.mjs';
import { consoleLines } from './native.ts';
import { type QemuOptions, type QemuRun, runQemu, type Typing } from './qemu.ts';

/** Where the harness keeps what it derives from packages. */
export const oracleCache = derivedCache;

/** debian: Debian's own, 64-bit guests only. pv32, debug: rebuilt from its source (scripts/xen-build.mjs); both run 32-bit guests too. */
export type XenVariant = 'debian' | 'pv32' | 'debug';

export interface Dom0Options {
  xen?: XenVariant;
  cmdline?: string;
  /** MB for the guest. */
  mem?: number;
  /** All of them share QEMU's one processor. */
  vcpus?: number;
  /** QEMU's CPU model. */
  cpu?: string;
  typing?: Typing[];
  timeoutMs?: number;
  debug?: QemuOptions['debug'];
}

export interface Dom0Run {
  /** The guest's console, without Xen's own lines. */
  lines: string[];
  /** Xen's own lines, without their prefix. */
  xenLines: string[];
  /** shutdown: SHUTDOWN_poweroff; reboot: SHUTDOWN_reboot; crash: a crash or SHUTDOWN_crash; none: the guest did not end in time, or Xen did not start it. */
  end: 'shutdown' | 'reboot' | 'crash' | 'none';
  /** ms from QEMU's start to the guest's first line; null when there was none. */
  firstLineMs: number | null;
  run: QemuRun;
}

/** Xen's multiboot image; a variant that is not built yet is built, which takes minutes. */
export async function xenImage(variant: XenVariant = 'debian'): Promise<string> {
  if (variant !== 'debian') return buildXen(variant);
  const root = await ensureDebian(['xen']);
  const path = join(oracleCache, `xen-${xenVersion}`);
  if (!existsSync(path)) {
    await mkdir(oracleCache, { recursive: true });
    await writeFile(`${path}.${process.pid}`, gunzipSync(await readFile(join(root, 'boot/xen-4.17-amd64.gz'))));
    await rename(`${path}.${process.pid}`, path);
  }
  return path;
}

/** Boots the ELF as dom0 and follows it to its end. No sync_console: it would cost three seconds. */
export async function runOnXen(elf: string, options: Dom0Options = {}): Promise<Dom0Run> {
  // A comma separates modules in -initrd; doubled it is a comma.
  const module = [elf, options.cmdline ?? ''].join(' ').trim().replaceAll(',', ',,');
  const run = await runQemu({
    args: [
      ...['-m', '512', '-cpu', options.cpu ?? 'qemu64', '-kernel', await xenImage(options.xen), '-initrd', module],
      ...[
        '-append',
        `com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all noreboot=0 dom0_mem=${options.mem ?? 64}M${options.vcpus && options.vcpus > 1 ? ` dom0_max_vcpus=${options.vcpus}` : ''}`,
      ],
    ],
    timeoutMs: options.timeoutMs ?? 60_000,
    until: /Hardware Dom0 [^\n]*(halting|rebooting) machine|Hardware Dom0 shutdown \(|Reboot in five seconds/,
    first: /init memory\r*\n+[^\n(][^\n]*\n/,
    typing: options.typing,
    debug: options.debug,
  });
  const all = consoleLines(run.output.replace(/^[\s\S]*?Freed \d+kB init memory\r*\n/, ''));
  const isXen = (line: string) => line.startsWith('(XEN) ');
  return {
    lines: all.filter((line) => !isXen(line)),
    xenLines: consoleLines(run.output)
      .filter(isXen)
      .map((line) => line.slice(6)),
    end: ending(run.output),
    firstLineMs: run.firstMs,
    run,
  };
}

function ending(output: string): Dom0Run['end'] {
  if (/Dom0 halted: halting machine/.test(output)) return 'shutdown';
  if (/Dom0 crashed/.test(output)) return 'crash';
  if (/Dom0 shutdown: rebooting/.test(output)) return 'reboot';
  return 'none';
}
