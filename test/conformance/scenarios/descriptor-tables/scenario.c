/*
 * set_gdt, update_descriptor, MMUEXT_SET_LDT.
 *
 * Frames of a GDT are named by machine frame, must not be mapped writable, and are audited: no gate of a privilege below 3's, no system segments; code and
 * data descriptors get DPL 3 at least. Entries from 7168 on are Xen's. The LDT's pages are taken and audited when they are used first.
 *
 * Read: -EINVAL for what the audit refuses, -EFAULT for a frame list that cannot be read.
 * Bits: 64
 */
#include "guest.h"

#define CODE64 0x00af9b000000ffffUL
#define DATA 0x00cf93000000ffffUL

SCENARIO("descriptor-tables")
{
	word *gdt = fresh_page(), *ldt = fresh_page(), *page = fresh_page();

	gdt[1] = DATA | 3UL << 45;
	answer("set_gdt, page mapped writable", set_gdt(mfn_of(gdt), 512));
	make_readonly(gdt);
	answer("set_gdt", set_gdt(mfn_of(gdt), 512));
	TRY_WITH("load ds from it", "movw %%ax, %%ds", 0x0b, 0, 0);
	TRY_WITH("load ds with RPL 0", "movw %%ax, %%ds", 0x08, 0, 0);
	TRY_WITH("load ds from its empty entry 2", "movw %%ax, %%ds", 0x13, 0, 0);
	TRY_WITH("ds is null again", "movw %%ax, %%ds", 0, 0, 0);
	answer("map it writable", make_writable(gdt));
	fault_base = (word)gdt;
	TRY_WITH("store to it", "movq $0, 16(%%rax)", gdt, 0, 0);
	answer("update_descriptor, data", UPDATE_DESCRIPTOR(mfn_of(gdt) << 12 | 16, DATA | 3UL << 45));
	value("descriptor", gdt[2]);
	TRY_WITH("load ds from entry 2", "movw %%ax, %%ds; xorl %%eax, %%eax; movw %%ax, %%ds", 0x13, 0, 0);
	answer("update_descriptor, DPL 0 code", UPDATE_DESCRIPTOR(mfn_of(gdt) << 12 | 24, CODE64));
	value("descriptor", gdt[3]);
	answer("update_descriptor, 0", UPDATE_DESCRIPTOR(mfn_of(gdt) << 12 | 24, 0));
	answer("update_descriptor, TSS", UPDATE_DESCRIPTOR(mfn_of(gdt) << 12 | 24, 0x0000890000000067UL));
	answer("update_descriptor, LDT", UPDATE_DESCRIPTOR(mfn_of(gdt) << 12 | 24, 0x0000820000000067UL));
	answer("update_descriptor, call gate", UPDATE_DESCRIPTOR(mfn_of(gdt) << 12 | 24, 0x0000ec00e0330000UL));
	answer("update_descriptor, not aligned", UPDATE_DESCRIPTOR(mfn_of(gdt) << 12 | 25, DATA));
	answer("update_descriptor, page of data", UPDATE_DESCRIPTOR(mfn_of(page) << 12 | 8, DATA | 3UL << 45));
	value("  it was stored", page[1]);
	answer("update_descriptor, a page table", UPDATE_DESCRIPTOR(root_mfn() << 12 | 8, DATA));
	answer("update_descriptor, frame beyond memory", UPDATE_DESCRIPTOR(0xfffffUL << 12, DATA));
	answer("update_descriptor, frame 0", UPDATE_DESCRIPTOR(0, DATA));
	answer("set_gdt, 7168 entries", set_gdt(mfn_of(gdt), 7168));
	answer("set_gdt, 7169 entries", set_gdt(mfn_of(gdt), 7169));
	answer("set_gdt, 0 entries", set_gdt(mfn_of(gdt), 0));
	answer("map it writable", make_writable(gdt));
	answer("set_gdt, list unmapped", CALL(set_gdt, UNMAPPED, 512));
	answer("set_gdt, list in Xen", CALL(set_gdt, XEN_ADDRESS, 512));
	answer("set_gdt, frame beyond memory", set_gdt(0xfffff, 512));
	answer("set_gdt, frame 0", set_gdt(0, 512));
	answer("set_gdt, a page table", set_gdt(root_mfn(), 512));
	answer("set_gdt, a level 1 entry's flags do not matter: shared_info", set_gdt(start_info->shared_info >> 12, 512));
	audit_descriptor("audit: data, DPL 3", DATA | 3UL << 45);
	audit_descriptor("audit: data, DPL 0", DATA);
	audit_descriptor("audit: 64-bit code, DPL 0", CODE64);
	audit_descriptor("audit: 64-bit code, DPL 3", CODE64 | 3UL << 45);
	audit_descriptor("audit: 32-bit code, DPL 3", 0x00cffb000000ffffUL);
	audit_descriptor("audit: conforming code, DPL 0", 0x00af9f000000ffffUL);
	audit_descriptor("audit: conforming code, DPL 3", 0x00afff000000ffffUL);
	audit_descriptor("audit: not present, rubbish", 0x00001f0012345678UL);
	audit_descriptor("audit: TSS", 0x0000890000000067UL);
	audit_descriptor("audit: LDT", 0x0000820000000067UL);
	audit_descriptor("audit: call gate to the kernel, DPL 3", 0x0000ec00e0330000UL);
	audit_descriptor("audit: call gate to Xen", 0x0000ec00e0080000UL);
	audit_descriptor("audit: interrupt gate", 0x0000ee00e0330000UL);
	audit_descriptor("audit: code with both L and D", 0x00effb000000ffffUL);

	ldt[1] = DATA | 3UL << 45;
	ldt[2] = 0x0000890000000067UL;
	answer("set_ldt, mapped writable: looked at when used", mmuext(MMUEXT_SET_LDT, (word)ldt, 512));
	TRY_WITH("load ds from it", "movw %%ax, %%ds", 0x0f, 0, 0);
	make_readonly(ldt);
	TRY_WITH("load ds from it, read only but for a TSS in it", "movw %%ax, %%ds", 0x0f, 0, 0);
	make_writable(ldt);
	ldt[2] = 0;
	make_readonly(ldt);
	TRY_WITH("load ds from it, all good", "movw %%ax, %%ds; xorl %%eax, %%eax; movw %%ax, %%ds", 0x0f, 0, 0);
	answer("map it writable", make_writable(ldt));
	TRY_WITH("load ds beyond its end", "movw %%ax, %%ds", 512 * 8 + 7, 0, 0);
	answer("set_ldt, not aligned", mmuext(MMUEXT_SET_LDT, (word)ldt + 8, 512));
	answer("set_ldt, 8192 entries", mmuext(MMUEXT_SET_LDT, (word)ldt, 8192));
	answer("set_ldt, 8193 entries", mmuext(MMUEXT_SET_LDT, (word)ldt, 8193));
	answer("set_ldt, address of Xen", mmuext(MMUEXT_SET_LDT, XEN_ADDRESS, 512));
	answer("set_ldt, address that is not canonical", mmuext(MMUEXT_SET_LDT, NOT_CANONICAL, 512));
	answer("set_ldt, unmapped page", mmuext(MMUEXT_SET_LDT, 0x1000, 512));
	TRY_WITH("load ds from it", "movw %%ax, %%ds", 0x0f, 0, 0);
	answer("set_ldt, none", mmuext(MMUEXT_SET_LDT, 0, 0));
	answer("map it writable", make_writable(ldt));
}
