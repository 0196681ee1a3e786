/* What Xen handed over. */
#include "kernel.h"

const struct start_info *xen_start_info;
const unsigned long *phys_to_machine_mapping;
uint8_t shared_info_page[PAGE_SIZE] PAGE_ALIGNED;
volatile vcpu_info_t *this_vcpu = &HYPERVISOR_shared_info->vcpu_info[0];

/* Returns the command line. */
const char *platform_init(uintptr_t information)
{
	xen_start_info = (const struct start_info *)information;
	phys_to_machine_mapping = (const unsigned long *)xen_start_info->mfn_list;
	return xen_start_info->cmd_line;
}

void platform_describe(void)
{
	unsigned long version = HYPERVISOR_xen_version(XENVER_version, NULL);

	print("platform: Xen %lu.%lu, %s, %lu MB\n", version >> 16, version & 0xffff,
	      xen_start_info->flags & SIF_INITDOMAIN ? "dom0" : "domU", xen_start_info->nr_pages / 256);
}
