/*
 * A multicall in which iret comes first: what follows would run for user mode with the kernel's page tables.
 *
 * Advisory: XSA-213
 * Bits: 64
 * Expected: user mode begins after iret, and the entry behind it is not carried out.
 */
#include "../security.h"

static multicall_entry_t list[2] asm("list_of_two");

SCENARIO("xsa-213-multicall-iret")
{
	user_mode();
	list[0] = (multicall_entry_t){ .op = __HYPERVISOR_iret };
	list[1] = (multicall_entry_t){ .op = __HYPERVISOR_xen_version, .args = { XENVER_version } };
	list[1].result = 0x1234;
	begin_try();
	asm volatile("pushq %%rbp\n\t"
		     "movq %%rsp, resume_sp(%%rip)\n\t"
		     "leaq 3f(%%rip), %%rsi\n\t"
		     "movq %%rsi, resume_at(%%rip)\n\t"
		     "leaq 2f(%%rip), %%rsi\n\t"
		     "movq %%rsi, user_end(%%rip)\n\t"
		     "leaq 1f(%%rip), %%rsi\n\t"
		     "movq %%rsi, last_trap + %c[start](%%rip)\n\t"
		     "pushq $0xe02b\n\t"
		     "pushq $user_stack_top\n\t"
		     "pushq $0x202\n\t"
		     "pushq $0xe033\n\t"
		     "pushq %%rsi\n\t"
		     "pushq $0\n\t"
		     "pushq %%rcx\n\t"
		     "pushq %%r11\n\t"
		     "pushq %%rax\n\t"
		     "movq $13, %%rax\n\t"
		     "leaq list_of_two(%%rip), %%rdi\n\t"
		     "movq $2, %%rsi\n\t"
		     "syscall\n"
		     "1:\n"
		     "2:\tud2\n"
		     "3:\tpopq %%rbp"
		     :
		     : [start] "i"(offsetof(struct trap, start))
		     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	end_try("a multicall of iret and another call");
	value("the call behind it was not made", list[1].result == 0x1234);
	denied(list[1].result == 0x1234);
}
