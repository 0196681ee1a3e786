// The shape of a request handler. Each file of requests/ exports the handlers of one family of DAP requests.

import type { Session } from './session.ts';

export interface Answer<Body> {
  readonly body?: Body;
  /** Runs when the answer has been sent: events that must come after it. */
  readonly after?: () => void;
}

// biome-ignore lint/suspicious/noExplicitAny: arguments come from the wire; each handler types its own.
export type Handler = (session: Session, args: any) => Answer<unknown> | Promise<Answer<unknown>>;

export type Family = Readonly<Record<string, Handler>>;
