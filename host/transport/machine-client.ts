// The client's side of the machine protocol: requests as promises, events to a listener, over anything that carries messages.

import { UserError } from '../errors.ts';
import type { MachineHost } from '../machine-host.ts';
import type { MachineEvent, MachineMethod, Params, Result, WireMessage } from '../protocol.ts';
import { serveMachine } from '../protocol-server.ts';

export class MachineConnection {
  private readonly send: (message: WireMessage) => void;
  private readonly onEvent: (event: MachineEvent) => void;
  private readonly waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  private nextId = 1;

  constructor(send: (message: WireMessage) => void, onEvent: (event: MachineEvent) => void) {
    this.send = send;
    this.onEvent = onEvent;
  }

  /** Rejects with UserError when the host refuses. */
  request<M extends MachineMethod>(method: M, params: Params<M>): Promise<Result<M>> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ type: 'request', id, method, params } as WireMessage);
    });
  }

  receive(message: WireMessage): void {
    if (message.type === 'event') {
      const { type: _, ...event } = message;
      this.onEvent(event as MachineEvent);
    } else if (message.type === 'response' || message.type === 'error') {
      const waiting = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.type === 'response') waiting?.resolve(message.result as never);
      else waiting?.reject(new UserError(message.message));
    }
  }
}

/** A client in the host's own process; messages still arrive later, as over any other transport. */
export function connectInProcess(host: MachineHost, onEvent: (event: MachineEvent) => void): MachineConnection {
  const client = serveMachine(host, (message) => queueMicrotask(() => connection.receive(message)));
  const connection = new MachineConnection((message) => queueMicrotask(() => client.receive(message)), onEvent);
  return connection;
}

/** What a MessagePort of workers has, in Node and in browsers. */
export interface Port {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: unknown }) => void) | null;
}

/** Serves the machine on a port; returns what ends it. */
export function serveOnPort(host: MachineHost, port: Port): () => void {
  const client = serveMachine(host, (message) => port.postMessage(message));
  port.onmessage = ({ data }) => client.receive(data as WireMessage);
  return () => {
    port.onmessage = null;
    client.close();
  };
}

export function connectToPort(port: Port, onEvent: (event: MachineEvent) => void): MachineConnection {
  const connection = new MachineConnection((message) => port.postMessage(message), onEvent);
  port.onmessage = ({ data }) => connection.receive(data as WireMessage);
  return connection;
}
