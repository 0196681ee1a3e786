// stdin as the guest's console: raw on a terminal (Ctrl-] ends the run), plain bytes from a pipe or a file.

import type { ReadStream } from 'node:tty';
import type { Keyboard } from './session.ts';

const CTRL_BRACKET = 0x1d;
const LF = 0x0a;
const CR = 0x0d;

export interface OpenKeyboard extends Keyboard {
  close(): void;
}

/** Opens stdin (or nothing, when --input is given); SIGINT and SIGTERM interrupt the run either way. */
export function openKeyboard(stdin: ReadStream, useStdin: boolean): OpenKeyboard {
  let pending: Uint8Array[] = [];
  let atEnd = !useStdin;
  let stopped = false;
  let wake: (() => void) | null = null;
  const notify = () => {
    wake?.();
    wake = null;
  };
  const terminal = useStdin && stdin.isTTY === true;
  const onData = (chunk: Uint8Array) => {
    if (terminal && chunk.includes(CTRL_BRACKET)) stopped = true;
    // A pipe has line ends where a terminal sends what Enter sends.
    else pending.push(terminal ? Uint8Array.from(chunk) : Uint8Array.from(chunk, (byte) => (byte === LF ? CR : byte)));
    notify();
  };
  const onEnd = () => {
    atEnd = true;
    notify();
  };
  const onSignal = () => {
    stopped = true;
    notify();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  if (useStdin) {
    if (terminal) stdin.setRawMode(true);
    stdin.on('data', onData);
    stdin.on('end', onEnd);
    stdin.on('error', onEnd);
  }
  return {
    take() {
      if (pending.length === 0) return null;
      const bytes = Uint8Array.from(pending.flatMap((chunk) => [...chunk]));
      pending = [];
      return bytes;
    },
    ended: () => atEnd && pending.length === 0,
    interrupted: () => stopped,
    wait(milliseconds) {
      if (pending.length > 0 || stopped || (milliseconds === undefined && atEnd)) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = milliseconds === undefined ? null : setTimeout(notify, milliseconds);
        wake = () => {
          if (timer) clearTimeout(timer);
          resolve();
        };
      });
    },
    close() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
      if (!useStdin) return;
      if (terminal) stdin.setRawMode(false);
      stdin.off('data', onData);
      stdin.off('end', onEnd);
      stdin.off('error', onEnd);
      stdin.pause();
      stdin.unref?.();
    },
  };
}
