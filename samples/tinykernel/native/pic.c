/* The two interrupt controllers: the timer's line is open, all others are masked. */
#include "io.h"
#include "kernel.h"

#define PIC1_COMMAND 0x20
#define PIC1_DATA 0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA 0xa1

#define PIC_INITIALISE 0x11
#define PIC_8086_MODE 0x01
#define PIC_END_OF_INTERRUPT 0x20

void pic_init(void)
{
	outb(PIC1_COMMAND, PIC_INITIALISE);
	outb(PIC2_COMMAND, PIC_INITIALISE);
	outb(PIC1_DATA, VECTOR_IRQ0);
	outb(PIC2_DATA, VECTOR_IRQ0 + 8);
	outb(PIC1_DATA, 1 << 2);			/* the second controller is at line 2 */
	outb(PIC2_DATA, 2);
	outb(PIC1_DATA, PIC_8086_MODE);
	outb(PIC2_DATA, PIC_8086_MODE);
	outb(PIC1_DATA, 0xfe);
	outb(PIC2_DATA, 0xff);
}

void pic_eoi(void)
{
	outb(PIC1_COMMAND, PIC_END_OF_INTERRUPT);
}
