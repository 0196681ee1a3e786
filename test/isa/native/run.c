// Runs single instructions on the processor it is started on: cases in on stdin, results out on stdout (layouts: host-cpu.ts).
// Each case is entered by returning from a signal handler with the wanted registers; the instruction stands in a page full of
// int3, so that whatever it does ends in a signal again, whose context is the result.

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE 0x10000000ul
#define DATA 0x20000000ul
#define DATA_BYTES 0x2000
#define READ_ONLY (DATA + 0x3000)
#define GS_BASE (DATA + 0x800)
#define START 0x800
#define MAX_DIFF 12
/* Room for the instructions of a case. */
#define MAX_CODE 64
/* Registers in the layout of fxsave64, up to xmm15. */
#define FPU_IMAGE 416

struct poke { uint64_t offset, value; };
struct test_case {
  uint32_t bits, length;
  uint8_t code[MAX_CODE];
  uint64_t regs[16];
  uint64_t flags;
  uint32_t pokes, use_image;
  struct poke poke[2];
  uint8_t image[FPU_IMAGE];
};
struct result {
  uint64_t regs[16];
  uint64_t flags, rip, cr2;
  uint32_t trap, error, differences, hash;
  struct poke difference[MAX_DIFF];
  uint8_t image[FPU_IMAGE];
};

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static struct test_case current;
static uint64_t template[DATA_BYTES / 8], expected[DATA_BYTES / 8];
static uint8_t *code_alias;
static uint64_t cs64;
static int running;

static void fail(const char *what) {
  perror(what);
  _exit(1);
}

static void fill(uint64_t *words, int count, uint64_t seed) {
  uint64_t x = seed;
  for (int i = 0; i < count; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    words[i] = x;
  }
}

static void report(int signal, ucontext_t *uc) {
  struct result r;
  memset(&r, 0, sizeof r);
  greg_t *g = uc->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) r.regs[i] = g[order[i]];
  r.flags = g[REG_EFL];
  r.rip = g[REG_RIP];
  r.cr2 = g[REG_CR2];
  r.trap = g[REG_TRAPNO];
  r.error = g[REG_ERR];
  memcpy(r.image, uc->uc_mcontext.fpregs, FPU_IMAGE);
  (void)signal;
  uint32_t hash = 2166136261u;
  const uint64_t *now = (const uint64_t *)DATA;
  for (uint64_t i = 0; i < DATA_BYTES / 8; i++) {
    if (now[i] == expected[i]) continue;
    if (r.differences < MAX_DIFF) r.difference[r.differences] = (struct poke){i * 8, now[i]};
    r.differences++;
    uint64_t v = now[i] ^ (i << 48);
    hash = (hash ^ (uint32_t)v ^ (uint32_t)(v >> 32)) * 16777619u;
  }
  r.hash = hash;
  if (fwrite(&r, sizeof r, 1, stdout) != 1) fail("write");
}

static void enter(ucontext_t *uc) {
  size_t n = fread(&current, 1, sizeof current, stdin);
  if (n != sizeof current) {
    fflush(stdout);
    _exit(n == 0 ? 0 : 1);
  }
  memcpy(expected, template, sizeof template);
  for (uint32_t i = 0; i < current.pokes; i++) memcpy((uint8_t *)expected + current.poke[i].offset, &current.poke[i].value, 8);
  memcpy((void *)DATA, expected, sizeof expected);
  memset(code_alias + START - 16, 0xcc, MAX_CODE + 32);
  memcpy(code_alias + START, current.code, current.length);
  greg_t *g = uc->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) g[order[i]] = current.regs[i];
  g[REG_RIP] = CODE + START;
  g[REG_EFL] = current.flags;
  // Every case starts with the floating-point unit as fninit leaves it.
  struct _libc_fpstate *fpu = uc->uc_mcontext.fpregs;
  fpu->cwd = 0x37f;
  fpu->swd = 0;
  fpu->ftw = 0;
  fpu->mxcsr = 0x1f80;
  if (current.use_image) {
    uint32_t mask = fpu->mxcr_mask;
    memcpy(fpu, current.image, FPU_IMAGE);
    fpu->mxcr_mask = mask;
    // In the header behind the image: x87 and SSE state are to be loaded from it.
    *(uint64_t *)((uint8_t *)fpu + 512) |= 3;
  }
  g[REG_CSGSFS] = (cs64 & ~0xffffull) | (current.bits == 32 ? 0x23 : 0x33);
}

static void handler(int signal, siginfo_t *info, void *context) {
  (void)info;
  ucontext_t *uc = context;
  if (running) report(signal, uc);
  else cs64 = uc->uc_mcontext.gregs[REG_CSGSFS];
  running = 1;
  enter(uc);
}

int main(void) {
  int fd = memfd_create("code", 0);
  if (fd < 0 || ftruncate(fd, 0x2000)) fail("memfd");
  code_alias = mmap(NULL, 0x2000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  memset(code_alias, 0xcc, 0x2000);
  if (mmap((void *)CODE, 0x2000, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) fail("code");
  if (mmap((void *)DATA, DATA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) fail("data");
  if (mmap((void *)READ_ONLY, 0x1000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) fail("read-only");
  fill(template, DATA_BYTES / 8, 0x9e3779b97f4a7c15ull);
  fill((uint64_t *)READ_ONLY, 512, 0x123456789abcdefull);
  if (mprotect((void *)READ_ONLY, 0x1000, PROT_READ)) fail("mprotect");
  // Touch every page, so that no fault is hidden by the operating system filling it in.
  for (volatile uint8_t *p = (void *)CODE; p < (uint8_t *)CODE + 0x2000; p += 4096) (void)*p;
  if (syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE)) fail("gs");
  __asm__ volatile("mov %0, %%ds; mov %0, %%es" ::"r"(0x2b));

  stack_t stack = {.ss_sp = mmap(NULL, 0x20000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = 0x20000};
  if (sigaltstack(&stack, NULL)) fail("sigaltstack");
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGUSR1};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    if (sigaction(signals[i], &action, NULL)) fail("sigaction");
  raise(SIGUSR1);
  return 1;
}
