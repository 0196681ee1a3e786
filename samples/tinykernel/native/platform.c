/* What the boot loader handed over. */
#include "kernel.h"

#define MULTIBOOT_HAS_COMMAND_LINE 4

struct multiboot_information {
	uint32_t flags;
	uint32_t memory_lower, memory_upper;
	uint32_t boot_device;
	uint32_t command_line;
};

static const struct multiboot_information *boot;

/* Returns the command line. */
const char *platform_init(uintptr_t information)
{
	boot = (const struct multiboot_information *)(KERNEL_BASE + information);
	if (!(boot->flags & MULTIBOOT_HAS_COMMAND_LINE))
		return "";
	return (const char *)(KERNEL_BASE + boot->command_line);
}

void platform_describe(void)
{
	print("platform: multiboot, %u MB\n", (boot->memory_upper + 1024) / 1024);
}
