/* The console: the first serial port, polled. */
#include "io.h"
#include "kernel.h"

#define COM1_DATA 0x3f8
#define COM1_DIVISOR_LOW 0x3f8
#define COM1_DIVISOR_HIGH 0x3f9
#define COM1_INTERRUPT_ENABLE 0x3f9
#define COM1_FIFO_CONTROL 0x3fa
#define COM1_LINE_CONTROL 0x3fb
#define COM1_MODEM_CONTROL 0x3fc
#define COM1_LINE_STATUS 0x3fd

#define LINE_CONTROL_8N1 0x03
#define LINE_CONTROL_DIVISOR 0x80
#define STATUS_INPUT 0x01
#define STATUS_OUTPUT_EMPTY 0x20

void serial_init(void)
{
	outb(COM1_INTERRUPT_ENABLE, 0);
	outb(COM1_LINE_CONTROL, LINE_CONTROL_DIVISOR);
	outb(COM1_DIVISOR_LOW, 1);			/* 115200 baud */
	outb(COM1_DIVISOR_HIGH, 0);
	outb(COM1_LINE_CONTROL, LINE_CONTROL_8N1);
	outb(COM1_FIFO_CONTROL, 0x07);
	outb(COM1_MODEM_CONTROL, 0x03);
}

static uint8_t line_status(void)
{
	return inb(COM1_LINE_STATUS);
}

static void transmit(char c)
{
	while (!(line_status() & STATUS_OUTPUT_EMPTY))
		;
	outb(COM1_DATA, c);
}

void serial_putc(char c)
{
	if (c == '\n')
		transmit('\r');
	transmit(c);
}

/* The next byte of input, -1 when there is none. */
int serial_getc(void)
{
	if (!(line_status() & STATUS_INPUT))
		return -1;
	return inb(COM1_DATA);
}
