/*
 * vm_assist, and what writable_pagetables does for stores to page tables.
 *
 * With the assist, a store of the kernel to a level 1 table in use is carried out by Xen as an mmu_update; without it the kernel gets the page fault.
 * Tables of other levels and other read-only pages fault either way.
 *
 * Read: `runs` where Xen carried the store out, `#PF(0x3)` where not; the user bit that Xen adds shows that the store went through it.
 * Bits: 64
 */
#include "guest.h"

static word *table;

static void stores(void)
{
	fault_base = (word)table;
	TRY_WITH("  store of a good entry", "movq %%rcx, (%%rax)", table, mfn_of(table) << 12 | P, 0);
	value("  entry", table[0] & 0xfff);
	TRY_WITH("  store of a refused entry", "movq %%rcx, 8(%%rax)", table, root_mfn() << 12 | P | RW, 0);
	TRY_WITH("  store of an entry that is not present", "movq $0, (%%rax)", table, 0, 0);
	TRY_WITH("  store of 32 bits", "movl $0, 4(%%rax)", table, 0, 0);
	TRY_WITH("  store across two entries", "movl $0, 6(%%rax)", table, 0, 0);
	TRY_WITH("  xchg", "xchgq %%rcx, 16(%%rax)", table, 0, 0);
	TRY_WITH("  lock cmpxchg", "movq %%rax, %%rdx; xorl %%eax, %%eax; lock cmpxchgq %%rcx, 24(%%rdx)", table, mfn_of(table) << 12 | P, 0);
	value("  entry", table[3] & 0xfff);
	TRY_WITH("  lock btr", "lock btrq $0, 24(%%rax)", table, 0, 0);
	value("  entry", table[3] & 0xfff);
	TRY_WITH("  rep stos of one", "movq %%rax, %%rdi; xorl %%eax, %%eax; rep stosq", table + 4, 1, 0);
	fault_base = start_info->pt_base;
	TRY_WITH("  store to the level 4 table", "movq %%rcx, 80(%%rax)", start_info->pt_base, 0, 0);
}

SCENARIO("assist-writable-tables")
{
	table = fresh_page();
	make_readonly(table);
	answer("pin", mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(table), 0));
	text("as the domain starts", "");
	stores();
	answer("disable writable_pagetables", CALL(vm_assist, VMASST_CMD_disable, VMASST_TYPE_writable_pagetables));
	stores();
	answer("enable writable_pagetables", CALL(vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
	stores();
	answer("disable writable_pagetables", CALL(vm_assist, VMASST_CMD_disable, VMASST_TYPE_writable_pagetables));
	answer("unpin", mmuext(MMUEXT_UNPIN_TABLE, mfn_of(table), 0));

	for (unsigned type = 0; type < 8; type++) {
		char name[] = "enable type 0";

		name[12] += type;
		answer(name, CALL(vm_assist, VMASST_CMD_enable, type));
	}
	for (unsigned type = 0; type < 8; type++) {
		char name[] = "disable type 0";

		name[13] += type;
		answer(name, CALL(vm_assist, VMASST_CMD_disable, type));
	}
	answer("enable type 32 (m2p_strict)", CALL(vm_assist, VMASST_CMD_enable, 32));
	answer("disable type 32", CALL(vm_assist, VMASST_CMD_disable, 32));
	answer("enable type 31", CALL(vm_assist, VMASST_CMD_enable, 31));
	answer("enable type 63", CALL(vm_assist, VMASST_CMD_enable, 63));
	answer("enable type 64", CALL(vm_assist, VMASST_CMD_enable, 64));
	answer("command 2", CALL(vm_assist, 2, VMASST_TYPE_writable_pagetables));
	answer("command 2, type 64", CALL(vm_assist, 2, 64));
}
