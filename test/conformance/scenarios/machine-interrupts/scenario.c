/*
 * machine: interrupts of devices: mapping a line of the I/O APIC to a number of the domain, setting it up, binding it to a port, ending it.
 *
 * Line 4 is the serial port of Xen's console. A domU has no lines.
 *
 * Read: numbers that were given; the errno where Xen refuses.
 */
#include "guest.h"

static void map(const char *name, int type, int index, int pirq)
{
	struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = type, .index = index, .pirq = pirq };

	answer(name, CALL(physdev_op, PHYSDEVOP_map_pirq, &map));
	value("  number", map.pirq);
}

static long bind(unsigned pirq, evtchn_port_t *port)
{
	struct evtchn_bind_pirq bind = { .pirq = pirq };
	long result = CALL(event_channel_op, EVTCHNOP_bind_pirq, &bind);

	*port = result ? 0 : bind.port;
	return result;
}

SCENARIO("machine-interrupts")
{
	evtchn_port_t port, other;
	struct physdev_setup_gsi gsi = { .gsi = 7, .triggering = 0, .polarity = 0 };
	struct physdev_eoi eoi = { .irq = 7 };
	struct physdev_unmap_pirq unmap = { .domid = DOMID_SELF, .pirq = 7 };
	struct physdev_irq vector = { .irq = 7 };
	struct physdev_apic apic = { .apic_physbase = 0xfec00000, .reg = 1 };
	struct evtchn_status status = { .dom = DOMID_SELF };
	struct evtchn_close close;
	struct physdev_pci_device device = { .seg = 0, .bus = 0, .devfn = 8 };
	struct physdev_pci_device_add add = { .seg = 0, .bus = 0, .devfn = 8 };
	struct physdev_manage_pci manage = { .bus = 0, .devfn = 11 };
	struct physdev_restore_msi restore = { .bus = 0, .devfn = 8 };
	struct physdev_pci_mmcfg_reserved mmcfg = { .address = 0xb0000000, .end_bus = 255, .flags = XEN_PCI_MMCFG_RESERVED };
	struct physdev_dbgp_op debug = { .op = PHYSDEVOP_DBGP_RESET_PREPARE, .bus = PHYSDEVOP_DBGP_BUS_UNKNOWN };

	if (!is_dom0())
		return;
	answer("bind_pirq 7, not mapped", bind(7, &port));
	answer("eoi 7, not mapped", CALL(physdev_op, PHYSDEVOP_eoi, &eoi));
	answer("unmap_pirq 7, not mapped", CALL(physdev_op, PHYSDEVOP_unmap_pirq, &unmap));
	map("map_pirq of line 7 to 7", MAP_PIRQ_TYPE_GSI, 7, 7);
	map("map_pirq of line 7 to 7 again", MAP_PIRQ_TYPE_GSI, 7, 7);
	map("map_pirq of line 7 to any", MAP_PIRQ_TYPE_GSI, 7, -1);
	map("map_pirq of line 7 to 30", MAP_PIRQ_TYPE_GSI, 7, 30);
	map("map_pirq of line 18 to any", MAP_PIRQ_TYPE_GSI, 18, -1);
	map("map_pirq of line 0", MAP_PIRQ_TYPE_GSI, 0, 0);
	map("map_pirq of line 24", MAP_PIRQ_TYPE_GSI, 24, 24);
	map("map_pirq of line -1", MAP_PIRQ_TYPE_GSI, -1, -1);
	map("map_pirq of line 19 to 5000", MAP_PIRQ_TYPE_GSI, 19, 5000);
	map("map_pirq of type 9", 9, 7, 7);
	map("map_pirq of a message", MAP_PIRQ_TYPE_MSI, -1, -1);
	answer("alloc_irq_vector 7", CALL(physdev_op, PHYSDEVOP_alloc_irq_vector, &vector));
	value("  vector", vector.vector);
	answer("setup_gsi 7", CALL(physdev_op, PHYSDEVOP_setup_gsi, &gsi));
	answer("setup_gsi 7 again", CALL(physdev_op, PHYSDEVOP_setup_gsi, &gsi));
	gsi.gsi = 4;
	answer("setup_gsi 4, Xen's", CALL(physdev_op, PHYSDEVOP_setup_gsi, &gsi));
	gsi.gsi = 24;
	answer("setup_gsi 24", CALL(physdev_op, PHYSDEVOP_setup_gsi, &gsi));
	answer("bind_pirq 7", bind(7, &port));
	status.port = port;
	answer("status", CALL(event_channel_op, EVTCHNOP_status, &status));
	value("  kind", status.status);
	value("  interrupt", status.u.pirq);
	answer("bind_pirq 7 again", bind(7, &other));
	answer("eoi 7", CALL(physdev_op, PHYSDEVOP_eoi, &eoi));
	map("map_pirq of line 4 to 4", MAP_PIRQ_TYPE_GSI, 4, 4);
	answer("bind_pirq 4, Xen's", bind(4, &other));
	close.port = port;
	answer("close", CALL(event_channel_op, EVTCHNOP_close, &close));
	answer("bind_pirq 7 after that", bind(7, &port));
	close.port = port;
	answer("close", CALL(event_channel_op, EVTCHNOP_close, &close));
	gsi.gsi = 7;
	answer("setup_gsi 7 after that", CALL(physdev_op, PHYSDEVOP_setup_gsi, &gsi));
	answer("unmap_pirq 7", CALL(physdev_op, PHYSDEVOP_unmap_pirq, &unmap));
	answer("bind_pirq 7 after that", bind(7, &port));
	answer("apic_read of the version", CALL(physdev_op, PHYSDEVOP_apic_read, &apic));
	value("  value", apic.value);
	apic.apic_physbase = 0xfec01000;
	answer("apic_read elsewhere", CALL(physdev_op, PHYSDEVOP_apic_read, &apic));
	answer("apic_write elsewhere", CALL(physdev_op, PHYSDEVOP_apic_write, &apic));
	apic.apic_physbase = 0xfec00000;
	answer("apic_write of the version", CALL(physdev_op, PHYSDEVOP_apic_write, &apic));
	answer("pci_device_remove, not added", CALL(physdev_op, PHYSDEVOP_pci_device_remove, &device));
	answer("restore_msi, not added", CALL(physdev_op, PHYSDEVOP_restore_msi, &restore));
	answer("pci_device_add", CALL(physdev_op, PHYSDEVOP_pci_device_add, &add));
	answer("pci_device_add again", CALL(physdev_op, PHYSDEVOP_pci_device_add, &add));
	answer("restore_msi", CALL(physdev_op, PHYSDEVOP_restore_msi, &restore));
	answer("restore_msi_ext", CALL(physdev_op, PHYSDEVOP_restore_msi_ext, &device));
	answer("pci_device_remove", CALL(physdev_op, PHYSDEVOP_pci_device_remove, &device));
	answer("manage_pci_add", CALL(physdev_op, PHYSDEVOP_manage_pci_add, &manage));
	answer("manage_pci_remove", CALL(physdev_op, PHYSDEVOP_manage_pci_remove, &manage));
	answer("manage_pci_remove again", CALL(physdev_op, PHYSDEVOP_manage_pci_remove, &manage));
	answer("pci_mmcfg_reserved", CALL(physdev_op, PHYSDEVOP_pci_mmcfg_reserved, &mmcfg));
	mmcfg.flags = 2;
	answer("pci_mmcfg_reserved, flag 2", CALL(physdev_op, PHYSDEVOP_pci_mmcfg_reserved, &mmcfg));
	answer("dbgp_op", CALL(physdev_op, PHYSDEVOP_dbgp_op, &debug));
}
