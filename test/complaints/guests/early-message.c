/*
 * Complaint 1: an emergency console. The kernel says where it is through console_io before it has a console ring, and dies.
 */
#define OWN_START
#include "complaint.h"

void guest_main(start_info_t *info)
{
	static const char message[] = "before paging\n";

	(void)info;
	CALL(console_io, CONSOLEIO_write, sizeof message - 1, message);
	asm volatile("ud2");
}

static void __attribute__((unused)) run(void) {}
