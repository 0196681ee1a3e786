/* Executes single instructions on the host processor for test/x86/flags.test.ts.
 * In, one line each: code in hex, flags, sixteen register values (rsp ignored; r15 becomes the address of a 64-byte buffer, refilled
 * before every line). Out: flags and registers afterwards, or "fault". All numbers in hex. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

uint64_t regs[16], flags, host_rsp;
unsigned char buffer[64] __attribute__((aligned(64)));
void *entry;
static sigjmp_buf escape;

extern void run(void);
extern char after[];
__asm__(
    ".text\n.globl run\nrun:\n"
    "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"
    "mov %rsp, host_rsp(%rip)\n"
    "pushq flags(%rip)\npopfq\n"
    "mov regs+0(%rip), %rax\nmov regs+8(%rip), %rcx\nmov regs+16(%rip), %rdx\nmov regs+24(%rip), %rbx\n"
    "mov regs+40(%rip), %rbp\nmov regs+48(%rip), %rsi\nmov regs+56(%rip), %rdi\nmov regs+64(%rip), %r8\n"
    "mov regs+72(%rip), %r9\nmov regs+80(%rip), %r10\nmov regs+88(%rip), %r11\nmov regs+96(%rip), %r12\n"
    "mov regs+104(%rip), %r13\nmov regs+112(%rip), %r14\nmov regs+120(%rip), %r15\n"
    "jmp *entry(%rip)\n"
    ".globl after\nafter:\n"
    "mov host_rsp(%rip), %rsp\n"
    "mov %rax, regs+0(%rip)\nmov %rcx, regs+8(%rip)\nmov %rdx, regs+16(%rip)\nmov %rbx, regs+24(%rip)\n"
    "mov %rbp, regs+40(%rip)\nmov %rsi, regs+48(%rip)\nmov %rdi, regs+56(%rip)\nmov %r8, regs+64(%rip)\n"
    "mov %r9, regs+72(%rip)\nmov %r10, regs+80(%rip)\nmov %r11, regs+88(%rip)\nmov %r12, regs+96(%rip)\n"
    "mov %r13, regs+104(%rip)\nmov %r14, regs+112(%rip)\nmov %r15, regs+120(%rip)\n"
    "pushfq\npopq flags(%rip)\ncld\n"
    "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static void caught(int sig) { siglongjmp(escape, sig); }

int main(void) {
  unsigned char *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return perror("mmap"), 1;
  struct sigaction action = {.sa_handler = caught, .sa_flags = SA_NODEFER};
  int signals[] = {SIGFPE, SIGSEGV, SIGILL, SIGBUS, SIGTRAP};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  entry = code;
  static char line[1024];
  while (fgets(line, sizeof line, stdin)) {
    char *p = line;
    unsigned n = 0, byte;
    for (; sscanf(p, "%2x", &byte) == 1 && *p != ' '; p += 2) code[n++] = byte;
    flags = strtoull(p, &p, 16);
    for (int i = 0; i < 16; i++) regs[i] = strtoull(p, &p, 16);
    for (int i = 0; i < 64; i++) buffer[i] = i * 37 + 11;
    regs[15] = (uint64_t)buffer;
    memcpy(code + n, "\xff\x25\0\0\0\0", 6);
    uint64_t back = (uint64_t)after;
    memcpy(code + n + 6, &back, 8);
    if (sigsetjmp(escape, 1)) {
      puts("fault");
      continue;
    }
    run();
    printf("%llx", (unsigned long long)flags);
    for (int i = 0; i < 16; i++) printf(" %llx", (unsigned long long)(i == 4 || i == 15 ? 0 : regs[i]));
    for (int i = 0; i < 16; i++) printf("%s%02x", i ? "" : " ", buffer[i]);
    putchar('\n');
  }
  return 0;
}
