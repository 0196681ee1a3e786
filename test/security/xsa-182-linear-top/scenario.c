/*
 * A top-level entry that leads to its own table, made read only first and then writable by a change of flags alone.
 *
 * Advisory: XSA-182
 * Bits: 64
 * Expected: read only it is accepted, writable it is refused with -EINVAL both times, and a store through it faults.
 */
#include "../security.h"

SCENARIO("xsa-182-linear-top")
{
	pte place = frame(root_mfn()) | 300 * 8;
	word base = 0xffff000000000000UL | 300UL << 39;
	word itself = base | 300UL << 30 | 300UL << 21 | 300UL << 12;
	long at_once = write_entry(place, frame(root_mfn()) | P | RW | US, MMU_NORMAL_PT_UPDATE), later;

	answer("writable at once", at_once);
	answer("read only", write_entry(place, frame(root_mfn()) | P | US, MMU_NORMAL_PT_UPDATE));
	later = write_entry(place, frame(root_mfn()) | P | RW | US, MMU_NORMAL_PT_UPDATE);
	answer("then writable", later);
	answer("and keeping accessed and dirty", write_entry(place, frame(root_mfn()) | P | RW | US, MMU_PT_UPDATE_PRESERVE_AD));
	value("entry is not writable", !(*(volatile pte *)(frame_to_address_of_kernel(root_mfn()) + 300 * 8) & RW));
	fault_base = itself;
	TRY_WITH("a store to the table through it", "movq %%rcx, (%%rax)", itself + 301 * 8, 0x67, 0);
	answer("taken away", write_entry(place, 0, MMU_NORMAL_PT_UPDATE));
	denied(at_once != 0 && later != 0);
}
