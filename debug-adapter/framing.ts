// DAP's base protocol: `Content-Length: N`, an empty line, N bytes of JSON in UTF-8.

const longestHeader = 4096;
const longestBody = 64 * 1024 * 1024;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeMessage(message: unknown): Uint8Array {
  const body = encoder.encode(JSON.stringify(message));
  const header = encoder.encode(`Content-Length: ${body.length}\r\n\r\n`);
  const whole = new Uint8Array(header.length + body.length);
  whole.set(header);
  whole.set(body, header.length);
  return whole;
}

/** Cuts a stream of bytes into messages. */
export class MessageReader {
  private pending = new Uint8Array(0);

  /** The messages that these bytes complete. Throws Error when the stream is not DAP: there is no way to find the next message. */
  push(chunk: Uint8Array): unknown[] {
    const joined = new Uint8Array(this.pending.length + chunk.length);
    joined.set(this.pending);
    joined.set(chunk, this.pending.length);
    let rest = joined;
    const messages: unknown[] = [];
    for (;;) {
      const end = endOfHeader(rest);
      if (end < 0) {
        if (rest.length > longestHeader) throw new Error('This is no debug adapter protocol: a header of more than 4096 bytes.');
        break;
      }
      const length = contentLength(decoder.decode(rest.subarray(0, end)));
      if (rest.length < end + 4 + length) break;
      messages.push(JSON.parse(decoder.decode(rest.subarray(end + 4, end + 4 + length))));
      rest = rest.subarray(end + 4 + length);
    }
    this.pending = rest.slice();
    return messages;
  }
}

/** Index of the CR LF CR LF that ends a header, -1 when it is not there yet. */
function endOfHeader(bytes: Uint8Array): number {
  const last = Math.min(bytes.length - 3, longestHeader);
  for (let i = 0; i < last; i++) if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i;
  return -1;
}

function contentLength(header: string): number {
  const match = /^content-length:\s*([0-9]+)\s*$/im.exec(header);
  const length = match ? Number(match[1]) : Number.NaN;
  if (!(length <= longestBody)) throw new Error(`This is no debug adapter protocol: the header is '${header.slice(0, 200)}'.`);
  return length;
}
