/*
 * physdev_op in its old form (number 19): the operation and its structure lie together in memory.
 *
 * Read: as the new form answers for the operations that the old one has, -ENOSYS for the others.
 */
#include "guest.h"

static const struct operation operations[] = {
	{ "IRQ_UNMASK_NOTIFY", 4 }, { "irq_status_query", 5 }, { "set_iopl", 6 }, { "set_iobitmap", 7 }, { "apic_read", 8 }, { "apic_write", 9 },
	{ "alloc_irq_vector", 10 }, { "free_irq_vector", 11 }, { "eoi", 12 }, { "map_pirq", 13 }, { "unmap_pirq", 14 }, { "manage_pci_add", 15 },
	{ "manage_pci_remove", 16 }, { "pirq_eoi_gmfn_v1", 17 }, { "restore_msi", 19 }, { "manage_pci_add_ext", 20 }, { "setup_gsi", 21 },
	{ "get_free_pirq", 23 }, { "pci_mmcfg_reserved", 24 }, { "pci_device_add", 25 }, { "pci_device_remove", 26 }, { "restore_msi_ext", 27 },
	{ "pirq_eoi_gmfn_v2", 28 }, { "dbgp_op", 29 }, { "prepare_msix", 30 }, { "release_msix", 31 }, { "99 (not assigned)", 99 },
};

SCENARIO("compat-physdev")
{
	static struct {
		uint32_t cmd, pad;
		uint32_t u[64];
	} request;

	answer("structure unmapped", CALL(physdev_op_compat, UNMAPPED));
	answer("structure in Xen", CALL(physdev_op_compat, XEN_ADDRESS));
	for (unsigned n = 0; n < sizeof operations / sizeof operations[0]; n++) {
		unsigned number = operations[n].number;

		/* dom0 has the machine's interrupts: of those only what fails or does nothing. */
		if (is_dom0() && number != 5 && number != 6 && number != 7 && number < 99)
			continue;
		memset(&request, 0, sizeof request);
		request.cmd = number;
		answer_of(&operations[n], "zeros", CALL(physdev_op_compat, &request));
		memset(&request, 0xff, sizeof request);
		request.cmd = number;
		answer_of(&operations[n], "all ones", CALL(physdev_op_compat, &request));
	}
	memset(&request, 0, sizeof request);
	request.cmd = PHYSDEVOP_set_iopl;
	answer("set_iopl 0 again", CALL(physdev_op_compat, &request));
	request.cmd = PHYSDEVOP_set_iobitmap;
	answer("set_iobitmap of none again", CALL(physdev_op_compat, &request));
}
