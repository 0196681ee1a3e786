/*
 * Control, debug and system registers by instruction: which ones Xen emulates for a kernel, and what it gives.
 *
 * Xen emulates moves to and from cr0, cr2, cr3, cr4 and the debug registers, clts, cli, sti, wbinvd; everything else privileged is #GP.
 *
 * Read: `runs` where Xen emulated or ignored the instruction, the exception else; the value read where there is one.
 */
#include "guest.h"

SCENARIO("emulate-control")
{
	word root = root_mfn() << 12;

	TRY("mov from cr0", "movq %%cr0, %%rax");
	value("  cr0", after_rax);
	TRY_WITH("mov to cr0 of the same", "movq %%rax, %%cr0", after_rax, 0, 0);
	TRY_WITH("mov to cr0 with TS", "movq %%rax, %%cr0; movq %%cr0, %%rax", after_rax | 8, 0, 0);
	value("  cr0", after_rax);
	TRY("clts", "clts; movq %%cr0, %%rax");
	value("  cr0", after_rax);
	TRY_WITH("mov to cr0 without WP", "movq %%rax, %%cr0", after_rax & ~0x10000UL, 0, 0);
	TRY_WITH("mov to cr0 of 0", "movq %%rax, %%cr0", 0, 0, 0);
	TRY("mov from cr1", ".byte 0x0f, 0x20, 0xc8");
	fault_base = 0;
	TRY_WITH("read of an unmapped address", "movb (%%rax), %%al", 0x123456, 0, 0);
	TRY("mov from cr2", "movq %%cr2, %%rax");
	value("  cr2", after_rax);
	TRY_WITH("mov to cr2", "movq %%rax, %%cr2; movq %%cr2, %%rax", 0x777000, 0, 0);
	value("  cr2", after_rax);
	value("  vcpu_info's cr2", vcpu0->arch.cr2);
	TRY("mov from cr3", "movq %%cr3, %%rax");
	value("  cr3 is the level 4 table", after_rax == root);
	TRY_WITH("mov to cr3 of the same", "movq %%rax, %%cr3", root, 0, 0);
	TRY_WITH("mov to cr3 with low bits", "movq %%rax, %%cr3", root | 0x18, 0, 0);
	TRY_WITH("mov to cr3 of a frame that is no table", "movq %%rax, %%cr3", mfn_of(fresh_page()) << 12, 0, 0);
	TRY_WITH("mov to cr3 of a frame beyond memory", "movq %%rax, %%cr3", 0xfffffUL << 12, 0, 0);
	TRY("mov from cr4", "movq %%cr4, %%rax");
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 of the same", "movq %%rax, %%cr4", after_rax, 0, 0);
	TRY_WITH("mov to cr4 with TSD", "movq %%rax, %%cr4; movq %%cr4, %%rax", after_rax | 4, 0, 0);
	value("  cr4", after_rax);
	TRY("rdtsc with TSD", "rdtsc");
	TRY_WITH("mov to cr4 without TSD", "movq %%rax, %%cr4; movq %%cr4, %%rax", after_rax & ~4UL, 0, 0);
	TRY("rdtsc", "rdtsc");
	TRY("mov from cr4", "movq %%cr4, %%rax");
	TRY_WITH("mov to cr4 with DE", "movq %%rax, %%cr4; movq %%cr4, %%rax", after_rax | 8, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 with PGE and PSE", "movq %%rax, %%cr4; movq %%cr4, %%rax", after_rax | 0x90, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 with SMEP", "movq %%rax, %%cr4; movq %%cr4, %%rax", after_rax | 0x100000, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 with OSXSAVE", "movq %%rax, %%cr4; movq %%cr4, %%rax", after_rax | 0x40000, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 of 0", "movq %%rax, %%cr4; movq %%cr4, %%rax", 0, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 of all ones", "movq %%rax, %%cr4; movq %%cr4, %%rax", -1UL, 0, 0);
	TRY("mov from cr4", "movq %%cr4, %%rax");
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 as it was", "movq %%rax, %%cr4", 0x660, 0, 0);
	TRY("mov from cr8", "movq %%cr8, %%rax");
	TRY_WITH("mov to cr8", "movq %%rax, %%cr8", 0, 0, 0);
	TRY("smsw", "smsw %%eax");
	value("  its low 4 bits", after_rax & 0xf);
	TRY_WITH("lmsw", "lmsw %%ax", 1, 0, 0);
	TRY("cli", "cli");
	TRY("sti", "sti");
	value("  mask", vcpu0->evtchn_upcall_mask);
	TRY("hlt", "hlt");
	TRY("wbinvd", "wbinvd");
	TRY("invd", "invd");
	TRY("invlpg", "invlpg (%%rsp)");
	TRY("lgdt", "lgdt (%%rsp)");
	TRY("lidt", "lidt (%%rsp)");
	TRY("lldt", "lldt %%ax");
	TRY("ltr", "ltr %%ax");
	TRY("sgdt", "subq $16, %%rsp; sgdt (%%rsp); addq $16, %%rsp");
	TRY("sidt", "subq $16, %%rsp; sidt (%%rsp); addq $16, %%rsp");
	TRY("sldt", "sldt %%ax");
	value("  ldt", after_rax & 0xffff);
	TRY("str", "str %%ax");
	value("  tr", after_rax & 0xffff);
	TRY("swapgs", "swapgs");
	TRY("sysretq", "sysretq");
	TRY("sysexit", ".byte 0x0f, 0x35");
	TRY("rdpmc", "rdpmc");
	TRY("monitor", "monitor");
	TRY("mwait", "mwait");
	TRY("clac", "clac");
	TRY("stac", "stac");
	TRY("xgetbv", "xgetbv");
	TRY("xsetbv", "xsetbv");
	TRY("rdtscp", "rdtscp");
	TRY("rdfsbase", "rdfsbase %%rax");
	TRY("wrgsbase", "wrgsbase %%rax");
	TRY("rdrand", "rdrand %%rax");
	TRY("invpcid", "invpcid (%%rsp), %%rax");
	TRY("rsm", "rsm");
	TRY("vmcall", "vmcall");
	TRY("vmmcall", "vmmcall");
	TRY("vmrun", "vmrun");
	TRY("clgi", "clgi");
	TRY("stgi", "stgi");
	TRY("skinit", "skinit");
	TRY("getsec", ".byte 0x0f, 0x37");
	TRY("sysenter", "sysenter");
	TRY("lar of the kernel's code", "movl $0xe033, %%ecx; xorl %%eax, %%eax; lar %%ecx, %%eax");
	value("  access rights", after_rax);
	TRY("lsl of the kernel's code", "movl $0xe033, %%ecx; xorl %%eax, %%eax; lsl %%ecx, %%eax");
	value("  limit", after_rax);
	TRY("lar of Xen's ring 0 code", "movl $0xe008, %%ecx; xorl %%eax, %%eax; lar %%ecx, %%eax");
	value("  access rights", after_rax);
	TRY("verr of the flat data selector", "movl $0xe02b, %%ecx; verr %%cx; setz %%al");
	value("  readable", after_rax & 0xff);
	TRY("verw of the kernel's code", "movl $0xe033, %%ecx; verw %%cx; setz %%al");
	value("  writable", after_rax & 0xff);
	TRY("pushf and popf with IF clear", "pushfq; andl $~0x200, (%%rsp); popfq; pushfq; popq %%rax");
	value("  IF", after_rax & 0x200);
	TRY("pushf and popf with IOPL 3", "pushfq; orl $0x3000, (%%rsp); popfq; pushfq; popq %%rax");
	value("  IOPL", after_rax & 0x3000);
}
