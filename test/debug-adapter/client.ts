// A DAP client that drives the real adapter in process over framed bytes, as an editor does over a pipe, and writes down
// every message as the transcript of the session.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { encodeMessage, MessageReader } from '../../debug-adapter/framing.ts';
import { Session } from '../../debug-adapter/session.ts';

export const repository = new URL('../../', import.meta.url).pathname.replace(/\/$/, '');
export const tinykernel = `${repository}/samples/tinykernel/prebuilt/tinykernel-xen.elf`;
const patience = 15_000;

type Body = Record<string, unknown>;

export class DapClient {
  readonly transcript: string[] = [];
  /** Console bytes of the guest as text. */
  console = '';
  readonly events: { readonly event: string; readonly body: Body }[] = [];
  closed = false;
  private readonly session: Session;
  private readonly fromAdapter = new MessageReader();
  private readonly toAdapter = new MessageReader();
  private last: Promise<void> = Promise.resolve();
  private seq = 1;
  private readonly answers = new Map<number, (response: DebugProtocol.Response) => void>();
  private watchers: (() => void)[] = [];
  private seen = 0;

  constructor() {
    this.session = new Session({
      cwd: repository,
      send: (message) => {
        for (const received of this.fromAdapter.push(encodeMessage(message))) this.receive(received as DebugProtocol.ProtocolMessage);
      },
      closed: () => {
        this.closed = true;
      },
    });
  }

  /** Sends a request; the whole response. */
  ask(command: string, args?: unknown): Promise<DebugProtocol.Response> {
    const seq = this.seq++;
    this.note(`→ ${command}${args === undefined ? '' : ` ${show(args)}`}`);
    const answer = within(new Promise<DebugProtocol.Response>((resolve) => this.answers.set(seq, resolve)), `an answer to ${command}`);
    for (const message of this.toAdapter.push(encodeMessage({ seq, type: 'request', command, arguments: args })))
      this.last = this.last.then(() => this.session.handle(message));
    return answer;
  }

  /** The body of a successful response. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies freely
  async request(command: string, args?: unknown): Promise<any> {
    const response = await this.ask(command, args);
    if (!response.success) throw new Error(`${command} was refused: ${response.message}`);
    return response.body;
  }

  /** The next event of that name not waited for yet. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies freely
  event(name: string): Promise<any> {
    const look = (): Body | null => {
      for (; this.seen < this.events.length; this.seen++) {
        const { event, body } = this.events[this.seen]!;
        if (event !== name) continue;
        this.seen++;
        return body ?? {};
      }
      return null;
    };
    return within(this.when(look), `the event ${name}`);
  }

  /** Waits until the guest's console shows a text. */
  async consoleShows(text: string): Promise<void> {
    await within(
      this.when(() => (this.console.includes(text) ? true : null)),
      `the console text '${text}', it shows: ${this.console}`,
    );
  }

  /** Launches a kernel with what to stop at, up to the first stop or the end. */
  async start(launch: Body, configure: () => Promise<unknown> = async () => {}): Promise<void> {
    await this.request('initialize', { adapterID: 'hyperport', linesStartAt1: true, columnsStartAt1: true });
    await this.request('launch', { program: tinykernel, pace: 'fast', ...launch });
    await this.event('initialized');
    await configure();
    await this.request('configurationDone');
  }

  private when<T>(look: () => T | null): Promise<T> {
    return new Promise((resolve) => {
      const attempt = (): boolean => {
        const found = look();
        if (found !== null) resolve(found);
        return found !== null;
      };
      if (!attempt()) {
        const watcher = (): void => {
          if (attempt()) this.watchers = this.watchers.filter((w) => w !== watcher);
        };
        this.watchers.push(watcher);
      }
    });
  }

  private receive(message: DebugProtocol.ProtocolMessage): void {
    if (message.type === 'response') {
      const response = message as DebugProtocol.Response;
      this.note(
        response.success
          ? `← ${response.command}${response.body === undefined ? '' : ` ${show(response.body)}`}`
          : `← ${response.command} REFUSED: ${response.message}`,
      );
      this.answers.get(response.request_seq)?.(response);
      return;
    }
    const { event, body } = message as DebugProtocol.Event;
    if (event === 'hyperport.console') this.console += Buffer.from(body.bytes, 'base64').toString('latin1');
    else this.note(`! ${event}${body === undefined ? '' : ` ${show(body)}`}`);
    this.events.push({ event, body });
    for (const watcher of [...this.watchers]) watcher();
  }

  private note(line: string): void {
    this.transcript.push(line.replaceAll(repository, '<repository>'));
  }
}

/** One line for small values, indented lists for long ones: a transcript is read by people. */
function show(value: unknown): string {
  const line = JSON.stringify(value);
  if (typeof value === 'string' && value.includes('\n')) return `|\n${indent(value.trimEnd())}`;
  if (typeof value !== 'object' || value === null) return line;
  if (line.length <= 140) return line;
  if (Array.isArray(value)) return `[\n${value.map((v) => indent(show(v))).join('\n')}\n]`;
  return `{\n${Object.entries(value as object)
    .map(([k, v]) => indent(`${k}: ${show(v)}`))
    .join('\n')}\n}`;
}
const indent = (text: string): string => text.replace(/^/gm, '  ');

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No ${what} within ${patience / 1000} s`)), patience);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
