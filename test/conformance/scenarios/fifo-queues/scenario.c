/*
 * The FIFO layout of event channels: switching to it, its words and queues, priorities, and the way back by a reset.
 *
 * Words of ports that the scenario does not use are masked, so that events of devices do not come between. Queues are emptied by hand, as a
 * guest does it: take the head's link, clear LINKED.
 *
 * It has an image of its own: afterwards a domU is still in this layout.
 *
 * Read: words as pending 80000000, masked 40000000, linked 20000000, and the linked port relative to the first one used.
 */
#include "guest.h"

#define OP(name, ...) CALL(event_channel_op, EVTCHNOP_##name, ##__VA_ARGS__)
#define WORD_PENDING (1U << EVTCHN_FIFO_PENDING)
#define WORD_MASKED (1U << EVTCHN_FIFO_MASKED)
#define WORD_LINKED (1U << EVTCHN_FIFO_LINKED)
#define WORD_LINK ((1U << EVTCHN_FIFO_LINK_BITS) - 1)

static volatile event_word_t *words;
static volatile evtchn_fifo_control_block_t *control;
static unsigned a, b, c;

static unsigned ipi(void)
{
	struct evtchn_bind_ipi request = { .vcpu = 0 };

	OP(bind_ipi, &request);
	return request.port;
}

static long send(unsigned port)
{
	struct evtchn_send request = { .port = port };

	return OP(send, &request);
}

static long unmask(unsigned port)
{
	struct evtchn_unmask request = { .port = port };

	return OP(unmask, &request);
}

static long close_port(unsigned port)
{
	struct evtchn_close request = { .port = port };

	return OP(close, &request);
}

static long priority(unsigned port, unsigned level)
{
	struct evtchn_set_priority request = { .port = port, .priority = level };

	return OP(set_priority, &request);
}

static long init_control(word frame, unsigned offset, unsigned vcpu, unsigned *link_bits)
{
	struct evtchn_init_control request = { .control_gfn = frame, .offset = offset, .vcpu = vcpu };
	long result = OP(init_control, &request);

	*link_bits = request.link_bits;
	return result;
}

static long expand(word frame)
{
	struct evtchn_expand_array request = { .array_gfn = frame };

	return OP(expand_array, &request);
}

static word relative(unsigned port) { return port ? port - a + 1 : 0; }

static void state(const char *name, unsigned port)
{
	event_word_t now = words[port];

	value(name, (now & ~WORD_LINK) | relative(now & WORD_LINK));
}

static void queue(const char *name, unsigned level)
{
	text(name, (control->ready >> level & 1) ? "ready" : "not ready");
	value("  head", relative(control->head[level]));
}

/* Takes the first port of a queue as a guest does. */
static void take(unsigned level)
{
	unsigned port = control->head[level];
	unsigned next = words[port] & WORD_LINK;

	words[port] &= ~(WORD_LINKED | WORD_LINK | WORD_PENDING);
	control->head[level] = next;
	if (!next)
		control->ready &= ~(1U << level);
	value("  taken", relative(port));
}

static long poll_one(unsigned port)
{
	evtchn_port_t list = port;
	struct sched_poll request = { .nr_ports = 1, .timeout = 1 };

	set_xen_guest_handle(request.ports, &list);
	return CALL(sched_op, SCHEDOP_poll, &request);
}

