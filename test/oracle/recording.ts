// Console text recorded on real Xen: a few comment lines, then the text with control characters written as escapes, one line for each line feed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = (name: string) => fileURLToPath(new URL(`recorded/${name}.txt`, import.meta.url));

/** True when the tests shall renew their recordings instead of comparing with them. */
export const recordingWanted = process.env.HYPERPORT_RECORD === '1';

/** The recorded console text, one character per byte. */
export function readRecording(name: string): string {
  if (!existsSync(path(name))) throw new Error(`${path(name)} is not there: record it with HYPERPORT_RECORD=1 (see test/oracle/README.md)`);
  const lines = readFileSync(path(name), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'));
  return lines.map(plain).join('\n').replace(/\n$/, '');
}

export function writeRecording(name: string, comments: string[], text: string): void {
  mkdirSync(dirname(path(name)), { recursive: true });
  const lines = [...comments.map((line) => `# ${line}`), ...text.split('\n').map(escaped)];
  writeFileSync(path(name), `${lines.join('\n')}\n`);
}

function escaped(line: string): string {
  const visible = [...line].map((c) => {
    if (c === '\\') return '\\\\';
    if (c === '\r') return '\\r';
    return c < ' ' || c > '~' ? hex(c) : c;
  });
  return visible.join('').replace(/^#/, hex('#')).replace(/ $/, hex(' '));
}

function hex(c: string): string {
  return `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function plain(line: string): string {
  return line.replace(/\\(\\|r|x[0-9a-f]{2})/g, (_, code: string) => {
    if (code === '\\') return '\\';
    return code === 'r' ? '\r' : String.fromCharCode(Number.parseInt(code.slice(1), 16));
  });
}
