// The hypercall page: 128 stubs of 32 bytes, one per hypercall number. The 64-bit stubs save rcx and r11, which `syscall` loses;
// the one of iret leaves them, and rax, on the stack as part of the frame that the call reads. The 32-bit stubs use `int 0x82`, and
// that of iret leaves eax on the stack.
// Source: public/arch-x86/xen-x86_64.h and xen-x86_32.h (calling convention and iret frame).

const IRET = 23;
const STUB_BYTES = 32;

export const hypercallPage = (bits: 64 | 32): Uint8Array => (bits === 64 ? hypercallPage64() : hypercallPage32());

function hypercallPage32(): Uint8Array {
  const page = new Uint8Array(4096).fill(0xcc);
  for (let nr = 0; nr < 128; nr++) {
    const call = [0xb8, nr & 0xff, 0, 0, 0, 0xcd, 0x82];
    page.set(nr === IRET ? [0x50, ...call] : [...call, 0xc3], nr * STUB_BYTES);
  }
  return page;
}

function hypercallPage64(): Uint8Array {
  const page = new Uint8Array(4096).fill(0xcc);
  for (let nr = 0; nr < 128; nr++) {
    const number = [nr & 0xff, 0, 0, 0];
    const stub =
      nr === IRET
        ? [0x51, 0x41, 0x53, 0x50, 0xb8, ...number, 0x0f, 0x05]
        : [0x51, 0x41, 0x53, 0xb8, ...number, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3];
    page.set(stub, nr * STUB_BYTES);
  }
  return page;
}
