/*
 * update_va_mapping: the entry of one address of the current address space, with a flush.
 *
 * Read: -EINVAL where no level 1 table maps the address or it is Xen's, -EBUSY for a frame of other use, -EPERM for no RAM; the flush flags are
 * looked at after the entry was changed.
 */
#include "guest.h"

SCENARIO("mapping-update-va")
{
	char *page = fresh_page();
	word mfn = mfn_of(page), own = mfn << 12 | P | RW, root = root_mfn(), mask = 1;

	answer("own page", CALL(update_va_mapping, page, own, 0));
	answer("address inside the page", CALL(update_va_mapping, page + 123, own, UVMF_INVLPG));
	answer("no level 1 table there", CALL(update_va_mapping, 0x1000, own, 0));
	answer("no level 4 entry there", CALL(update_va_mapping, 0x7fffffffe000, own, 0));
	answer("address of Xen: the M2P", CALL(update_va_mapping, M2P_ADDRESS, own, 0));
	answer("address of Xen: its text", CALL(update_va_mapping, XEN_ADDRESS, own, 0));
	answer("address that is not canonical", CALL(update_va_mapping, NOT_CANONICAL, own, 0));
	answer("last page of the address space", CALL(update_va_mapping, 0xfffffffffffff000, own, 0));
	answer("level 4 table, writable", CALL(update_va_mapping, page, root << 12 | P | RW, 0));
	answer("level 4 table, read only", CALL(update_va_mapping, page, root << 12 | P, UVMF_INVLPG));
	answer("frame beyond memory", CALL(update_va_mapping, page, 0xfffffUL << 12 | P, 0));
	answer("flag bit 58", CALL(update_va_mapping, page, own | 1UL << 58, 0));
	answer("not present", CALL(update_va_mapping, page, 0, UVMF_INVLPG));
	fault_base = (word)page;
	TRY_WITH("read", "movb (%%rax), %%al", page, 0, 0);
	answer("flush all, local", CALL(update_va_mapping, page, own, UVMF_TLB_FLUSH));
	answer("flush all, all vcpus", CALL(update_va_mapping, page, own, UVMF_TLB_FLUSH | UVMF_ALL));
	answer("invlpg, all vcpus", CALL(update_va_mapping, page, own, UVMF_INVLPG | UVMF_ALL));
	answer("flush all, vcpus of a mask", CALL(update_va_mapping, page, own, UVMF_TLB_FLUSH | (word)&mask));
	answer("invlpg, vcpus of a mask", CALL(update_va_mapping, page, own, UVMF_INVLPG | (word)&mask));
	answer("invlpg, mask at an unmapped address", CALL(update_va_mapping, page, own, UVMF_INVLPG | UNMAPPED));
	answer("flush type 3", CALL(update_va_mapping, page, own, 3));
	mask = 0;
	answer("invlpg, empty mask", CALL(update_va_mapping, page, own, UVMF_INVLPG | (word)&mask));
	mask = 0xfe;
	answer("invlpg, mask of vcpus that do not exist", CALL(update_va_mapping, page, own, UVMF_INVLPG | (word)&mask));

	answer("other domain: itself", CALL(update_va_mapping_otherdomain, page, own, UVMF_INVLPG, DOMID_SELF));
	answer("other domain: that does not exist", CALL(update_va_mapping_otherdomain, page, own, UVMF_INVLPG, 77));
	answer("other domain: DOMID_IO, own page", CALL(update_va_mapping_otherdomain, page, own, UVMF_INVLPG, DOMID_IO));
	answer("other domain: DOMID_XEN", CALL(update_va_mapping_otherdomain, page, own, UVMF_INVLPG, DOMID_XEN));
	answer("other domain: DOMID_INVALID", CALL(update_va_mapping_otherdomain, page, own, UVMF_INVLPG, DOMID_INVALID));
}
