/*
 * Port I/O and the virtual IOPL, physdev_op.set_iopl, set_iobitmap.
 *
 * A kernel may do port I/O (as far as Xen sees it) when its IOPL is 1 or more, or its I/O bitmap says so. What lies behind a port that the domain has no
 * access to reads as all ones.
 *
 * Read: #GP where Xen does not emulate; no values: ports of the machine differ.
 */
#include "guest.h"

static uint8_t bitmap[8192];

static long set_iopl(unsigned level)
{
	struct physdev_set_iopl request = { .iopl = level };

	return CALL(physdev_op, PHYSDEVOP_set_iopl, &request);
}

static long set_bitmap(const void *address, unsigned ports)
{
	struct physdev_set_iobitmap request = { .nr_ports = ports };

	set_xen_guest_handle(request.bitmap, (uint8_t *)address);
	return CALL(physdev_op, PHYSDEVOP_set_iobitmap, &request);
}

SCENARIO("emulate-ports")
{
	static char buffer[16];

	answer("set_iopl 0", set_iopl(0));
	TRY("in from 0x80, IOPL 0", "inb $0x80, %%al");
	TRY("out to 0x80, IOPL 0", "outb %%al, $0x80");
	TRY("cli, IOPL 0", "cli");
	TRY("sti, IOPL 0", "sti");
	answer("set_iobitmap", set_bitmap(bitmap, 0x100));
	TRY("in from 0x80, allowed by the bitmap", "inb $0x80, %%al");
	bitmap[0x80 / 8] = 1;
	TRY("in from 0x80, refused by the bitmap", "inb $0x80, %%al");
	TRY("in from 0x81", "inb $0x81, %%al");
	TRY("in of 16 bits from 0x7f", "inw $0x7f, %%ax");
	TRY("in from 0x100: beyond the bitmap", "movl $0x100, %%edx; inb %%dx, %%al");
	answer("set_iobitmap, no ports", set_bitmap(0, 0));
	TRY("in from 0x81", "inb $0x81, %%al");
	answer("set_iobitmap, 65536 ports", set_bitmap(bitmap, 65536));
	answer("set_iobitmap, 65537 ports", set_bitmap(bitmap, 65537));
	answer("set_iobitmap, bitmap at an address of Xen", set_bitmap((void *)XEN_ADDRESS, 16));
	answer("set_iobitmap, bitmap at an unmapped address", set_bitmap((void *)UNMAPPED, 16));
	TRY("in from 0x8, bitmap not readable", "inb $0x8, %%al");
	answer("set_iobitmap, structure unmapped", CALL(physdev_op, PHYSDEVOP_set_iobitmap, UNMAPPED));
	set_bitmap(0, 0);
	answer("set_iopl 4", set_iopl(4));
	answer("set_iopl, structure unmapped", CALL(physdev_op, PHYSDEVOP_set_iopl, UNMAPPED));
	answer("set_iopl 1", set_iopl(1));
	TRY("in, IOPL 1", "inb $0x80, %%al");
	TRY("in of 16 bits", "inw $0x80, %%ax");
	TRY("in of 32 bits", "inl $0x80, %%eax");
	TRY("in by dx", "movl $0x80, %%edx; inb %%dx, %%al");
	TRY("out to 0x80", "outb %%al, $0x80");
	TRY_WITH("ins", "mov %%" R "ax, %%" R "di; insb", buffer, 0, 0x80);
	TRY_WITH("rep ins", "mov %%" R "ax, %%" R "di; rep insb", buffer, 4, 0x80);
	value("  rcx", after_rcx);
	TRY_WITH("outs", "mov %%" R "ax, %%" R "si; outsb", buffer, 0, 0x80);
	TRY_WITH("rep outs of 0", "mov %%" R "ax, %%" R "si; rep outsb", buffer, 0, 0x80);
	fault_base = 0;
	TRY_WITH("ins to an unmapped address", "mov %%" R "ax, %%" R "di; insb", 0x1000, 0, 0x80);
	TRY_WITH("outs from an unmapped address", "mov %%" R "ax, %%" R "si; outsb", 0x1000, 0, 0x80);
	TRY("in from the configuration ports of PCI", "movl $0xcf8, %%edx; inl %%dx, %%eax");
	TRY("cli, IOPL 1", "cli");
	TRY("sti, IOPL 1", "sti");
	answer("set_iopl 3", set_iopl(3));
	TRY("in, IOPL 3", "inb $0x80, %%al");
	answer("set_iopl 0 again", set_iopl(0));
	TRY("in, IOPL 0", "inb $0x80, %%al");
}
