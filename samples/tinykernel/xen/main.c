/* Start: brings up one part after the other, shows that each works, and switches off. */
#include "cpu.h"

#define TICKS_PER_SECOND 100

static void show_processor(void)
{
	union {
		uint32_t words[4];
		char text[16];
	} vendor = { { 0 } };
	uint32_t highest;

	read_cpuid(0, &highest, &vendor.words[0], &vendor.words[2], &vendor.words[1]);
	print("cpu: %s\n", vendor.text);
}

static void show_timer(void)
{
	uint64_t flags = irq_save();
	uint64_t first_tick = this_cpu()->ticks;
	uint64_t start = read_tsc();

	irq_restore(flags);
	while (this_cpu()->ticks < first_tick + 5)
		wait_for_interrupt();
	print("timer: 5 ticks, the time stamp counter %s\n", read_tsc() > start ? "went on" : "stood still");
}

static void show_heap(void)
{
	volatile uint64_t *word = (uint64_t *)(HEAP_BASE + 3 * PAGE_SIZE);

	*word = 42;
	print("heap: wrote 42, read %lu\n", *word);
	heap_unmap((uintptr_t)word);
	print("heap: read %lu from a new page\n", *word);
}

void kernel_main(uintptr_t information)
{
	const char *command_line = platform_init(information);

	serial_init();
	print("tinykernel: hello\n");
	platform_describe();
	paging_init();
	print("paging: own tables\n");
	percpu_init();
	gdt_init();
	idt_init();
	print("segments and traps: ready\n");
	show_processor();
	events_init();
	timer_init(TICKS_PER_SECOND);
	irq_enable();
	show_timer();
	show_heap();
	if (has_option(command_line, "wrong-pte"))
		paging_wrong_entries();
	user_task();
	if (has_option(command_line, "interactive"))
		shell();
	if (has_option(command_line, "echo"))
		echo();
	print("tinykernel: bye\n");
	power_off();
}
