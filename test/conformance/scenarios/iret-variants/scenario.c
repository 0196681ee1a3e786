/*
 * The iret hypercall with unusual frames.
 *
 * Xen forces the RPL to 3, keeps IOPL and VM out of the flags, and sets the event mask from IF. A selector that cannot be loaded faults on the way out:
 * the kernel then gets its failsafe callback or the fault, with the frame that it wanted to return to.
 *
 * Read: where the kernel arrives.
 * Bits: 64
 */
#include "guest.h"

/* iret to label 1 of the code that follows, with the given selectors and flags. */
#define IRET(name, to_cs, to_ss, to_flags, to_rip, context)                                                                         \
	do {                                                                                                               \
		word a = (word)(to_cs), c = (word)(to_ss), d = (word)(to_flags), b = (word)(to_rip);                                  \
		begin_try();                                                                                               \
		asm volatile("movq %%rsp, resume_sp(%%rip)\n\t"                                                            \
			     "leaq 2f(%%rip), %%rsi\n\t"                                                                   \
			     "movq %%rsi, resume_at(%%rip)\n\t"                                                            \
			     "leaq 1f(%%rip), %%rsi\n\t"                                                                   \
			     "movq %%rsi, last_trap + %c[start](%%rip)\n\t"                                                \
			     "testq %%rbx, %%rbx\n\t"                                                                      \
			     "cmovnzq %%rbx, %%rsi\n\t"                                                                    \
			     "movq %%rsp, %%rdi\n\t"                                                                       \
			     "pushq %%rcx\n\t"                                                                             \
			     "pushq %%rdi\n\t"                                                                             \
			     "pushq %%rdx\n\t"                                                                             \
			     "pushq %%rax\n\t"                                                                             \
			     "pushq %%rsi\n\t"                                                                             \
			     "pushq %[context_flags]\n\t"                                                                  \
			     "movl $0x1111, %%ecx\n\t"                                                                     \
			     "movl $0x2222, %%r11d\n\t"                                                                    \
			     "movl $0x3333, %%eax\n\t"                                                                     \
			     "jmp hypercall_page + 23 * 32\n"                                                              \
			     "1:\tmovq %%rcx, after_rcx(%%rip)\n\t"                                                        \
			     "movq %%r11, after_rdx(%%rip)\n\t"                                                            \
			     "movq %%rax, after_rax(%%rip)\n\t"                                                            \
			     "ud2\n"                                                                                       \
			     "2:"                                                                                          \
			     : "+a"(a), "+b"(b), "+c"(c), "+d"(d)                                                          \
			     : [start] "i"(offsetof(struct trap, start)), [context_flags] "i"(context)                     \
			     : "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");                                    \
		end_try(name);                                                                                             \
		value("  cs", last_trap.cs);                                                                               \
		value("  ss", last_trap.ss);                                                                               \
		value("  rflags without arithmetic flags", last_trap.rflags & ~0x8d5UL);                                   \
		value("  mask", last_trap.mask);                                                                           \
		vcpu0->evtchn_upcall_mask = 1;                                                                             \
	} while (0)

SCENARIO("iret-variants")
{
	IRET("to the kernel", 0xe030, 0xe02b, 0x202, 0, 0);
	value("  rcx", after_rcx);
	value("  r11", after_rdx);
	value("  rax", after_rax);
	IRET("to the kernel, IF clear", 0xe030, 0xe02b, 0x2, 0, 0);
	IRET("to the kernel, mask bits in cs", 0xff0000e030, 0xe02b, 0x202, 0, 0);
	IRET("to the kernel, VGCF_in_syscall", 0xe030, 0xe02b, 0x202, 0, 0x100);
	value("  rcx is rip", after_rcx == last_trap.start);
	value("  r11 without arithmetic flags", after_rdx & ~0x8d5UL);
	IRET("ss 0", 0xe030, 0, 0x202, 0, 0);
	IRET("ss 3", 0xe030, 3, 0x202, 0, 0);
	IRET("ss with RPL 0", 0xe030, 0xe028, 0x202, 0, 0);
	IRET("ss that does not exist", 0xe030, 0x1230, 0x202, 0, 0);
	IRET("cs that does not exist", 0x1230, 0xe02b, 0x202, 0, 0);
	IRET("cs 0", 0, 0xe02b, 0x202, 0, 0);
	IRET("cs is a data selector", 0xe028, 0xe02b, 0x202, 0, 0);
	IRET("cs of Xen", 0xe008, 0xe02b, 0x202, 0, 0);
	IRET("rip that is not canonical", 0xe030, 0xe02b, 0x202, NOT_CANONICAL, 0);
	IRET("rip that is not mapped", 0xe030, 0xe02b, 0x202, 0x1000, 0);
	IRET("rip in Xen", 0xe030, 0xe02b, 0x202, XEN_ADDRESS, 0);
	IRET("flags: IOPL 3, VM, RF, NT", 0xe030, 0xe02b, 0x37202, 0, 0);
	IRET("flags: all ones but TF", 0xe030, 0xe02b, 0xffffffffffeffeffUL, 0, 0);
	IRET("flags: 0", 0xe030, 0xe02b, 0, 0, 0);
}
