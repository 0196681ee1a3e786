/*
 * Complaint 1: the domain crashes before its console works, without a message.
 * The kernel asks Xen for its version, then uses a pointer to start_info that it never set.
 */
#define OWN_START
#include "complaint.h"

static start_info_t *boot_info;

static NOINLINE unsigned long pages_of_ram(const start_info_t *info)
{
	return info->nr_pages; /* the fault */
}

void guest_main(start_info_t *info)
{
	(void)info;
	CALL(xen_version, XENVER_version);
	CALL(vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
	kept = pages_of_ram(boot_info);
}

static void __attribute__((unused)) run(void) {}
