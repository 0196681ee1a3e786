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
	word root = ({ pte at = frame(root_mfn()); ONLY32(at = at << 32 >> 32 | at >> 32;) (word)at; });

	TRY("mov from cr0", "mov %%cr0, %%" R "ax");
	value("  cr0", after_rax);
	TRY_WITH("mov to cr0 of the same", "mov %%" R "ax, %%cr0", after_rax, 0, 0);
	TRY_WITH("mov to cr0 with TS", "mov %%" R "ax, %%cr0; mov %%cr0, %%" R "ax", after_rax | 8, 0, 0);
	value("  cr0", after_rax);
	TRY("clts", "clts; mov %%cr0, %%" R "ax");
	value("  cr0", after_rax);
	TRY_WITH("mov to cr0 without WP", "mov %%" R "ax, %%cr0", after_rax & ~0x10000UL, 0, 0);
	TRY_WITH("mov to cr0 of 0", "mov %%" R "ax, %%cr0", 0, 0, 0);
	TRY("mov from cr1", ".byte 0x0f, 0x20, 0xc8");
	fault_base = 0;
	TRY_WITH("read of an unmapped address", "movb (%%" R "ax), %%al", 0x123456, 0, 0);
	TRY("mov from cr2", "mov %%cr2, %%" R "ax");
	value("  cr2", after_rax);
	TRY_WITH("mov to cr2", "mov %%" R "ax, %%cr2; mov %%cr2, %%" R "ax", 0x777000, 0, 0);
	value("  cr2", after_rax);
	value("  vcpu_info's cr2", vcpu0->arch.cr2);
	TRY("mov from cr3", "mov %%cr3, %%" R "ax");
	value("  cr3 is the level 4 table", after_rax == root);
	TRY_WITH("mov to cr3 of the same", "mov %%" R "ax, %%cr3", root, 0, 0);
	TRY_WITH("mov to cr3 with low bits", "mov %%" R "ax, %%cr3", root | 0x18, 0, 0);
	TRY_WITH("mov to cr3 of a frame that is no table", "mov %%" R "ax, %%cr3", mfn_of(fresh_page()) << 12, 0, 0);
	TRY_WITH("mov to cr3 of a frame beyond memory", "mov %%" R "ax, %%cr3", frame(0xfffffUL), 0, 0);
	TRY("mov from cr4", "mov %%cr4, %%" R "ax");
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 of the same", "mov %%" R "ax, %%cr4", after_rax, 0, 0);
	TRY_WITH("mov to cr4 with TSD", "mov %%" R "ax, %%cr4; mov %%cr4, %%" R "ax", after_rax | 4, 0, 0);
	value("  cr4", after_rax);
	TRY("rdtsc with TSD", "rdtsc");
	TRY_WITH("mov to cr4 without TSD", "mov %%" R "ax, %%cr4; mov %%cr4, %%" R "ax", after_rax & ~4UL, 0, 0);
	TRY("rdtsc", "rdtsc");
	TRY("mov from cr4", "mov %%cr4, %%" R "ax");
	TRY_WITH("mov to cr4 with DE", "mov %%" R "ax, %%cr4; mov %%cr4, %%" R "ax", after_rax | 8, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 with PGE and PSE", "mov %%" R "ax, %%cr4; mov %%cr4, %%" R "ax", after_rax | 0x90, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 with SMEP", "mov %%" R "ax, %%cr4; mov %%cr4, %%" R "ax", after_rax | 0x100000, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 with OSXSAVE", "mov %%" R "ax, %%cr4; mov %%cr4, %%" R "ax", after_rax | 0x40000, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 of 0", "mov %%" R "ax, %%cr4; mov %%cr4, %%" R "ax", 0, 0, 0);
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 of all ones", "mov %%" R "ax, %%cr4; mov %%cr4, %%" R "ax", -1UL, 0, 0);
	TRY("mov from cr4", "mov %%cr4, %%" R "ax");
	value("  cr4", after_rax);
	TRY_WITH("mov to cr4 as it was", "mov %%" R "ax, %%cr4", 0x660, 0, 0);
	ONLY64(TRY("mov from cr8", "mov %%cr8, %%" R "ax");)
	ONLY64(TRY_WITH("mov to cr8", "mov %%" R "ax, %%cr8", 0, 0, 0);)
	TRY("smsw", "smsw %%eax");
	value("  its low 4 bits", after_rax & 0xf);
	TRY_WITH("lmsw", "lmsw %%ax", 1, 0, 0);
	TRY("cli", "cli");
	TRY("sti", "sti");
	value("  mask", vcpu0->evtchn_upcall_mask);
	TRY("hlt", "hlt");
	TRY("wbinvd", "wbinvd");
	TRY("invd", "invd");
	TRY("invlpg", "invlpg (%%" R "sp)");
	TRY("lgdt", "lgdt (%%" R "sp)");
	TRY("lidt", "lidt (%%" R "sp)");
	TRY("lldt", "lldt %%ax");
	TRY("ltr", "ltr %%ax");
	TRY("sgdt", "sub $16, %%" R "sp; sgdt (%%" R "sp); add $16, %%" R "sp");
	TRY("sidt", "sub $16, %%" R "sp; sidt (%%" R "sp); add $16, %%" R "sp");
	TRY("sldt", "sldt %%ax");
	value("  ldt", after_rax & 0xffff);
	TRY("str", "str %%ax");
	value("  tr", after_rax & 0xffff);
	ONLY64(TRY("swapgs", "swapgs");)
	ONLY64(TRY("sysretq", "sysretq");)
	TRY("sysexit", ".byte 0x0f, 0x35");
	TRY("rdpmc", "rdpmc");
	TRY("monitor", "monitor");
	TRY("mwait", "mwait");
	TRY("clac", "clac");
	TRY("stac", "stac");
	TRY("xgetbv", "xgetbv");
	TRY("xsetbv", "xsetbv");
	TRY("rdtscp", "rdtscp");
	ONLY64(TRY("rdfsbase", "rdfsbase %%" R "ax");)
	ONLY64(TRY("wrgsbase", "wrgsbase %%" R "ax");)
	TRY("rdrand", "rdrand %%" R "ax");
	TRY("invpcid", "invpcid (%%" R "sp), %%" R "ax");
	TRY("rsm", "rsm");
	TRY("vmcall", "vmcall");
	TRY("vmmcall", "vmmcall");
	TRY("vmrun", "vmrun");
	TRY("clgi", "clgi");
	TRY("stgi", "stgi");
	TRY("skinit", "skinit");
	TRY("getsec", ".byte 0x0f, 0x37");
	/* Intel's processors have it in 64-bit code, and lose the stack pointer: scenario intel-sysenter. */
	if (!is_intel())
		TRY("sysenter", "sysenter");
	ONLY64(TRY("lar of the kernel's code", "movl $0xe033, %%ecx; xorl %%eax, %%eax; lar %%ecx, %%eax");)
	ONLY64(value("  access rights", after_rax);)
	ONLY64(TRY("lsl of the kernel's code", "movl $0xe033, %%ecx; xorl %%eax, %%eax; lsl %%ecx, %%eax");)
	ONLY64(value("  limit", after_rax);)
	TRY("lar of Xen's ring 0 code", "movl $0xe008, %%ecx; xorl %%eax, %%eax; lar %%ecx, %%eax");
	value("  access rights", after_rax);
	ONLY64(TRY("verr of the flat data selector", "movl $0xe02b, %%ecx; verr %%cx; setz %%al");)
	ONLY64(value("  readable", after_rax & 0xff);)
	ONLY64(TRY("verw of the kernel's code", "movl $0xe033, %%ecx; verw %%cx; setz %%al");)
	ONLY64(value("  writable", after_rax & 0xff);)
	TRY("pushf and popf with IF clear", "pushf; andl $~0x200, (%%" R "sp); popf; pushf; pop %%" R "ax");
	value("  IF", after_rax & 0x200);
	TRY("pushf and popf with IOPL 3", "pushf; orl $0x3000, (%%" R "sp); popf; pushf; pop %%" R "ax");
	value("  IOPL", after_rax & 0x3000);
}
