// The console of a domain that ended or stands still: what it has not shown, and why.

import type { ConsoleState } from './types.ts';

const QUOTED = 400;
const quoted = (text: string): string => JSON.stringify(text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text);

/** `crashed`: the domain died, and its messages are wanted. */
export function consoleLines({ printed, waiting, refused }: ConsoleState, crashed: boolean): string[] {
  const out: string[] = [];
  if (waiting)
    out.push(
      `Console: in the ring lies ${quoted(waiting)}, not sent: after out_prod has moved, send the event channel of start_info.console.domU.evtchn.`,
    );
  if (refused)
    out.push(
      `Console: the guest gave ${quoted(refused)} to console_io, which a release build of Xen refuses to a domU (a debug build logs it): use it for early messages only, and the ring for the rest.`,
    );
  if (crashed && printed === 0 && !waiting && !refused)
    out.push(
      'Console: the guest has not printed anything; its console was not initialised yet. For messages before that, write to console_io (CONSOLEIO_write): they are shown here.',
    );
  return out;
}
