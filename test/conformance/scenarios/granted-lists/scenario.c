/*
 * Long lists, the counters of a grant, and how handles are given out.
 *
 * A grant is mapped 128 times of a kind at most. A freed handle comes back last.
 *
 * Read: statuses are unsigned 16-bit numbers, 65535 being GNTST_general_error; handles are numbers.
 */
#include "grants.h"

#define MOST 140
#define MANY 300

SCENARIO("granted-lists")
{
	static struct gnttab_map_grant_ref maps[MANY];
	static struct gnttab_unmap_grant_ref unmaps[MANY];
	static struct gnttab_copy copies[MANY];
	volatile grant_entry_v1_t *table = map_table();
	domid_t self = own_domid();
	word mfn = mfn_of(fresh_page());
	char *at = fresh_page();
	unsigned good = 0, bad = 0, first_bad = 0, different = 0;

	grant(&table[100], self, mfn, GTF_permit_access);
	for (int n = 0; n < MOST; n++)
		maps[n] = (struct gnttab_map_grant_ref){ .dom = self, .ref = 100, .flags = GNTMAP_device_map | GNTMAP_readonly };
	answer("map one often", OP(map_grant_ref, maps, MOST));
	for (int n = 0; n < MOST; n++) {
		good += maps[n].status == 0;
		if (maps[n].status != 0 && bad++ == 0)
			first_bad = n;
	}
	value("mapped", good);
	value("first refused", first_bad);
	status("  status", maps[first_bad].status);
	status("another kind is free", map_ref(self, 100, (word)at, GNTMAP_host_map | GNTMAP_readonly));
	status("both kinds are not", map_ref(self, 100, (word)at, GNTMAP_host_map | GNTMAP_device_map | GNTMAP_readonly));
	unmap_handle((word)at, 0, maps[0].handle);
	for (unsigned n = 0; n < good; n++)
		unmaps[n] = (struct gnttab_unmap_grant_ref){ .dev_bus_addr = frame(mfn), .handle = maps[n].handle };
	answer("unmap all", OP(unmap_grant_ref, unmaps, good));
	for (unsigned n = bad = 0; n < good; n++)
		bad += unmaps[n].status != 0;
	value("refused", bad);

	for (int n = 0; n < MANY; n++) {
		grant(&table[200 + n], self, mfn, GTF_permit_access);
		maps[n] = (struct gnttab_map_grant_ref){ .dom = self, .ref = 200 + n, .flags = GNTMAP_device_map };
	}
	answer("map many", OP(map_grant_ref, maps, MANY));
	for (int n = 1; n < MANY; n++)
		different += maps[n].handle != maps[n - 1].handle && maps[n].status == 0;
	value("handles that differ from the one before", different);
	for (int n = 0; n < MANY; n++)
		unmaps[n] = (struct gnttab_unmap_grant_ref){ .dev_bus_addr = frame(mfn), .handle = maps[n].handle };
	answer("unmap many, with one twice", OP(unmap_grant_ref, unmaps, MANY));
	status("  the last", unmaps[MANY - 1].status);
	map_ref(self, 200, 0, GNTMAP_device_map);
	value("the handle freed last does not come first", last_map.handle != maps[MANY - 1].handle);
	unmap_handle(0, frame(mfn), last_map.handle);

	for (int n = 0; n < MANY; n++)
		copies[n] = (struct gnttab_copy){ .flags = GNTCOPY_source_gref,
						  .len = 4,
						  .source = { .u.ref = n == 250 ? 4000 : 200 + n % 3, .domid = self },
						  .dest = { .u.gmfn = mfn_of(at), .domid = DOMID_SELF, .offset = n } };
	answer("copy many", OP(copy, copies, MANY));
	for (int n = good = bad = 0; n < MANY; n++)
		copies[n].status == 0 ? good++ : bad++;
	value("copied", good);
	value("refused", bad);
	status("  status", copies[250].status);
}
