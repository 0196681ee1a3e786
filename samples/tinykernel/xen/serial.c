/* The console: the ring that the console daemon shares with a domU, Xen's own console for dom0. */
#include "cpu.h"

#define STATUS_OUTPUT_EMPTY 0x20

static volatile struct xencons_interface *ring;		/* none in dom0 */
static uint32_t notified;				/* output up to here is known to the daemon */

void serial_init(void)
{
	if (xen_start_info->flags & SIF_INITDOMAIN)
		return;
	ring = (void *)(KERNEL_BASE + machine_to_phys_mapping[xen_start_info->console.domU.mfn] * PAGE_SIZE);
}

static void notify(void)
{
	struct evtchn_port send = { .port = xen_start_info->console.domU.evtchn };

	notified = ring->out_prod;
	HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
}

static void ring_write(char c)
{
	while (ring->out_prod - ring->out_cons == sizeof ring->out) {
		notify();
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
	}
	ring->out[ring->out_prod % sizeof ring->out] = c;
	barrier();
	ring->out_prod++;
	if (c == '\n')
		notify();
}

/* Xen's console takes what it is given. */
static uint8_t line_status(void)
{
	return 0x60;
}

static void transmit(char c)
{
	if (ring) {
		ring_write(c);
		return;
	}
	while (!(line_status() & STATUS_OUTPUT_EMPTY))
		;
	HYPERVISOR_console_io(CONSOLEIO_write, 1, &(char){ c });
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
	char c;

	if (!ring)
		return HYPERVISOR_console_io(CONSOLEIO_read, 1, &c) == 1 ? (unsigned char)c : -1;
	if (ring->out_prod != notified)
		notify();
	if (ring->in_cons == ring->in_prod)
		return -1;
	c = ring->in[ring->in_cons % sizeof ring->in];
	barrier();
	ring->in_cons++;
	notify();
	return (unsigned char)c;
}

/* Waits until the daemon has read all output: with the domain goes the ring. */
void serial_drain(void)
{
	if (!ring)
		return;
	notify();
	while (ring->out_cons != ring->out_prod)
		HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}
