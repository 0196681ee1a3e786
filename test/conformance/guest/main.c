/* Runs the scenarios that are linked into the image, one after the other, and ends the guest. */
#include "guest.h"

start_info_t *start_info;
shared_info_t *shared;
volatile vcpu_info_t *vcpu0;
#ifdef __i386__
word m2p_address;
#endif
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
#ifdef __i386__
	struct xen_machphys_mapping m2p;

	CALL(memory_op, XENMEM_machphys_mapping, &m2p);
	m2p_address = m2p.v_start;
#endif
	UPDATE_VA(shared_page, info->shared_info | P | RW, UVMF_INVLPG);
	shared = (void *)shared_page;
	vcpu0 = &shared->vcpu_info[0];
	for (const struct scenario *one = scenarios_start; one < scenarios_end; one++) {
		reset_traps();
		print("[");
		print(one->name);
		print("]\n");
		/* What such a scenario prints must be out before the guest is gone. */
		drain_always = one->name[0] == 'e' && one->name[1] == 'n' && one->name[2] == 'd';
		one->run();
	}
	print("[end]\n");
	end_guest(SHUTDOWN_poweroff);
}
