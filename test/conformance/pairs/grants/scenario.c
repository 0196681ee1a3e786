/*
 * Two domains, made one right after the other from this image: pages that the first one grants, and what the second one does with them.
 *
 * The first one ('first' on its command line) grants pages and offers to take one; the second one maps, copies, gives, and tries what is not granted. They
 * wait for each other by a word in the shared page and by the flags of the entries.
 *
 * Read: statuses are unsigned 16-bit numbers: 65535 general error, 65533 bad reference, 65528 permission denied; 8 and 16 are GTF_reading and GTF_writing.
 */
#include "grants.h"

static domid_t own, peer;

static void yield(void) { CALL(sched_op, SCHEDOP_yield); }

static void first(void)
{
	volatile grant_entry_v1_t *table = map_table();
	volatile word *page = fresh_page(), *taken = fresh_page();
	char *reading = fresh_page();
	word mfn = mfn_of((void *)page);

	reading[5] = 55;
	page[0] = 0x1111;
	grant(&table[21], peer, mfn_of(reading), GTF_permit_access | GTF_readonly);
	grant(&table[22], own, mfn, GTF_permit_access);
	map_page((void *)taken, 0);
	grant(&table[23], peer, pfn_of((void *)taken), GTF_accept_transfer);
	grant(&table[20], peer, mfn, GTF_permit_access);
	while (page[1] != 1)
		yield();
	value("the peer wrote", page[0]);
	value("the entry", USE(table[20].flags));
	table[20].flags = 0;
	value("taken back while it is mapped", table[20].flags);
	make_readonly((void *)page);
	answer("as a page table: the peer maps it writable", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	answer("writable again", make_writable((void *)page));
	page[1] = 2;
	while (table[23].flags != (GTF_accept_transfer | GTF_transfer_committed | GTF_transfer_completed))
		yield();
	value("the offer", table[23].flags);
	answer("map what was given", map_page((void *)taken, frame(table[23].frame) | P | RW));
	value("what is in it", taken[3]);
	value("its pseudo-physical number is the one asked for", ((word *)M2P_ADDRESS)[table[23].frame] == pfn_of((void *)taken));
	make_readonly((void *)page);
	answer("as a page table, when the peer has unmapped it", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	value("uses left", USE(table[21].flags));
}

static int copy(unsigned flags, word from, word to)
{
	struct gnttab_copy request = { .flags = flags, .len = 8 };

	request.source.domid = flags & GNTCOPY_source_gref ? peer : DOMID_SELF;
	request.dest.domid = flags & GNTCOPY_dest_gref ? peer : DOMID_SELF;
	request.source.u.gmfn = from;
	request.dest.u.gmfn = to;
	if (flags & GNTCOPY_source_gref)
		request.source.u.ref = from;
	if (flags & GNTCOPY_dest_gref)
		request.dest.u.ref = to;
	OP(copy, &request, 1);
	return request.status;
}

static void second(void)
{
	volatile word *at = fresh_page(), *given = fresh_page();
	char *reading = fresh_page(), *to = fresh_page();
	struct gnttab_query_size size = { .dom = peer };
	struct gnttab_get_version version = { .dom = peer };
	struct gnttab_transfer give = { .domid = peer, .ref = 23 };
	grant_handle_t handle;
	word mfn = mfn_of((void *)given);

	/* The first one may not have come so far. */
	while (map_ref(peer, 20, (word)at, GNTMAP_host_map) != 0)
		yield();
	handle = last_map.handle;
	value("through the mapping", at[0]);
	at[0] = 0x2222;
	at[1] = 1;
	while (at[1] != 2)
		yield();
	status("map it again, taken back", map_ref(peer, 20, (word)to, GNTMAP_host_map));
	status("unmap that", unmap_handle((word)to, 0, last_map.handle));
	status("a read-only grant, for writing", map_ref(peer, 21, (word)reading, GNTMAP_host_map));
	status("a read-only grant", map_ref(peer, 21, (word)reading, GNTMAP_host_map | GNTMAP_readonly));
	value("through the mapping", reading[5]);
	answer("writable by hand", map_page(reading, (entry_of(reading, 1) & ~0xfffULL & ~NX) | P | RW));
	answer("again by hand, read only", map_page(to, (entry_of(reading, 1) & ~0xfffULL & ~NX) | P));
	status("unmap", unmap_handle((word)reading, 0, last_map.handle));
	status("granted to another", map_ref(peer, 22, (word)reading, GNTMAP_host_map));
	status("an offer", map_ref(peer, 23, (word)reading, GNTMAP_host_map));
	status("beyond the table", map_ref(peer, 5000, (word)reading, GNTMAP_host_map));
	map_page(to, frame(mfn_of(to)) | P | RW);
	status("copy from the read-only one", copy(GNTCOPY_source_gref, 21, mfn_of(to)));
	status("copy to it", copy(GNTCOPY_dest_gref, mfn_of(to), 21));
	status("copy from one that is granted to another", copy(GNTCOPY_source_gref, 22, mfn_of(to)));
	answer("query_size of the peer", OP(query_size, &size, 1));
	status("  status", size.status);
	answer("get_version of the peer", OP(get_version, &version, 1));
	status("unmap at last", unmap_handle((word)at, 0, handle));
	status("unmap again", unmap_handle((word)at, 0, handle));
	status("map when it is taken back", map_ref(peer, 20, (word)at, GNTMAP_host_map));
	given[3] = 0x3333;
	map_page((void *)given, 0);
	give.mfn = mfn;
	answer("transfer", OP(transfer, &give, 1));
	status("  status", give.status);
	value("it is not ours any more", map_page((void *)given, frame(mfn) | P | RW) != 0);
	give.mfn = mfn_of((void *)at);
	map_page((void *)at, 0);
	answer("a second time", OP(transfer, &give, 1));
	status("  status", give.status);
}

SCENARIO("pair-grants")
{
	const char *line = (const char *)start_info->cmd_line;
	int is_first = 0;

	for (; *line; line++)
		is_first |= *line == 'f';
	own = own_domid();
	peer = is_first ? own + 1 : own - 1;
	if (is_first)
		first();
	else
		second();
}
