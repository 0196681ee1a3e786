/* The PCI device 00:02.0 of the simulated PC for guests that run as dom0: its registers mapped, its lines, its copies. */
#ifndef DEVICE_H
#define DEVICE_H

#include "complaint.h"

#define DEVICE 0x80001000U /* 00:02.0 in PCI's address register */
#define FACTORIAL 0x08
#define RAISE 0x60
#define ACKNOWLEDGE 0x64
#define SOURCE 0x80
#define DESTINATION 0x88
#define COUNT 0x90
#define COMMAND 0x98
#define BUFFER 0x40000UL
#define LINE 10

static volatile char *registers;

static inline void out32(unsigned short port, unsigned value) { asm volatile("outl %0, %1" : : "a"(value), "d"(port)); }
static inline unsigned in32(unsigned short port)
{
	unsigned value;

	asm volatile("inl %1, %0" : "=a"(value) : "d"(port));
	return value;
}
static inline unsigned config_read(unsigned offset)
{
	out32(0xcf8, DEVICE | offset);
	return in32(0xcfc);
}
static inline void config_write(unsigned offset, unsigned value)
{
	out32(0xcf8, DEVICE | offset);
	out32(0xcfc, value);
}
static inline void store32(unsigned at, unsigned value) { *(volatile unsigned *)(registers + at) = value; }
static inline void store64(unsigned at, uint64_t value) { *(volatile uint64_t *)(registers + at) = value; }
static inline unsigned load32(unsigned at) { return *(volatile unsigned *)(registers + at); }

/* Finds the device, lets it use memory by itself, and maps the first page of its registers. */
static inline void find_device(void)
{
	struct physdev_set_iopl iopl = { .iopl = 1 };

	CALL(physdev_op, PHYSDEVOP_set_iopl, &iopl);
	config_write(4, config_read(4) | 6);
	registers = fresh_page();
	UPDATE_VA((void *)registers, (config_read(0x10) & ~0xfffUL) | P | RW | PCD, UVMF_INVLPG);
}

/* Sets up and binds the device's line; answers the port. */
static inline unsigned bind_line(void)
{
	struct physdev_map_pirq map = { .domid = DOMID_SELF, .type = MAP_PIRQ_TYPE_GSI, .index = LINE, .pirq = LINE };
	struct physdev_setup_gsi gsi = { .gsi = LINE, .triggering = 1, .polarity = 1 };
	struct evtchn_bind_pirq bind = { .pirq = LINE, .flags = BIND_PIRQ__WILL_SHARE };

	CALL(physdev_op, PHYSDEVOP_map_pirq, &map);
	CALL(physdev_op, PHYSDEVOP_setup_gsi, &gsi);
	CALL(event_channel_op, EVTCHNOP_bind_pirq, &bind);
	unmask_port(bind.port);
	return bind.port;
}

static inline void wait_ns(uint64_t ns)
{
	vcpu_set_singleshot_timer_t none = { 0 };
	struct sched_poll poll = { .nr_ports = 0, .timeout = shared->vcpu_info[0].time.system_time + ns };

	(void)none;
	CALL(sched_op, SCHEDOP_poll, &poll);
}
#endif
