/* For scenarios about grants: the domain's own number, its table, and operations on lists of one. A domain may grant to itself. */
#ifndef GRANTS_H
#define GRANTS_H

#include "guest.h"

#define OP(name, request, count) CALL(grant_table_op, GNTTABOP_##name, request, count)
#define TABLE_FRAMES 4
/* Reading and writing bits, and the type, of an entry as the guest finds it. */
#define USE(flags) ((flags) & (GTF_reading | GTF_writing))

static char grant_pages[TABLE_FRAMES][PAGE_SIZE] __attribute__((aligned(4096), unused));
static char status_page[PAGE_SIZE] __attribute__((aligned(4096), unused));

/* The only number of a domU whose pages it may ask for; every domain 0 is 0. */
static inline domid_t own_domid(void)
{
	domid_t id = 1;

	if (is_dom0())
		return 0;
	while (id < 4000 && CALL(memory_op, XENMEM_current_reservation, &id) < 0)
		id++;
	return id;
}

/* Maps the table: entries of version 1, or of version 2. */
static inline void *map_table(void)
{
	xen_pfn_t frames[TABLE_FRAMES];
	struct gnttab_setup_table setup = { .dom = DOMID_SELF, .nr_frames = TABLE_FRAMES };

	set_xen_guest_handle(setup.frame_list, frames);
	OP(setup_table, &setup, 1);
	for (unsigned n = 0; n < TABLE_FRAMES; n++)
		map_page(grant_pages[n], frame(frames[n]) | P | RW);
	return grant_pages;
}

static inline volatile uint16_t *map_status(void)
{
	uint64_t list[1];
	struct gnttab_get_status_frames get = { .dom = DOMID_SELF, .nr_frames = 1 };

	set_xen_guest_handle(get.frame_list, list);
	OP(get_status_frames, &get, 1);
	map_page(status_page, frame(list[0]) | P | RW);
	return (volatile uint16_t *)status_page;
}

static inline void grant(volatile grant_entry_v1_t *entry, domid_t to, word mfn, unsigned flags)
{
	entry->frame = mfn;
	entry->domid = to;
	entry->flags = flags;
}

static struct gnttab_map_grant_ref last_map __attribute__((unused));
static struct gnttab_unmap_grant_ref last_unmap __attribute__((unused));

static inline int map_ref(domid_t dom, grant_ref_t ref, uint64_t address, unsigned flags)
{
	last_map = (struct gnttab_map_grant_ref){ .dom = dom, .ref = ref, .host_addr = address, .flags = flags };
	OP(map_grant_ref, &last_map, 1);
	return last_map.status;
}

static inline int unmap_handle(uint64_t address, uint64_t bus, grant_handle_t handle)
{
	last_unmap = (struct gnttab_unmap_grant_ref){ .host_addr = address, .dev_bus_addr = bus, .handle = handle };
	OP(unmap_grant_ref, &last_unmap, 1);
	return last_unmap.status;
}

/* A status, as an unsigned number of 16 bits. */
static inline void status(const char *name, int number) { value(name, (uint16_t)number); }

static inline void use_version(unsigned number)
{
	struct gnttab_set_version set = { .version = number };

	OP(set_version, &set, 1);
}

#endif
