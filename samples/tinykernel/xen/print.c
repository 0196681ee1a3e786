/* Formatted output: %s %c %d %x (unsigned int) %lx %lu (unsigned long) %%. */
#include "kernel.h"

static void print_string(const char *text)
{
	for (; *text; text++)
		serial_putc(*text);
}

static void print_number(uint64_t value, unsigned base)
{
	char digits[21];
	char *first = digits + sizeof digits - 1;

	*first = 0;
	do
		*--first = "0123456789abcdef"[value % base];
	while (value /= base);
	print_string(first);
}

static void print_arguments(const char *format, va_list arguments)
{
	for (; *format; format++) {
		int is_long = 0;

		if (*format != '%') {
			serial_putc(*format);
			continue;
		}
		if (*++format == 'l') {
			is_long = 1;
			format++;
		}
		switch (*format) {
		case 's':
			print_string(va_arg(arguments, const char *));
			break;
		case 'c':
			serial_putc(va_arg(arguments, int));
			break;
		case 'd': {
			int value = va_arg(arguments, int);

			if (value < 0)
				serial_putc('-');
			print_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
			break;
		}
		case 'u':
		case 'x': {
			uint64_t value = is_long ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned);

			print_number(value, *format == 'x' ? 16 : 10);
			break;
		}
		default:
			serial_putc(*format);
		}
	}
}

void print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_arguments(format, arguments);
	va_end(arguments);
}

void panic(const char *format, ...)
{
	va_list arguments;

	print("panic: ");
	va_start(arguments, format);
	print_arguments(format, arguments);
	va_end(arguments);
	print("\n");
	power_off();
}

/* Whether the blank-separated command line has the option. */
int has_option(const char *command_line, const char *option)
{
	while (*command_line) {
		const char *wanted = option;

		while (*wanted && *command_line == *wanted)
			command_line++, wanted++;
		if (!*wanted && (!*command_line || *command_line == ' '))
			return 1;
		while (*command_line && *command_line != ' ')
			command_line++;
		while (*command_line == ' ')
			command_line++;
	}
	return 0;
}
