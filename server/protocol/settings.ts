// Settings of the client and whether the analysis is on: hyperport.enable, with `auto` decided by signs of a kernel.

import type { Connection } from 'vscode-languageserver';
import type { Files } from './files.ts';
import { findKernelSign } from './kernel-signs.ts';

export type Enable = 'auto' | 'on' | 'off';

export interface Status {
  readonly enabled: boolean;
  /** In words. */
  readonly why: string;
}

export interface InitializationOptions {
  /** Put before a rule id in links to its page; none: diagnostics without links. */
  readonly ruleLink: string;
  readonly enable: Enable;
}

const asEnable = (value: unknown): Enable | null => (value === 'auto' || value === 'on' || value === 'off' ? value : null);

/** Whatever the client sent; what is wrong or missing takes its default. */
export function readInitializationOptions(value: unknown): InitializationOptions {
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return { ruleLink: typeof given.ruleLink === 'string' ? given.ruleLink : '', enable: asEnable(given.enable) ?? 'auto' };
}

export class Settings {
  readonly #connection: Connection;
  readonly #files: Files;
  #enable: Enable;
  #masm: 'att' | 'intel' = 'att';
  #status: Status = { enabled: false, why: 'auto: the workspace has not been looked at yet' };
  #roots: readonly string[] = [];
  #round = 0;

  constructor(connection: Connection, files: Files, enable: Enable) {
    this.#connection = connection;
    this.#files = files;
    this.#enable = enable;
  }

  get status(): Status {
    return this.#status;
  }
  get masm(): 'att' | 'intel' {
    return this.#masm;
  }
  get roots(): readonly string[] {
    return this.#roots;
  }
  set roots(roots: readonly string[]) {
    this.#roots = roots;
  }

  /** Asks the client for its settings (when it answers such questions) and decides anew. True when something changed. */
  async refresh(canAsk: boolean): Promise<boolean> {
    const round = ++this.#round;
    if (canAsk) {
      const given = (await this.#connection.workspace.getConfiguration('hyperport').catch(() => null)) as Record<string, unknown> | null;
      if (round !== this.#round) return false;
      this.#enable = asEnable(given?.enable) ?? this.#enable;
      const masm = given?.masm === 'intel' ? 'intel' : 'att';
      const changed = masm !== this.#masm;
      this.#masm = masm;
      return (await this.#decide(round)) || changed;
    }
    return this.#decide(round);
  }

  async #decide(round: number): Promise<boolean> {
    const before = this.#status;
    const status = await this.#statusNow(() => round !== this.#round);
    if (round !== this.#round) return false;
    this.#status = status;
    const changed = before.enabled !== status.enabled || before.why !== status.why;
    if (changed) void this.#connection.sendNotification('hyperport/statusChanged', status);
    return before.enabled !== status.enabled;
  }

  async #statusNow(stopped: () => boolean): Promise<Status> {
    if (this.#enable !== 'auto') return { enabled: this.#enable === 'on', why: `hyperport.enable is ${this.#enable}` };
    // Without a folder there are only the files that the user opened: nothing speaks against looking at them.
    if (this.#roots.length === 0) return { enabled: true, why: 'auto: no folder is open' };
    const sign = await findKernelSign(this.#files, this.#roots, stopped);
    if (!sign)
      return {
        enabled: false,
        why: 'auto: no signs of a kernel (linker script, lgdt or cr3 in assembly, multiboot header, Xen notes, Kbuild)',
      };
    const root = this.#roots.find((uri) => sign.uri.startsWith(uri)) ?? '';
    return { enabled: true, why: `auto: ${decodeURIComponent(sign.uri.slice(root.length).replace(/^\//, ''))} ${sign.what}` };
  }
}
