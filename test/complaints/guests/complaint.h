/* A guest that makes one mistake: it starts like any kernel of test/conformance, maps shared_info and calls run(). */
#ifndef COMPLAINT_H
#define COMPLAINT_H

#include "guest.h"
#include <xen/io/xs_wire.h>

start_info_t *start_info;
shared_info_t *shared;
volatile vcpu_info_t *vcpu0;

static void run(void);

/* What a guest reads goes here, so that it does read. */
static volatile word kept __attribute__((unused));
/* A function of its own in the call stack. */
#define NOINLINE __attribute__((noinline))

void end_guest(unsigned reason)
{
	struct sched_shutdown shutdown = { .reason = reason };

	CALL(sched_op, SCHEDOP_shutdown, &shutdown);
	for (;;)
		;
}

#ifndef OWN_START
void guest_main(start_info_t *info)
{
	static char shared_page[PAGE_SIZE] __attribute__((aligned(4096)));

	start_info = info;
	UPDATE_VA(shared_page, info->shared_info | P | RW, UVMF_INVLPG);
	shared = (void *)shared_page;
	vcpu0 = &shared->vcpu_info[0];
	run();
	end_guest(SHUTDOWN_poweroff);
}
#endif

static inline void unmask_port(unsigned port) { shared->evtchn_mask[0] &= ~(1UL << port); }

/* Sleeps until an event is pending. */
static inline void block(void) { CALL(sched_op, SCHEDOP_block, 0); }

/* One request to XenStore, with the parts of its payload as they are put together (each with its zero byte); answers the type of the reply, whose
 * payload is left in `reply`. Events of watches that come meanwhile are counted. */
static char reply[256] __attribute__((unused));
static unsigned events_seen __attribute__((unused));

static inline volatile struct xenstore_domain_interface *store_ring(void)
{
	return (void *)frame_to_address_of_kernel(start_info->store_mfn);
}

static inline void store_put(const char *bytes, unsigned count)
{
	volatile struct xenstore_domain_interface *ring = store_ring();

	while (count--) {
		ring->req[MASK_XENSTORE_IDX(ring->req_prod)] = *bytes++;
		asm volatile("" : : : "memory");
		ring->req_prod++;
	}
}

static inline void store_notify(void)
{
	struct evtchn_send send = { .port = start_info->store_evtchn };

	CALL(event_channel_op, EVTCHNOP_send, &send);
}

/* Waits for one message; answers its type. */
static inline unsigned store_get(void)
{
	volatile struct xenstore_domain_interface *ring = store_ring();
	struct xsd_sockmsg head;
	char *to = (char *)&head;
	unsigned n;

	for (n = 0; n < sizeof head; n++) {
		while (ring->rsp_prod == ring->rsp_cons)
			CALL(sched_op, SCHEDOP_yield);
		to[n] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
		ring->rsp_cons++;
	}
	for (n = 0; n < head.len; n++) {
		while (ring->rsp_prod == ring->rsp_cons)
			CALL(sched_op, SCHEDOP_yield);
		if (n < sizeof reply - 1)
			reply[n] = ring->rsp[MASK_XENSTORE_IDX(ring->rsp_cons)];
		ring->rsp_cons++;
	}
	reply[n < sizeof reply ? n : sizeof reply - 1] = 0;
	if (head.type == XS_WATCH_EVENT)
		events_seen++;
	return head.type;
}

static inline unsigned length_of(const char *text)
{
	unsigned n = 0;

	while (text[n])
		n++;
	return n;
}

/* `second` may be a null pointer; of XS_WRITE it is sent without a zero byte. */
static inline void store_send(unsigned type, const char *first, const char *second)
{
	unsigned more = second ? length_of(second) + (type != XS_WRITE) : 0;
	struct xsd_sockmsg head = { .type = type, .len = length_of(first) + 1 + more };

	store_put((char *)&head, sizeof head);
	store_put(first, length_of(first) + 1);
	if (second)
		store_put(second, more);
}

static inline unsigned store_request(unsigned type, const char *first, const char *second)
{
	unsigned answer;

	store_send(type, first, second);
	store_notify();
	do
		answer = store_get();
	while (answer == XS_WATCH_EVENT);
	return answer;
}

#endif
