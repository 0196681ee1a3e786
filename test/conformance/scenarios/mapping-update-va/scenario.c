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
	word mfn = mfn_of(page), root = root_mfn(), mask = 1;
	pte own = frame(mfn) | P | RW;

	answer("own page", UPDATE_VA(page, own, 0));
	answer("address inside the page", UPDATE_VA(page + 123, own, UVMF_INVLPG));
	answer("no level 1 table there", UPDATE_VA(0x1000, own, 0));
	answer("no level 4 entry there", UPDATE_VA(0x7fffffffe000, own, 0));
	answer("address of Xen: the M2P", UPDATE_VA(M2P_ADDRESS, own, 0));
	answer("address of Xen: its text", UPDATE_VA(XEN_ADDRESS, own, 0));
	ONLY64(answer("address that is not canonical", UPDATE_VA(NOT_CANONICAL, own, 0));)
	answer("last page of the address space", UPDATE_VA(0xfffffffffffff000, own, 0));
	answer("level 4 table, writable", UPDATE_VA(page, frame(root) | P | RW, 0));
	answer("level 4 table, read only", UPDATE_VA(page, frame(root) | P, UVMF_INVLPG));
	answer("frame beyond memory", UPDATE_VA(page, frame(0xfffffUL) | P, 0));
	answer("flag bit 58", UPDATE_VA(page, own | 1ULL << 58, 0));
	answer("not present", UPDATE_VA(page, 0, UVMF_INVLPG));
	fault_base = (word)page;
	TRY_WITH("read", "movb (%%" R "ax), %%al", page, 0, 0);
	answer("flush all, local", UPDATE_VA(page, own, UVMF_TLB_FLUSH));
	answer("flush all, all vcpus", UPDATE_VA(page, own, UVMF_TLB_FLUSH | UVMF_ALL));
	answer("invlpg, all vcpus", UPDATE_VA(page, own, UVMF_INVLPG | UVMF_ALL));
	answer("flush all, vcpus of a mask", UPDATE_VA(page, own, UVMF_TLB_FLUSH | (word)&mask));
	answer("invlpg, vcpus of a mask", UPDATE_VA(page, own, UVMF_INVLPG | (word)&mask));
	answer("invlpg, mask at an unmapped address", UPDATE_VA(page, own, UVMF_INVLPG | UNMAPPED));
	answer("flush type 3", UPDATE_VA(page, own, 3));
	mask = 0;
	answer("invlpg, empty mask", UPDATE_VA(page, own, UVMF_INVLPG | (word)&mask));
	mask = 0xfe;
	answer("invlpg, mask of vcpus that do not exist", UPDATE_VA(page, own, UVMF_INVLPG | (word)&mask));

	answer("other domain: itself", UPDATE_VA_OF(page, own, UVMF_INVLPG, DOMID_SELF));
	answer("other domain: that does not exist", UPDATE_VA_OF(page, own, UVMF_INVLPG, 77));
	answer("other domain: DOMID_IO, own page", UPDATE_VA_OF(page, own, UVMF_INVLPG, DOMID_IO));
	answer("other domain: DOMID_XEN", UPDATE_VA_OF(page, own, UVMF_INVLPG, DOMID_XEN));
	answer("other domain: DOMID_INVALID", UPDATE_VA_OF(page, own, UVMF_INVLPG, DOMID_INVALID));
}
