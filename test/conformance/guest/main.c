/* Runs the scenarios that are linked into the image, one after the other, and ends the guest. */
#include "guest.h"

start_info_t *start_info;
shared_info_t *shared;
volatile vcpu_info_t *vcpu0;
extern const struct scenario scenarios_start[], scenarios_end[];

void end_guest(unsigned reason)
{
	struct sched_shutdown shutdown = { .reason = reason };

	drain_output();
	CALL(sched_op, SCHEDOP_shutdown, &shutdown);
	for (;;)
		;
}

void guest_main(start_info_t *info)
{
	static char shared_page[PAGE_SIZE] __attribute__((aligned(4096)));

	start_info = info;
	CALL(update_va_mapping, shared_page, info->shared_info | P | RW, UVMF_INVLPG);
	shared = (void *)shared_page;
	vcpu0 = &shared->vcpu_info[0];
	for (const struct scenario *one = scenarios_start; one < scenarios_end; one++) {
		reset_traps();
		print("[");
		print(one->name);
		print("]\n");
		one->run();
	}
	print("[end]\n");
	end_guest(SHUTDOWN_poweroff);
}
