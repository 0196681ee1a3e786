// The consoles of several domains on one stdout: whole lines, each with the name of its domain before it.

/** Room for a line without an end, after which it is written as it is. */
const LONGEST = 4096;
const NEWLINE = 10;

export class DomainLines {
  private readonly names: ReadonlyMap<number, string>;
  private readonly write: (bytes: Uint8Array) => void;
  private readonly open = new Map<number, number[]>();

  /** `names`: of the domains by their ids. */
  constructor(names: ReadonlyMap<number, string>, write: (bytes: Uint8Array) => void) {
    this.names = names;
    this.write = write;
  }

  push(domain: number, bytes: Uint8Array): void {
    let line = this.open.get(domain);
    if (!line) {
      line = [];
      this.open.set(domain, line);
    }
    for (const byte of bytes) {
      if (byte !== NEWLINE) line.push(byte);
      if (byte === NEWLINE || line.length >= LONGEST) this.flush(domain);
    }
  }

  /** Writes what is begun: a prompt, or the last words of a domain. */
  flushAll(): void {
    for (const [domain, line] of this.open) if (line.length) this.flush(domain);
  }

  private flush(domain: number): void {
    const line = this.open.get(domain)!;
    const name = this.names.get(domain) ?? `d${domain}`;
    this.write(Uint8Array.from([...new TextEncoder().encode(`${name}| `), ...line, NEWLINE]));
    line.length = 0;
  }
}
