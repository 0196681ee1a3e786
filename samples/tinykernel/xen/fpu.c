/* The floating point unit is given to a task when it first uses it. */
#include "cpu.h"

/* From now on the next floating point instruction traps. */
void fpu_take_away(void)
{
	set_task_switched();
}

void fpu_first_use(void)
{
	clear_task_switched();
	print("fpu: first use by the user task\n");
}
