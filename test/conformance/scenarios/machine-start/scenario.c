/*
 * machine: what a dom0 is told of the machine at its start: its memory map, and where the description of a video console lies.
 *
 * The console member of start_info is a union: in dom0 its two words are not a frame and a port. A domU is refused the map.
 *
 * Read: ranges as first byte, bytes, type (1 RAM, 2 reserved).
 */
#include "guest.h"

struct range {
	uint64_t start, size;
	uint32_t type;
} __attribute__((packed));

SCENARIO("machine-start")
{
	static struct range ranges[64];
	struct xen_memory_map map = { .nr_entries = 64 };
	uint64_t tables = 1;
	const struct dom0_vga_console_info *video = (void *)((char *)start_info + start_info->console.dom0.info_off);

	set_xen_guest_handle(map.buffer, (void *)ranges);
	answer("machine_memory_map", CALL(memory_op, XENMEM_machine_memory_map, &map));
	if (!is_dom0())
		return;
	value("  entries", map.nr_entries);
	for (unsigned n = 0; n < map.nr_entries; n++) {
		/* How much RAM a machine has is its own affair. */
		if (ranges[n].start == 0x100000 && ranges[n].type == 1)
			tables = ranges[n].start + ranges[n].size;
		value(ranges[n].start == tables ? "  start, behind RAM" : "  start", ranges[n].start == tables ? 0 : ranges[n].start);
		value("    bytes", ranges[n].start + ranges[n].size == tables ? 0 : ranges[n].size);
		value("    type", ranges[n].type);
	}
	for (unsigned room = 6; room < 12; room++) {
		map.nr_entries = room;
		value("machine_memory_map, room for", room);
		answer("  answer", CALL(memory_op, XENMEM_machine_memory_map, &map));
		value("  entries", map.nr_entries);
	}
	map.nr_entries = 0;
	set_xen_guest_handle(map.buffer, (void *)0);
	answer("machine_memory_map without a buffer", CALL(memory_op, XENMEM_machine_memory_map, &map));
	value("  entries", map.nr_entries);
	map.nr_entries = 64;
	set_xen_guest_handle(map.buffer, (void *)UNMAPPED);
	answer("machine_memory_map, buffer unmapped", CALL(memory_op, XENMEM_machine_memory_map, &map));
	value("console.dom0.info_off", start_info->console.dom0.info_off);
	value("console.dom0.info_size", start_info->console.dom0.info_size);
	value("  video_type", video->video_type);
}
