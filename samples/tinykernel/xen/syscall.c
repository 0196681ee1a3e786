/* System calls: the number in rax, arguments in rdi and rsi, the result in rax. */
#include "kernel.h"

/* User memory starts at USER_CODE and ends below USER_STACK_TOP. */
static int user_range(uint64_t address, uint64_t length)
{
	return address >= USER_CODE && length <= USER_STACK_TOP - USER_CODE && address <= USER_STACK_TOP - length;
}

static uint64_t write(uint64_t text, uint64_t length)
{
	if (!user_range(text, length))
		return -1;
	for (uint64_t index = 0; index < length; index++)
		serial_putc(((const char *)text)[index]);
	return length;
}

void syscall(struct trap_frame *frame)
{
	switch (frame->rax) {
	case SYSCALL_WRITE:
		frame->rax = write(frame->rdi, frame->rsi);
		break;
	case SYSCALL_EXIT:
		user_leave(frame->rdi);
	default:
		frame->rax = -1;
	}
}
