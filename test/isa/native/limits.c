/* Runs 32-bit code in segments of its own (modify_ldt) until its first fault or int3, and prints what the processor was left with:
   vector, error code, eip, eight registers, arithmetic flags, a sum of the memory. Trials come from trials.h. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

struct segment {
    unsigned base, limit, big, contents, read_only, pages;
};
struct trial {
    struct segment data, stack, code;
    unsigned reg[8], eip, length;
    unsigned char bytes[48];
};
static const struct trial trials[] = {
#include "trials.h"
};
#define MEMORY ((unsigned char *)0x20000000)
#define SIZE 0x10000
static char alternate[65536];
static long out[16];
unsigned long saved;
static struct {
    unsigned rip, cs;
} target;

static void handler(int signal, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    greg_t *g = u->uc_mcontext.gregs;
    static const int order[] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };
    __asm__ volatile("cld; pushfq; andl $~0x40000, (%%rsp); popfq" ::: "memory");
    out[0] = signal == SIGVTALRM ? 0xffff : g[REG_TRAPNO];
    out[1] = out[0] == 3 ? 0 : g[REG_ERR];
    out[2] = g[REG_RIP] & 0xffffffff;
    for (int i = 0; i < 8; i++) out[3 + i] = g[order[i]] & 0xffffffff;
    out[11] = g[REG_EFL] & 0xcd5;
    extern char resume[];
    g[REG_RIP] = (long)resume;
    g[REG_EFL] &= ~0x40500;
    g[REG_CSGSFS] = (g[REG_CSGSFS] & 0x0000ffffffff0000) | 0x33 | 0x2bul << 48;
}
extern void run(const unsigned *registers, void *far);
__asm__(".globl run\nrun: push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\nmov %rsp, saved(%rip)\n"
        "mov %rsi, %r8\nmov %rdi, %r9\n"
        "mov $0x0f, %eax\nmov %eax, %ds\nmov %eax, %es\n"
        "mov (%r9), %eax\nmov 4(%r9), %ecx\nmov 8(%r9), %edx\nmov 12(%r9), %ebx\nmov 20(%r9), %ebp\nmov 24(%r9), %esi\nmov 28(%r9), %edi\n"
        "mov 16(%r9), %r10d\nmov $0x17, %r11d\nmov %r11d, %ss\nmov %r10, %rsp\nxor %r10d, %r10d\nljmp *(%r8)\n"
        ".globl resume\nresume: mov saved(%rip), %rsp\nmov $0x2b, %eax\nmov %eax, %ss\nxor %eax, %eax\nmov %eax, %ds\nmov %eax, %es\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n");

static int set(int n, const struct segment *s)
{
    struct user_desc d = { n, s->base, s->limit, s->big, s->contents, s->read_only, s->pages, 0, 1 };
    return syscall(SYS_modify_ldt, 0x11, &d, sizeof d) != 0;
}
int main(void)
{
    stack_t stack = { .ss_sp = alternate, .ss_size = sizeof alternate };
    struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    sigaltstack(&stack, 0);
    for (int s = 1; s < 32; s++)
        if (s == SIGBUS || s == SIGSEGV || s == SIGILL || s == SIGFPE || s == SIGTRAP || s == SIGVTALRM) sigaction(s, &action, 0);
    if (mmap(MEMORY, SIZE, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MEMORY) return 1;
    for (unsigned n = 0; n < sizeof trials / sizeof *trials; n++) {
        const struct trial *t = &trials[n];
        if (set(1, &t->data) | set(2, &t->stack) | set(3, &t->code)) {
            puts("modify_ldt refused");
            return 1;
        }
        for (int i = 0; i < SIZE; i++) MEMORY[i] = i < 0x4000 ? 0xcc : i * 7 + (i >> 8);
        memcpy(MEMORY + (t->code.base + t->eip - 0x20000000), t->bytes, t->length);
        target.rip = t->eip;
        target.cs = 0x1f;
        /* A trial that never ends is ended, and told. */
        struct itimerval limit = { .it_value = { .tv_usec = 100000 } };
        setitimer(ITIMER_VIRTUAL, &limit, 0);
        run(t->reg, &target);
        unsigned sum = 0;
        for (int i = 0; i < SIZE; i++) sum = sum * 31 + MEMORY[i];
        for (int i = 0; i < 12; i++) printf("%lx ", out[i]);
        printf("%x\n", sum);
    }
    return 0;
}
