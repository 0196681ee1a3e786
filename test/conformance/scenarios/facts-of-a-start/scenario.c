/*
 * What a small PV kernel meets from its first instruction to its last, as one story: start_info, the first calls, traps with their error codes, CPUID.
 *
 * The other scenarios each go through one subject; this one takes the way that a port takes, in its order, and is the first thing to compare when a
 * kernel does not come up: everything in it works on real Xen.
 *
 * Read: numbers as Xen gives them to a domain of 64 MB; a trap as vector, error code and cr2 relative to the page that is tried.
 */
#include "guest.h"

static char buffer[PAGE_SIZE] __attribute__((aligned(4096)));

static void leaf(const char *name, uint32_t number)
{
	uint32_t a = number, b, c = 0, d;

	asm volatile("ud2; .ascii \"xen\"; cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	value(name, a);
	value("  ebx", b);
	value("  ecx", c);
	value("  edx", d);
}

static void start(void)
{
	text("magic", start_info->magic);
	value("nr_pages", start_info->nr_pages);
	value("flags", start_info->flags);
	value("pt_base", start_info->pt_base);
	value("nr_pt_frames", start_info->nr_pt_frames);
	value("mfn_list", start_info->mfn_list);
	value("mod_start", start_info->mod_start);
	value("mod_len", start_info->mod_len);
	value("first_p2m_pfn", start_info->first_p2m_pfn);
	value("nr_p2m_frames", start_info->nr_p2m_frames);
	value("start_info", (word)start_info);
	value("store_evtchn", start_info->store_evtchn);
	value("console.domU.evtchn", is_dom0() ? 0 : start_info->console.domU.evtchn);
}

static void versions(void)
{
	struct xen_platform_parameters platform;
	struct xen_feature_info features = { .submap_idx = 0 };

	answer("version", CALL(xen_version, XENVER_version));
	answer("capabilities", CALL(xen_version, XENVER_capabilities, buffer));
	text("  text", buffer);
	answer("platform_parameters", CALL(xen_version, XENVER_platform_parameters, &platform));
	value("  virt_start", platform.virt_start);
	answer("get_features 0", CALL(xen_version, XENVER_get_features, &features));
	value("  submap", features.submap);
	features.submap_idx = 9;
	answer("get_features 9", CALL(xen_version, XENVER_get_features, &features));
	answer("pagesize", CALL(xen_version, XENVER_pagesize));
	answer("guest_handle", CALL(xen_version, XENVER_guest_handle, buffer));
	answer("operation 99", CALL(xen_version, 99));
	answer("extraversion, unmapped", CALL(xen_version, XENVER_extraversion, UNMAPPED));
}

static void memory(void)
{
	domid_t self = DOMID_SELF;
	struct xen_memory_map map = { .nr_entries = 32 };

	answer("current_reservation", CALL(memory_op, XENMEM_current_reservation, &self));
	answer("maximum_reservation is not below it", CALL(memory_op, XENMEM_maximum_reservation, &self) >= (long)start_info->nr_pages);
	set_xen_guest_handle(map.buffer, (void *)buffer);
	answer("memory_map", CALL(memory_op, XENMEM_memory_map, &map));
	value("  entries", map.nr_entries);
	answer("memory_op 63", CALL(memory_op, 63));
	answer("hypercall 38", CALL_NUMBER(38));
	answer("hypercall 63", CALL_NUMBER(63));
	answer("hypercall 127", CALL_NUMBER(127));
	answer("hypercall 11", CALL_NUMBER(11));
	answer("get_debugreg 7", CALL(get_debugreg, 7));
	answer("set_debugreg 0", CALL(set_debugreg, 0, 0x1000));
	answer("set_debugreg 4", CALL(set_debugreg, 4, 0));
	answer("set_debugreg 0 back", CALL(set_debugreg, 0, 0));
	answer("fpu_taskswitch 1", CALL(fpu_taskswitch, 1));
	TRY("fninit with TS", "fninit");
	TRY("clts", "clts");
	answer("fpu_taskswitch 0", CALL(fpu_taskswitch, 0));
}

static void events(void)
{
	struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_virq virq = { .virq = VIRQ_TIMER };
	struct evtchn_status status = { .dom = DOMID_SELF };
	struct evtchn_close close;
	struct physdev_set_iopl iopl = { .iopl = 1 };
	struct gnttab_query_size size = { .dom = DOMID_SELF };

	answer("alloc_unbound", CALL(event_channel_op, EVTCHNOP_alloc_unbound, &unbound));
	value("  port", unbound.port);
	answer("bind_virq timer", CALL(event_channel_op, EVTCHNOP_bind_virq, &virq));
	value("  port", virq.port);
	answer("bind_virq timer again", CALL(event_channel_op, EVTCHNOP_bind_virq, &virq));
	status.port = unbound.port;
	answer("status", CALL(event_channel_op, EVTCHNOP_status, &status));
	value("  status", status.status);
	close.port = unbound.port;
	answer("close", CALL(event_channel_op, EVTCHNOP_close, &close));
	answer("close again", CALL(event_channel_op, EVTCHNOP_close, &close));
	close.port = 99999;
	answer("close 99999", CALL(event_channel_op, EVTCHNOP_close, &close));
	answer("event_channel_op 77", CALL(event_channel_op, 77, &close));
	answer("is_up 0", CALL(vcpu_op, VCPUOP_is_up, 0, 0));
	answer("is_up 7", CALL(vcpu_op, VCPUOP_is_up, 7, 0));
	answer("stop_periodic_timer", CALL(vcpu_op, VCPUOP_stop_periodic_timer, 0, 0));
	answer("set_timer_op 0", SET_TIMER(0));
	answer("yield", CALL(sched_op, SCHEDOP_yield));
	answer("sched_op 55", CALL(sched_op, 55));
	answer("set_iopl 1", CALL(physdev_op, PHYSDEVOP_set_iopl, &iopl));
	answer("query_size", CALL(grant_table_op, GNTTABOP_query_size, &size, 1));
	value("  status", (uint16_t)size.status);
	value("  most frames", size.max_nr_frames);
}

static void tables(void)
{
	char *page = fresh_page();
	const char *root = (const char *)start_info->pt_base;
	word mfn = mfn_of(page);

	value("m2p of the page is its pfn", ((const word *)M2P_ADDRESS)[mfn] == pfn_of(page));
	fault_base = (word)page;
	answer("page read only", UPDATE_VA(page, frame(mfn) | P, UVMF_INVLPG));
	TRY_WITH("write to it", "movb $1, (%%" R "ax)", page, 0, 0);
	answer("page unmapped", UPDATE_VA(page, 0, UVMF_INVLPG));
	TRY_WITH("read of it", "movb (%%" R "ax), %%al", page, 0, 0);
	TRY_WITH("write to it", "movb $1, (%%" R "ax)", page, 0, 0);
	answer("no RAM", UPDATE_VA(page, frame(0xfffff0000UL) | P | RW, 0));
	answer("a page table, writable", UPDATE_VA(page, frame(mfn_of(root)) | P | RW, 0));
	answer("a page table, read only", UPDATE_VA(page, frame(mfn_of(root)) | P, UVMF_INVLPG));
	value("  its last guest entry, flags", ((const volatile pte *)page)[LEVELS == 4 ? 511 : 3] & 0xfff);
	answer("an address of Xen", UPDATE_VA(M2P_ADDRESS, frame(mfn) | P | RW, 0));
	answer("page back", UPDATE_VA(page, frame(mfn) | P | RW, UVMF_INVLPG));
	answer("machphys", write_entry(frame(mfn), pfn_of(page), MMU_MACHPHYS_UPDATE));
	answer("command 3", write_entry(0, 0, 3));
	answer("entry of a page that is no table", write_entry(frame(mfn), 0, 0));
	answer("pin of a writable page", mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
	answer("tlb_flush_local", mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0));
	answer("new_baseptr of a page of data", mmuext(MMUEXT_NEW_BASEPTR, mfn, 0));
	answer("mmuext_op 99", mmuext(99, 0, 0));
}

static void traps(void)
{
	fault_base = 0;
	TRY("ud2", "ud2");
	value("  cs on the frame", last_trap.cs);
	value("  mask at entry", last_trap.mask_now);
	TRY("int3", "int3");
	TRY("hlt", "hlt");
	TRY("cli", "cli");
	TRY("sti", "sti");
	TRY("wrmsr 0x1234", "movl $0x1234, %%ecx; xorl %%eax, %%eax; xorl %%edx, %%edx; wrmsr");
	TRY("rdmsr EFER", "movl $0xc0000080, %%ecx; rdmsr");
	TRY("mov from cr0", "mov %%cr0, %%" R "ax");
	TRY("mov from cr3", "mov %%cr3, %%" R "ax");
	TRY("mov from cr4", "mov %%cr4, %%" R "ax");
	ONLY64(TRY("mov from cr8", "movq %%cr8, %%rax");)
	TRY("in", "inb $0x70, %%al");
	TRY("out", "outb %%al, $0x80");
	TRY("div by 0", "xorl %%edx, %%edx; xorl %%ecx, %%ecx; divl %%ecx");
	ONLY64(TRY_WITH("address that is not canonical", "movb (%%rax), %%al", NOT_CANONICAL, 0, 0);)
	TRY_WITH("address of Xen", "movb (%%" R "ax), %%al", XEN_ADDRESS, 0, 0);
	TRY_WITH("address 0x1000", "movb (%%" R "ax), %%al", 0x1000, 0, 0);
	TRY("int 0x80", "int $0x80");
	TRY("lgdt", "lgdt (%%" R "sp)");
	TRY("invlpg", "invlpg (%%" R "sp)");
	TRY("wbinvd", "wbinvd");
	TRY("rdtsc", "rdtsc");
	TRY("rdpmc", "xorl %%ecx, %%ecx; rdpmc");
	TRY("xgetbv", "xorl %%ecx, %%ecx; xgetbv");
	ONLY64(TRY("swapgs", "swapgs");)
	TRY("mov from dr7", "mov %%db7, %%" R "ax");
	TRY("sgdt", "sub $16, %%" R "sp; sgdt (%%" R "sp); add $16, %%" R "sp");
	TRY("str", "str %%ax");
	TRY("popf with IF clear", "pushf; andl $~0x200, (%%" R "sp); popf");
}

SCENARIO("facts-of-a-start")
{
	word cs, ss, flags;

	start();
	versions();
	memory();
	events();
	tables();
	traps();
	leaf("cpuid 0", 0);
	leaf("cpuid 1", 1);
	leaf("cpuid 7", 7);
	leaf("cpuid 0xd", 0xd);
	leaf("cpuid 0x80000000", 0x80000000);
	leaf("cpuid 0x80000001", 0x80000001);
	leaf("cpuid 0x80000008", 0x80000008);
	leaf("cpuid 0x40000000", 0x40000000);
	leaf("cpuid 0x40000001", 0x40000001);
	leaf("cpuid 0x40000002", 0x40000002);
	asm volatile("mov %%cs, %0; mov %%ss, %1; pushf; pop %2" : "=r"(cs), "=r"(ss), "=r"(flags));
	value("cs", cs & 0xffff);
	value("ss", ss & 0xffff);
	value("flags without arithmetic ones", flags & ~0x8d5UL);
	value("event mask", vcpu0->evtchn_upcall_mask);
	value("time version is even", !(vcpu0->time.version & 1));
}
