/* The trap table, the callbacks, and what a trap leaves for the scenario to look at. */
#include "guest.h"

/* As start.S pushes it, above it Xen's frame. */
struct frame {
#ifdef __x86_64__
	word r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
#else
	word rdi, rsi, rbp, rbx, rdx, rcx, rax;
#endif
	/* rsp and ss of a 32-bit guest only when it was in ring 3. */
	word number, error, rip, cs, rflags, rsp, ss;
};
/* Where Xen saves the mask above cs. */
#define MASK_SHIFT (sizeof(word) == 8 ? 32 : 16)

struct trap last_trap;
word after_rax, after_rbx, after_rcx, after_rdx;
word fault_base;
volatile word resume_at, resume_sp, user_end;
volatile unsigned upcalls;
volatile word upcall_ports, upcall_saved_mask;
extern char exception_stack_top[], image_start[], image_end[];

void begin_try(void)
{
	memset(&last_trap, 0, sizeof last_trap);
	last_trap.vector = -1;
}

static void on_event(const struct frame *frame)
{
	upcalls++;
	upcall_saved_mask = (frame->cs >> MASK_SHIFT) & 0xff;
	vcpu0->evtchn_upcall_pending = 0;
	vcpu0->evtchn_pending_sel = 0;
	upcall_ports |= shared->evtchn_pending[0] & ~shared->evtchn_mask[0];
	for (unsigned port = 1; port < 8 * sizeof(word); port++)
		if (!port_masked(port))
			clear_port(port);
}

/* Makes the end of the trap lead to resume_at, on the kernel's stack, with the event mask of before. */
static void go_on(struct frame *frame)
{
	word at = resume_at, flags = 0x2 | (frame->rflags & 0x200);

	resume_at = 0;
#ifdef __x86_64__
	frame->rip = at;
	frame->rsp = resume_sp;
	frame->cs = 0xe030;
	frame->ss = 0xe02b;
	frame->rflags = flags;
#else
	/* A return to the same ring leaves the stack pointer as it is. */
	asm volatile("movl %[stack], %%esp\n\t"
		     "pushl %[flags]\n\t"
		     "pushl $0xe019\n\t"
		     "pushl %[at]\n\t"
		     "jmp hypercall_page + 23 * 32"
		     :
		     : [stack] "r"(resume_sp), [flags] "r"(flags), [at] "r"(at)
		     : "memory");
	__builtin_unreachable();
#endif
}

void on_trap(struct frame *frame)
{
	unsigned mask_now = vcpu0->evtchn_upcall_mask;

	if (frame->number == 0x100) {
		on_event(frame);
		return;
	}
	last_trap.vector = frame->number;
	last_trap.error = frame->error;
	last_trap.rip = frame->rip;
	last_trap.cs = frame->cs & 0xffff;
	last_trap.mask = (frame->cs >> MASK_SHIFT) & 0xff;
	last_trap.mask_now = mask_now;
	last_trap.rflags = frame->rflags;
#ifdef __x86_64__
	last_trap.rsp = frame->rsp;
	last_trap.ss = frame->ss;
	last_trap.r11 = frame->r11;
#else
	last_trap.rsp = (frame->cs & 3) == 3 ? frame->rsp : (word)&frame->rsp;
	last_trap.ss = (frame->cs & 3) == 3 ? frame->ss : 0;
#endif
	last_trap.rcx = frame->rcx;
	last_trap.cr2 = vcpu0->arch.cr2;
	if (!resume_at) {
		end_try("unexpected trap");
		end_guest(SHUTDOWN_crash);
	}
	go_on(frame);
}

void reset_traps(void)
{
	static trap_info_t table[34];
	unsigned count = 0;

	for (unsigned vector = 0; vector < 20; vector++) {
		if (vector == 2 || vector == 15)
			continue;
		table[count++] = (trap_info_t){ .vector = vector,
			.flags = vector == 3 || vector == 4 ? 3 : 0,
			.cs = FLAT_KERNEL_CS,
			.address = (word)trap_entries + vector * 32 };
	}
	table[count] = (trap_info_t){ 0 };
	CALL(set_trap_table, 0);
	CALL(set_trap_table, table);
	SET_CALLBACKS(event_entry, failsafe_entry, syscall_entry);
	CALL(stack_switch, FLAT_KERNEL_SS, exception_stack_top);
	vcpu0->evtchn_upcall_mask = 1;
	/* The ports of a domU's console and store would be seen between those of a scenario. */
	memset(shared->evtchn_mask, 0xff, sizeof shared->evtchn_mask);
	user_end = resume_at = fault_base = 0;
	upcalls = 0;
	upcall_ports = 0;
}

void user_mode(void)
{
#ifdef __x86_64__
	mmuext(MMUEXT_NEW_USER_BASEPTR, root_mfn(), 0);
#else
	/* Ring 1 is the supervisor's, ring 3 the user's: the guest's pages are made the user's too. */
	for (char *page = image_start; page < image_end; page += PAGE_SIZE)
		map_page(page, entry_of(page, 1) | US);
	/* A processor takes the kernel's data segments away on the way to ring 3; those of the user do for both. */
	asm volatile("movw %w0, %%ds\n\tmovw %w0, %%es" : : "r"(0xe033) : "memory");
#endif
}
