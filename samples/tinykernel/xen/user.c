/* Starts the user task and waits until it exits. */
#include "cpu.h"

void user_task(void)
{
	uint64_t code;

	write_fs_base(USER_DATA);
	fpu_take_away();
	code = user_run(USER_CODE, USER_STACK_TOP);
	irq_enable();
	print("user: exited with %lu\n", code);
}
