// Talks to guest/machine.c over its serial port: the number in, one character for each dot; checksum and counter out.

export interface SerialGuest {
  send(text: string): void;
  onText(listener: (text: string) => void): void;
  /** Rejects when the machine is gone. */
  readonly ended: Promise<never>;
}

export class SerialConversation {
  private readonly guest: SerialGuest;
  private text = '';
  private wake: () => void = () => {};
  constructor(guest: SerialGuest) {
    this.guest = guest;
    guest.onText((text) => {
      this.text += text;
      this.wake();
    });
  }
  private async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const failed = /exception.*\n/.exec(this.text);
      if (failed) throw new Error(`the guest's machine stopped: ${failed[0].trim()}`);
      const found = pattern.exec(this.text);
      if (found) {
        this.text = this.text.slice(found.index + found[0].length);
        return found;
      }
      const more = new Promise<void>((done) => {
        this.wake = done;
      });
      await Promise.race([more, this.guest.ended]);
    }
  }
  async ready(): Promise<void> {
    await this.until(/ready\n/);
  }
  /** Types the number; the run begins with `go`. */
  async type(n: number): Promise<void> {
    for (const digit of String(n)) {
      this.guest.send(digit);
      await this.until(/\./);
    }
  }
  async go(): Promise<{ checksum: string; counter: bigint }> {
    this.guest.send('\n');
    const [, checksum, counter] = await this.until(/=([0-9a-f]{16}) ([0-9a-f]{16})\n/);
    return { checksum: checksum!, counter: BigInt(`0x${counter}`) };
  }
}