SCENARIO("fifo-queues")
{
	void *block = fresh_page(), *array = fresh_page(), *array2 = fresh_page();
	word root = mfn_of((void *)start_info->pt_base);
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	struct mmuext_op pin = { .cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = mfn_of(block) };
	struct mmuext_op unpin = { .cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = mfn_of(block) };
	unsigned bits;

	vcpu0->evtchn_upcall_mask = 1;
	answer("init_control of vcpu 1", init_control(mfn_of(block), 0, 1, &bits));
	answer("init_control over the page's end", init_control(mfn_of(block), 4096 - 64, 0, &bits));
	answer("init_control, offset 4", init_control(mfn_of(block), 4, 0, &bits));
	answer("init_control in a page table", init_control(root, 0, 0, &bits));
	answer("init_control of a frame that is not there", init_control(0xfffffff, 0, 0, &bits));
	answer("set_priority, not switched yet", priority(1, 3));
	a = ipi();
	mask_port(a);
	answer("send in the old layout", send(a));
	answer("init_control", init_control(mfn_of(block), 64, 0, &bits));
	value("  link bits", bits);
	control = (void *)((char *)block + 64);
	words = array;
	answer("init_control again", init_control(mfn_of(array), 0, 0, &bits));
	b = ipi();
	c = ipi();
	value("next port", b - a);
	answer("set_priority of port 0", priority(0, 3));
	answer("set_priority of a free port", priority(c + 1, 3));
	answer("set_priority beyond all", priority(200000, 3));
	answer("set_priority 16", priority(b, 16));
	answer("set_priority, unmapped", OP(set_priority, UNMAPPED));
	answer("set_priority b 3", priority(b, 3));
	answer("set_priority c 3", priority(c, 3));
	answer("send without a word", send(b));
	value("  ready", control->ready);
	answer("expand_array of a page table", expand(root));
	answer("expand_array, unmapped", OP(expand_array, UNMAPPED));
	for (unsigned n = 0; n < PAGE_SIZE / sizeof *words; n++)
		words[n] = n == a || n == b ? 0 : WORD_MASKED;
	vcpu0->evtchn_upcall_pending = 0;
	answer("expand_array", expand(mfn_of(array)));
	state("  a", a);
	state("  b", b);
	queue("  queue 7", 7);
	queue("  queue 3", 3);
	value("  upcall pending", vcpu0->evtchn_upcall_pending);
	answer("send c, masked", send(c));
	state("  c", c);
	answer("  poll of it", poll_one(c));
	answer("unmask c", unmask(c));
	state("  b", b);
	state("  c", c);
	queue("  queue 3", 3);
	answer("send b again", send(b));
	state("  b", b);
	take(3);
	queue("  queue 3", 3);
	answer("send b", send(b));
	state("  c", c);
	state("  b", b);
	take(3);
	take(3);
	queue("  queue 3", 3);
	take(7);
	answer("set_priority b 0", priority(b, 0));
	answer("send b", send(b));
	queue("  queue 0", 0);
	answer("set_priority b 15", priority(b, 15));
	words[b] &= ~WORD_PENDING;
	answer("send b while it is in queue 0", send(b));
	state("  b", b);
	queue("  queue 15", 15);
	take(0);
	answer("send b", send(b));
	queue("  queue 15", 15);
	take(15);
	words[c] |= WORD_MASKED;
	answer("send c, masked", send(c));
	answer("unmask of a free port", unmask(c + 1));
	state("  its word", c + 1);
	answer("unmask c", unmask(c));
	answer("close c, linked", close_port(c));
	state("  c", c);
	value("  the next port is not c", ipi() - a);
	take(3);
	value("  now it is", ipi() - a);
	value("priority of a new port is the default: ready", ({ words[c] = 0; control->ready = 0; send(c); control->ready; }));
	take(7);
	control->ready = 0;
	vcpu0->evtchn_upcall_pending = 0;
	upcalls = 0;
	vcpu0->evtchn_upcall_mask = 0;
	answer("send with events open", send(a));
	value("  upcalls", upcalls);
	answer("send while it is linked", send(a));
	value("  upcalls", upcalls);
	vcpu0->evtchn_upcall_mask = 1;
	take(7);
	answer("expand_array, second page", expand(mfn_of(array2)));
	make_readonly(block);
	answer("pin the control page as a table", CALL(mmuext_op, &pin, 1, 0, DOMID_SELF));
	reset.dom = is_dom0() ? 77 : 0;
	answer("reset of another domain", OP(reset, &reset));
	reset.dom = DOMID_SELF;
	/* A domU would lose its console. */
	if (!is_dom0())
		return;
	answer("reset", OP(reset, &reset));
	answer("pin the control page now", CALL(mmuext_op, &pin, 1, 0, DOMID_SELF));
	answer("unpin it", CALL(mmuext_op, &unpin, 1, 0, DOMID_SELF));
	make_writable(block);
	answer("set_priority in the old layout", priority(1, 3));
	value("a port is given out from the start", ipi() - a);
	answer("  close", close_port(a));
	answer("reset_cont", CALL(event_channel_op, 14, &reset));
}
