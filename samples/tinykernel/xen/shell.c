/* A prompt on the console, when the command line asks for it: `interactive`. */
#include "cpu.h"

static char line[80];

static void read_line(void)
{
	unsigned length = 0;

	for (;;) {
		int c = serial_getc();

		if (c < 0) {
			wait_for_interrupt();
		} else if (c == '\r' || c == '\n') {
			line[length] = 0;
			print("\n");
			return;
		} else if ((c == '\b' || c == 0x7f) && length > 0) {
			length--;
			print("\b \b");
		} else if (c >= ' ' && c < 0x7f && length < sizeof line - 1) {
			line[length++] = c;
			serial_putc(c);
		}
	}
}

static int is(const char *command)
{
	const char *typed = line;

	while (*command && *typed == *command)
		typed++, command++;
	return !*command && !*typed;
}

void shell(void)
{
	print("type help\n");
	for (;;) {
		print("tinykernel> ");
		read_line();
		if (is("help"))
			print("help: this list\nticks: timer ticks so far\nuser: run the user task again\nquit: power off\n");
		else if (is("ticks"))
			print("%lu\n", this_cpu()->ticks);
		else if (is("user"))
			user_task();
		else if (is("quit"))
			return;
		else if (line[0])
			print("%s: no such command\n", line);
	}
}
