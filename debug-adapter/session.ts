// One DAP session of one machine: owns what several request families share, and passes messages to the families' handlers.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../host/errors.ts';
import type { MachineHost } from '../host/machine-host.ts';
import type { SubscribeArguments } from '../host/protocol.ts';
import type { TraceFeed } from '../host/trace-feed.ts';
import { checkArguments } from './argument-shapes.ts';
import { SessionBreakpoints } from './breakpoint-state.ts';
import { forwardEvents } from './events.ts';
import { families } from './families.ts';
import { FrameTable } from './frame-table.ts';
import type { LaunchConfiguration } from './launch-arguments.ts';
import { VariableReferences } from './variable-references.ts';

/** What a session needs of the process around it. */
export interface SessionWorld {
  send(message: DebugProtocol.ProtocolMessage): void;
  /** Called after the answer to `disconnect` was sent. */
  closed(): void;
  /** Folder that relative paths start from unless the configuration says otherwise. */
  readonly cwd: string;
}

export class Session {
  readonly world: SessionWorld;
  readonly frames = new FrameTable();
  readonly references = new VariableReferences();
  readonly breakpoints = new SessionBreakpoints();
  client: Partial<DebugProtocol.InitializeRequestArguments> = {};
  configuration: LaunchConfiguration | null = null;
  /** As the client wrote it, for a restart. */
  launchArguments: unknown = null;
  private opened: MachineHost | null = null;
  private forget: () => void = () => {};
  /** Trace records that the client wants, and the feed that brings them. */
  subscription: SubscribeArguments | null = null;
  feed: TraceFeed | null = null;
  /** A request of this client is letting the machine go on. */
  resuming = false;
  private breakpointIds = 0;
  private seq = 1;

  constructor(world: SessionWorld) {
    this.world = world;
  }

  /** Throws UserError before a successful launch. */
  get host(): MachineHost {
    if (!this.opened) throw new UserError('There is no machine yet; launch one first.');
    return this.opened;
  }
  get hasHost(): boolean {
    return this.opened !== null;
  }

  /** Replaces the machine: at launch and restart. */
  open(host: MachineHost): void {
    this.forget();
    this.opened?.run.end();
    this.opened = host;
    this.forget = forwardEvents(this, host);
  }

  /** For a new breakpoint; it keeps the number when it is set again in the machine of a restart. */
  newBreakpointId(): number {
    return ++this.breakpointIds;
  }

  /** Lets the machine go on for a request, without telling the client what it asked for. */
  resume(go: () => void): void {
    this.resuming = true;
    try {
      go();
    } finally {
      this.resuming = false;
    }
  }

  /** Line numbers as the client counts them; the debug information counts from 1. */
  toClientLine = (line: number): number => (this.client.linesStartAt1 === false ? line - 1 : line);
  fromClientLine = (line: number): number => (this.client.linesStartAt1 === false ? line + 1 : line);
  toClientColumn = (column: number): number => (this.client.columnsStartAt1 === false ? column - 1 : column);

  event(event: string, body?: unknown): void {
    this.send({ seq: this.seq++, type: 'event', event, body } as DebugProtocol.Event);
  }

  /** A line in the Debug Console. */
  output(category: 'console' | 'important', text: string): void {
    this.event('output', { category, output: text.endsWith('\n') ? text : `${text}\n` });
  }

  /** What a stop invalidates: frames and values of the guest as it was. */
  forgetStop(): void {
    this.frames.clear();
    this.references.clear();
  }

  /** A person changed the stopped guest; what the client holds stays valid and is read again. */
  edited(): void {
    this.frames.unwindAgain();
    this.event('invalidated', { areas: ['variables', 'stacks'] });
  }

  /** Answers a request; never throws. Requests are handled one after the other by the caller. */
  async handle(message: unknown): Promise<void> {
    const request = message as DebugProtocol.Request;
    if (typeof request !== 'object' || request === null || request.type !== 'request') return;
    try {
      const handler = Object.hasOwn(families, request.command) ? families[request.command] : undefined;
      if (!handler) throw new UserError(`Hyperport's debugger has no request '${request.command}'.`);
      const args: unknown = request.arguments ?? {};
      if (request.command !== 'launch') checkArguments(request.command, args);
      const answer = await handler(this, args as never);
      this.respond(request, { success: true, ...(answer.body === undefined ? {} : { body: answer.body }) });
      answer.after?.();
    } catch (error) {
      this.refuse(request, error);
    }
  }

  private respond(request: DebugProtocol.Request, rest: Partial<DebugProtocol.Response>): void {
    const { seq, command } = request;
    this.send({ seq: this.seq++, type: 'response', request_seq: seq, command, ...rest } as DebugProtocol.Response);
  }

  private refuse(request: DebugProtocol.Request, error: unknown): void {
    const known = error instanceof UserError || ['KernelImageError', 'ImageError'].includes((error as Error)?.name);
    const text = error instanceof Error ? error.message : String(error);
    const format = known ? text : `A bug of Hyperport in '${request.command}': ${text}`;
    if (!known) this.output('important', `${format}\n${(error as Error)?.stack ?? ''}`);
    const showUser = request.command === 'launch' || !known;
    this.respond(request, {
      success: false,
      message: format,
      // Braces in `format` are place holders, so text that may hold some goes in as a value.
      body: { error: { id: known ? 1 : 2, format: '{_message}', variables: { _message: format }, showUser } },
    });
  }

  private send(message: DebugProtocol.ProtocolMessage): void {
    this.world.send(message);
  }
}
