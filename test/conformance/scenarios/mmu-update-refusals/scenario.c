/*
 * mmu_update: what a single request is refused for.
 *
 * A request is the machine address of a page-table entry with the command in its low bits, and the new entry. Xen checks the command, the
 * frame that holds the entry, the frame that the entry names and the entry's flags; `done` counts the requests carried out before the one that
 * failed (and is written also when the call fails). Frames that are no RAM give -EPERM to dom0 and domU alike, frames of other use -EBUSY.
 *
 * Read: each name says what is wrong with the request; 0 where nothing is.
 */
#include "guest.h"

SCENARIO("mmu-update-refusals")
{
	char *page = fresh_page(), *other = fresh_page();
	word mfn = mfn_of(page), root = root_mfn();
	pte entry = entry_address(page, 1);
	unsigned done = 77;
	mmu_update_t list[4];

	answer("no requests", CALL(mmu_update, list, 0, &done, DOMID_SELF));
	value("done", done);
	answer("no requests, done null", CALL(mmu_update, list, 0, 0, DOMID_SELF));
	answer("list at an unmapped address", CALL(mmu_update, UNMAPPED, 1, &done, DOMID_SELF));
	answer("list at an address of Xen", CALL(mmu_update, XEN_ADDRESS, 1, &done, DOMID_SELF));
	done = 77;
	list[0] = (mmu_update_t){ .ptr = entry, .val = frame(mfn) | P | RW };
	answer("done at an unmapped address", CALL(mmu_update, list, 1, UNMAPPED, DOMID_SELF));
	answer("of a domain that does not exist", CALL(mmu_update, list, 1, &done, 77));
	answer("of DOMID_IO", CALL(mmu_update, list, 1, &done, DOMID_IO));
	answer("of DOMID_XEN", CALL(mmu_update, list, 1, &done, DOMID_XEN));
	answer("tables of a domain that does not exist", CALL(mmu_update, list, 1, &done, (78 << 16) | DOMID_SELF));
	answer("command 3 (no translate)", write_entry(entry, frame(mfn) | P | RW, 3));
	answer("command 4", write_entry(entry, frame(mfn) | P | RW, 4));
	answer("command 7", write_entry(entry, frame(mfn) | P | RW, 7));
	list[1] = list[0];
	list[2] = (mmu_update_t){ .ptr = entry, .val = frame(root) | P | RW };
	list[3] = list[0];
	answer("third of four refused", CALL(mmu_update, list, 4, &done, DOMID_SELF));
	value("done", done);
	answer("own page, writable", write_entry(entry, frame(mfn) | P | RW, 0));
	answer("own page, read only", write_entry(entry, frame(mfn) | P, 0));
	answer("not present, other bits set", write_entry(entry, 0xabcd0, 0));
	value("entry", entry_of(page, 1));
	answer("a table, writable", write_entry(entry, frame(root) | P | RW, 0));
	answer("a table, read only", write_entry(entry, frame(root) | P, 0));
	answer("frame beyond the machine's memory", write_entry(entry, frame(0xfffffUL) | P | RW, 0));
	answer("frame beyond 52 bits", write_entry(entry, frame(0xfffffffffUL) | P | RW, 0));
	answer("frame of all ones", write_entry(entry, frame(0xffffffffffUL) | P | RW, 0));
	answer("frame 0", write_entry(entry, frame(0UL) | P | RW, 0));
	answer("frame 0, read only", write_entry(entry, frame(0UL) | P, 0));
	answer("entry in a page that is no table", write_entry(frame(mfn_of(other)) | 8, 0x1234567, 0));
	value("that page's word 1", ((word *)other)[1]);
	answer("entry in a frame that does not exist", write_entry(frame(0xfffffUL), 0, 0));
	answer("entry in frame 0", write_entry(0, 0, 0));
	answer("shared_info mapped again", write_entry(entry, start_info->shared_info | P | RW, 0));
	answer("back to its own page", write_entry(entry, frame(mfn) | P | RW, 0));
}
