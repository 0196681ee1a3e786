/* Exceptions and events, in C. */
#include "cpu.h"

static void page_fault(struct trap_frame *frame)
{
	uintptr_t address = read_cr2();

	if (!heap_contains(address))
		panic("page fault at 0x%lx, error 0x%lx, rip 0x%lx", address, frame->error, frame->rip);
	heap_map(address);
	print("fault: mapped a page at 0x%lx\n", address & ~(uintptr_t)(PAGE_SIZE - 1));
}

void trap(struct trap_frame *frame)
{
	switch (frame->vector) {
	case VECTOR_NO_FPU:
		fpu_first_use();
		break;
	case VECTOR_PAGE_FAULT:
		page_fault(frame);
		break;
	case VECTOR_EVENT:
		events_dispatch();
		break;
	case VECTOR_SYSCALL:
		syscall(frame);
		break;
	default:
		panic("exception %lu, error 0x%lx, rip 0x%lx", frame->vector, frame->error, frame->rip);
	}
}
