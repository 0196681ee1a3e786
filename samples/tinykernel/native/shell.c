/* Input from the console, when the command line asks for it: a prompt (`interactive`), or each byte sent back (`echo`). */
#include "cpu.h"

static char line[80];

/* The next byte, however long it takes. */
static int read_byte(void)
{
	int c;

	while ((c = serial_getc()) < 0)
		wait_for_interrupt();
	return c;
}

static void read_line(void)
{
	unsigned length = 0;

	for (;;) {
		int c = read_byte();

		if (c == '\r' || c == '\n') {
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

void echo(void)
{
	print("echo: type, q ends\n");
	for (;;) {
		int c = read_byte();

		if (c == 'q')
			break;
		serial_putc(c == '\r' ? '\n' : c);
	}
	print("\n");
}
