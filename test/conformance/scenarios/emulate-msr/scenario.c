/*
 * rdmsr and wrmsr: what Xen gives and takes.
 *
 * Bases of fs and gs work, EFER can be read and written back unchanged, others read as made up, unknown ones give #GP once the kernel has a #GP handler.
 *
 * Read: the value where it is the same on every machine; else only that it runs.
 */
#include "guest.h"

#define READ(name, msr) TRY_WITH("rdmsr " name, "rdmsr", 0, msr, 0)
#define WRITE(name, msr, number) TRY_WITH("wrmsr " name, "wrmsr", (uint32_t)(number), msr, (uint64_t)(number) >> 32)
#define SHOW() value("  value", (after_rax & 0xffffffff) | (uint64_t)after_rdx << 32)

SCENARIO("emulate-msr")
{
	uint64_t efer, pat;

	READ("FS_BASE", 0xc0000100);
	WRITE("FS_BASE", 0xc0000100, 0x123000UL);
	READ("FS_BASE", 0xc0000100);
	SHOW();
	ONLY64(WRITE("FS_BASE that is not canonical", 0xc0000100, NOT_CANONICAL);)
	WRITE("FS_BASE of 0", 0xc0000100, 0UL);
	WRITE("GS_BASE", 0xc0000101, 0x456000UL);
	READ("GS_BASE", 0xc0000101);
	SHOW();
	ONLY64(WRITE("GS_BASE that is not canonical", 0xc0000101, NOT_CANONICAL);)
	WRITE("KERNEL_GS_BASE", 0xc0000102, 0x789000UL);
	READ("KERNEL_GS_BASE", 0xc0000102);
	SHOW();
	ONLY64(WRITE("KERNEL_GS_BASE that is not canonical", 0xc0000102, NOT_CANONICAL);)
	READ("EFER", 0xc0000080);
	SHOW();
	efer = after_rax;
	WRITE("EFER unchanged", 0xc0000080, efer);
	WRITE("EFER without SCE", 0xc0000080, efer & ~1UL);
	READ("STAR", 0xc0000081);
	READ("LSTAR", 0xc0000082);
	READ("CSTAR", 0xc0000083);
	READ("SFMASK", 0xc0000084);
	WRITE("LSTAR", 0xc0000082, KERNEL_BASE);
	READ("TSC_AUX", 0xc0000103);
	READ("TSC", 0x10);
	WRITE("TSC", 0x10, 0UL);
	READ("APIC_BASE", 0x1b);
	WRITE("APIC_BASE", 0x1b, 0UL);
	READ("PAT", 0x277);
	SHOW();
	pat = (after_rax & 0xffffffff) | (uint64_t)after_rdx << 32;
	WRITE("PAT unchanged", 0x277, pat);
	WRITE("PAT changed", 0x277, pat ^ 1);
	READ("MTRRcap", 0xfe);
	READ("MTRRdefType", 0x2ff);
	READ("MISC_ENABLE", 0x1a0);
	READ("UCODE_REV", 0x8b);
	READ("PLATFORM_ID", 0x17);
	READ("SYSENTER_CS", 0x174);
	READ("SYSENTER_ESP", 0x175);
	READ("SYSENTER_EIP", 0x176);
	WRITE("SYSENTER_CS", 0x174, 0x10UL);
	READ("DEBUGCTL", 0x1d9);
	READ("MCG_CAP", 0x179);
	READ("MCG_STATUS", 0x17a);
	READ("MC0_STATUS", 0x401);
	WRITE("MC0_STATUS of 0", 0x401, 0UL);
	READ("SYSCFG", 0xc0010010);
	READ("HWCR", 0xc0010015);
	READ("TOP_MEM", 0xc001001a);
	READ("PSTATE_0", 0xc0010064);
	READ("OSVW_ID_LENGTH", 0xc0010140);
	READ("SPEC_CTRL", 0x48);
	WRITE("PRED_CMD", 0x49, 1UL);
	READ("ARCH_CAPABILITIES", 0x10a);
	READ("XSS", 0xda0);
	READ("X2APIC_ID", 0x802);
	READ("PERFCTR0", 0xc1);
	READ("K7_EVNTSEL0", 0xc0010000);
	READ("0x1234", 0x1234);
	WRITE("0x1234", 0x1234, 0UL);
	READ("0x40000000", 0x40000000);
	READ("0xffffffff", 0xffffffff);
	WRITE("0x40000000: the hypercall page of HVM guests", 0x40000000, start_info->nr_pages << 12);
}
