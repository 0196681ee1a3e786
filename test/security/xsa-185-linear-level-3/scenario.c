/*
 * A level 3 entry of a 32-bit guest that leads to a level 3 table, itself or another, which PAE has no way to make read only.
 *
 * Advisory: XSA-185
 * Bits: 32
 * Expected: -EINVAL.
 */
#include "../security.h"

SCENARIO("xsa-185-linear-level-3")
{
	pte place = frame(root_mfn()) | 1 * 8, old = *(volatile pte *)(frame_to_address_of_kernel(root_mfn()) + 8);
	long itself = write_entry(place, frame(root_mfn()) | P, MMU_NORMAL_PT_UPDATE), other;
	pte *table = fresh_page();

	answer("to itself", itself);
	table[0] = frame(root_mfn()) | P;
	make_readonly(table);
	other = mmuext(MMUEXT_PIN_L3_TABLE, mfn_of(table), 0);
	answer("pin another that leads to it", other);
	value("entry as it was", *(volatile pte *)(frame_to_address_of_kernel(root_mfn()) + 8) == old);
	denied(itself != 0 && other != 0);
}
