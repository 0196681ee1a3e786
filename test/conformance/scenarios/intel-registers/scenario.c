/*
 * Registers that Intel's processors have, as Xen shows them, and cpuid by its policy.
 *
 * Performance counters are there and count nothing while Xen's virtual counters are off; what else there is depends on the processor's maker.
 *
 * Read: the value where a read runs, #GP where Xen refuses it.
 */
#include "guest.h"

#define READ(name, msr)                                                                                                    \
	do {                                                                                                               \
		TRY("rdmsr " name, "movl $" #msr ", %%ecx; rdmsr");                                                        \
		if (last_trap.vector < 0)                                                                                  \
			value("  value", (uint32_t)after_rax | (uint64_t)(uint32_t)after_rdx << 32);                       \
	} while (0)
#define WRITE(name, msr, low) TRY("wrmsr " name, "movl $" #msr ", %%ecx; movl $" #low ", %%eax; xorl %%edx, %%edx; wrmsr")

static void registers(const char *name, unsigned eax, unsigned ebx, unsigned ecx, unsigned edx)
{
	text("  ", name);
	value("    eax", eax);
	value("    ebx", ebx);
	value("    ecx", ecx);
	value("    edx", edx);
}

static void leaf(unsigned number, unsigned subleaf)
{
	unsigned eax = number, ebx, ecx = subleaf, edx;

	value("cpuid leaf", number);
	value("  subleaf", subleaf);
	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	/* The number of this processor's interrupt controller. */
	registers("natively", eax, number == 1 ? ebx & 0xffffff : ebx, ecx, edx);
	eax = number, ecx = subleaf;
	asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	registers("by Xen's policy", eax, ebx, ecx, edx);
}

SCENARIO("intel-registers")
{
	READ("PLATFORM_ID", 0x17);
	READ("UCODE_REV", 0x8b);
	READ("PERFCTR0", 0xc1);
	READ("PERFCTR7", 0xc8);
	READ("PLATFORM_INFO", 0xce);
	READ("ARCH_CAPABILITIES", 0x10a);
	READ("MISC_FEATURES_ENABLES", 0x140);
	READ("SYSENTER_CS", 0x174);
	READ("SYSENTER_EIP", 0x176);
	READ("EVNTSEL0", 0x186);
	READ("EVNTSEL3", 0x189);
	READ("PERF_STATUS", 0x198);
	READ("MISC_ENABLE", 0x1a0);
	READ("DEBUGCTL", 0x1d9);
	READ("FIXED_CTR0", 0x309);
	READ("FIXED_CTR_CTRL", 0x38d);
	READ("PERF_GLOBAL_CTRL", 0x38f);
	READ("PERF_GLOBAL_OVF_CTRL", 0x390);
	READ("DS_AREA", 0x600);
	READ("PATCH_LOADER of AMD", 0xc0010020);
	READ("HWCR of AMD", 0xc0010015);
	READ("PERF_CTL0 of AMD", 0xc0010000);
	WRITE("UCODE_REV", 0x8b, 0);
	WRITE("PERFCTR0", 0xc1, 1);
	WRITE("EVNTSEL0", 0x186, 0x5300c0);
	WRITE("FIXED_CTR0", 0x309, 1);
	WRITE("PERF_GLOBAL_CTRL", 0x38f, 1);
	WRITE("MISC_ENABLE", 0x1a0, 0x801801);
	WRITE("SYSENTER_CS", 0x174, 0);
	WRITE("HWCR of AMD", 0xc0010015, 0);
	leaf(0, 0);
	leaf(1, 0);
	leaf(2, 0);
	for (unsigned subleaf = 0; subleaf <= 4; subleaf++)
		leaf(4, subleaf);
	leaf(7, 0);
	leaf(0xb, 0);
	leaf(0x80000000, 0);
	leaf(0x80000001, 0);
	leaf(0x80000006, 0);
}
