/*
 * set_gdt, update_descriptor, MMUEXT_SET_LDT and set_segment_base of a 32-bit guest, whose kernel is in ring 1.
 *
 * Descriptors get DPL 1 at least; call gates into the kernel's own code are allowed; the bases of fs and gs are in descriptors, so there is no
 * set_segment_base.
 *
 * Read: -EINVAL for what the audit refuses, -EFAULT for a frame list that cannot be read.
 * Bits: 32
 */
#include "guest.h"

#define CODE 0x00cf9b000000ffffULL
#define DATA 0x00cf93000000ffffULL
#define DPL(ring) ((uint64_t)(ring) << 45)

SCENARIO("descriptor-ring-1")
{
	uint64_t *gdt = fresh_page(), *ldt = fresh_page(), *page = fresh_page();
	pte place = frame(mfn_of(gdt));

	gdt[1] = DATA | DPL(1);
	answer("set_gdt, page mapped writable", set_gdt(mfn_of(gdt), 512));
	make_readonly(gdt);
	answer("set_gdt", set_gdt(mfn_of(gdt), 512));
	TRY_WITH("load fs from it", "movw %%ax, %%fs", 0x09, 0, 0);
	TRY_WITH("load fs with RPL 3", "movw %%ax, %%fs", 0x0b, 0, 0);
	TRY_WITH("load fs from its empty entry 2", "movw %%ax, %%fs", 0x11, 0, 0);
	TRY_WITH("fs is null again", "movw %%ax, %%fs", 0, 0, 0);
	answer("map it writable", make_writable(gdt));
	fault_base = (word)gdt;
	TRY_WITH("store to it", "movl $0, 16(%%eax)", gdt, 0, 0);
	answer("update_descriptor, data", UPDATE_DESCRIPTOR(place | 16, DATA | DPL(3)));
	value("descriptor", gdt[2]);
	TRY_WITH("load fs from entry 2", "movw %%ax, %%fs; xorl %%eax, %%eax; movw %%ax, %%fs", 0x13, 0, 0);
	answer("update_descriptor, DPL 0 code", UPDATE_DESCRIPTOR(place | 24, CODE));
	value("descriptor", gdt[3]);
	answer("update_descriptor, 0", UPDATE_DESCRIPTOR(place | 24, 0));
	answer("update_descriptor, TSS", UPDATE_DESCRIPTOR(place | 24, 0x0000890000000067ULL));
	answer("update_descriptor, LDT", UPDATE_DESCRIPTOR(place | 24, 0x0000820000000067ULL));
	answer("update_descriptor, call gate", UPDATE_DESCRIPTOR(place | 24, 0x0000ec00e0190000ULL));
	value("descriptor", gdt[3]);
	answer("update_descriptor, not aligned", UPDATE_DESCRIPTOR(place | 25, DATA));
	answer("update_descriptor, page of data", UPDATE_DESCRIPTOR(frame(mfn_of(page)) | 8, DATA | DPL(1)));
	answer("update_descriptor, a page table", UPDATE_DESCRIPTOR(frame(root_mfn()) | 8, DATA));
	answer("update_descriptor, frame beyond memory", UPDATE_DESCRIPTOR(frame(0xfffff), DATA));
	answer("set_gdt, 7168 entries", set_gdt(mfn_of(gdt), 7168));
	answer("set_gdt, 7169 entries", set_gdt(mfn_of(gdt), 7169));
	answer("set_gdt, 0 entries", set_gdt(mfn_of(gdt), 0));
	answer("map it writable", make_writable(gdt));
	answer("set_gdt, list unmapped", CALL(set_gdt, UNMAPPED, 512));
	answer("set_gdt, list in Xen", CALL(set_gdt, XEN_ADDRESS, 512));
	answer("set_gdt, frame beyond memory", set_gdt(0xfffff, 512));
	answer("set_gdt, a page table", set_gdt(root_mfn(), 512));
	audit_descriptor("audit: data, DPL 3", DATA | DPL(3));
	audit_descriptor("audit: data, DPL 1", DATA | DPL(1));
	audit_descriptor("audit: data, DPL 0", DATA);
	audit_descriptor("audit: code, DPL 0", CODE);
	audit_descriptor("audit: code, DPL 1", CODE | DPL(1));
	audit_descriptor("audit: code, DPL 3", CODE | DPL(3));
	audit_descriptor("audit: 64-bit code, DPL 1", 0x00afbb000000ffffULL);
	audit_descriptor("audit: conforming code, DPL 0", 0x00cf9f000000ffffULL);
	audit_descriptor("audit: conforming code, DPL 1", 0x00cfbf000000ffffULL);
	audit_descriptor("audit: not present, rubbish", 0x00001f0012345678ULL);
	audit_descriptor("audit: TSS", 0x0000890000000067ULL);
	audit_descriptor("audit: LDT", 0x0000820000000067ULL);
	audit_descriptor("audit: call gate to the kernel, DPL 3", 0x0000ec00e0190000ULL);
	audit_descriptor("audit: call gate to the kernel, RPL 0", 0x0000ec00e0180000ULL);
	audit_descriptor("audit: call gate to Xen", 0x0000ec00e0080000ULL);
	audit_descriptor("audit: call gate, DPL 1", 0x0000ac00e0190000ULL);
	audit_descriptor("audit: 16-bit call gate", 0x0000e400e0190000ULL);
	audit_descriptor("audit: interrupt gate", 0x0000ee00e0190000ULL);
	audit_descriptor("audit: task gate", 0x0000e500e0190000ULL);
	audit_descriptor("audit: data that grows down", 0x00cfb7000000ffffULL);

	ldt[1] = DATA | DPL(1);
	make_readonly(ldt);
	answer("set_ldt", mmuext(MMUEXT_SET_LDT, (word)ldt, 512));
	TRY_WITH("load fs from it", "movw %%ax, %%fs; xorl %%eax, %%eax; movw %%ax, %%fs", 0x0d, 0, 0);
	answer("map it writable", make_writable(ldt));
	answer("set_ldt, not aligned", mmuext(MMUEXT_SET_LDT, (word)ldt + 8, 512));
	answer("set_ldt, 8193 entries", mmuext(MMUEXT_SET_LDT, (word)ldt, 8193));
	answer("set_ldt, address of Xen", mmuext(MMUEXT_SET_LDT, XEN_ADDRESS, 512));
	answer("set_ldt, none", mmuext(MMUEXT_SET_LDT, 0, 0));
	answer("map it writable", make_writable(ldt));
	for (unsigned which = 0; which < 5; which++) {
		char name[] = "set_segment_base 0";

		name[17] += which;
		answer(name, CALL_NUMBER(25, which, 0));
	}
}
