// Puts the same messages to our store and to Debian's xenstored and compares every byte that each domain gets.

import { expect } from 'vitest';
import { addDomain, type DomainDescription } from '../../simulator/xenstore/domain-nodes.ts';
import { permissionText } from '../../simulator/xenstore/permissions.ts';
import { XenStore } from '../../simulator/xenstore/responder.ts';
import { bytesOf, headerSize, type MessageName, message, messageName, readHeader, strings, textOf } from '../../simulator/xenstore/wire.ts';
import { Xenstored } from './xenstored.ts';

const shown = 120;

/** As show(), for people: long payloads are cut. */
const brief = (bytes: Uint8Array): string => {
  const text = show(bytes);
  return text.length > shown ? `${text.slice(0, shown)}… (${text.length})` : text;
};

/** `READ#7/0 "OK\0"`: type, request, transaction, payload. */
export const show = (bytes: Uint8Array): string => {
  const { type, requestId, transactionId } = readHeader(bytes);
  return `${messageName(type) ?? type}#${requestId}/${transactionId} ${JSON.stringify(textOf(bytes.subarray(headerSize)))}`;
};

export class Both {
  readonly ours = new XenStore();
  readonly real: Xenstored;
  readonly domains: readonly number[];
  private requestId = 0;
  /** What was sent so far, for the message of a failure. */
  readonly script: string[] = [];

  private constructor(real: Xenstored, domains: readonly number[]) {
    this.real = real;
    this.domains = [0, ...domains];
    for (const domain of domains) this.ours.introduce(domain);
  }

  static async start(domains: readonly number[]): Promise<Both> {
    return new Both(await Xenstored.start(domains), domains);
  }

  /** Sends a message for a domain; answers what came for it, without the events. Fails when any domain gets other bytes from the two. */
  async send(domain: number, name: MessageName, payload: Uint8Array, transaction = 0): Promise<string> {
    this.requestId++;
    const bytes = message(name, this.requestId, transaction, payload);
    this.script.push(`domain ${domain}: ${brief(bytes)}`);
    const real = (
      await this.real.handle(domain, bytes).catch((error: Error) => {
        throw new Error(`${error.message}\n${this.script.slice(-30).join('\n')}`);
      })
    ).map(show);
    const ours = this.ours.handle(domain, bytes).map(show);
    expect(ours, this.script.slice(-30).join('\n')).toEqual(real);
    for (const other of this.domains) {
      if (other === domain) continue;
      const theirs = (await this.real.take(other)).map(show);
      expect(this.ours.take(other).map(show), `events for domain ${other} after\n${this.script.slice(-30).join('\n')}`).toEqual(theirs);
    }
    return ours.find((one) => !one.startsWith('WATCH_EVENT')) ?? '';
  }

  /** Payload of the reply to a request of strings. */
  async ask(domain: number, name: MessageName, parts: readonly string[], transaction = 0): Promise<string> {
    const reply = await this.send(domain, name, strings(...parts), transaction);
    return JSON.parse(reply.slice(reply.indexOf('"'))) as string;
  }

  /** WRITE: the value has no NUL. */
  write(domain: number, path: string, value: string, transaction = 0): Promise<string> {
    return this.send(domain, 'WRITE', bytesOf(`${path}\0${value}`), transaction);
  }

  /** The nodes of a PV domain in both, by the toolstack's messages in one and by addDomain in the other. */
  async addDomain(description: DomainDescription): Promise<void> {
    const scratch = new XenStore();
    addDomain(scratch, description);
    for (const { path, data, permissions } of scratch.tree.nodes.values()) {
      if (path === '/' || path.startsWith('/tool')) continue;
      await this.write(0, path, textOf(data));
      await this.ask(0, 'SET_PERMS', [path, ...permissions.map(permissionText)]);
    }
  }

  stop(): Promise<void> {
    return this.real.stop();
  }
}
