/* Output: lines to console_io (dom0) or to the console ring (domU). */
#include "guest.h"

static char line[256];
static unsigned length;
int drain_always;

static void to_ring(const char *bytes, unsigned count)
{
	word page = frame_to_address_of_kernel(start_info->console.domU.mfn);
	volatile struct xencons_interface *ring = (void *)page;
	struct evtchn_send send = { .port = start_info->console.domU.evtchn };

	while (count--) {
		while (ring->out_prod - ring->out_cons >= sizeof ring->out)
			CALL(sched_op, SCHEDOP_yield);
		ring->out[ring->out_prod & (sizeof ring->out - 1)] = *bytes++;
		asm volatile("" : : : "memory");
		ring->out_prod++;
	}
	CALL(event_channel_op, EVTCHNOP_send, &send);
}

void drain_output(void)
{
	volatile struct xencons_interface *ring;

	if (is_dom0())
		return;
	ring = (void *)frame_to_address_of_kernel(start_info->console.domU.mfn);
	while (ring->out_cons != ring->out_prod)
		CALL(sched_op, SCHEDOP_yield);
}

void flush_output(void)
{
	if (is_dom0())
		CALL(console_io, CONSOLEIO_write, length, line);
	else
		to_ring(line, length);
	length = 0;
	if (drain_always)
		drain_output();
}

static void put(char c)
{
	line[length++] = c;
	if (c == '\n' || length == sizeof line - 1)
		flush_output();
}

void print(const char *string)
{
	while (*string)
		put(*string++);
}

static void print_hex(uint64_t number)
{
	char digits[16];
	int n = 0;

	print("0x");
	do
		digits[n++] = "0123456789abcdef"[number & 15];
	while (number >>= 4);
	while (n)
		put(digits[--n]);
}

static const struct {
	const char *name;
	int number;
} errors[] = {
#define XEN_ERRNO(name, number) { #name, number },
#include <xen/errno.h>
};

void answer(const char *name, long result)
{
	print(name);
	print(" = ");
	if (result < 0 && result > -4096) {
		for (unsigned n = 0; n < sizeof errors / sizeof errors[0]; n++) {
			if (errors[n].number == -result) {
				put('-');
				print(errors[n].name);
				put('\n');
				return;
			}
		}
	}
	if (result == 0)
		put('0');
	else
		print_hex((word)result);
	put('\n');
}

void answer_of(const struct operation *operation, const char *what, long result)
{
	print(operation->name);
	print(", ");
	answer(what, result);
}

void value(const char *name, uint64_t number)
{
	print(name);
	print(" = ");
	print_hex(number);
	put('\n');
}

void text(const char *name, const char *string)
{
	print(name);
	print(" = ");
	print(string);
	put('\n');
}

static const char *const exceptions[] = { "#DE", "#DB", "#NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "vector 9", "#TS",
	"#NP", "#SS", "#GP", "#PF", "vector 15", "#MF", "#AC", "#MC", "#XM" };

void end_try(const char *name)
{
	resume_at = 0;
	print(name);
	print(" = ");
	if (last_trap.vector < 0 || (last_trap.vector == 6 && last_trap.rip == user_end)) {
		print("runs\n");
		user_end = 0;
		return;
	}
	user_end = 0;
	if (last_trap.vector < 20)
		print(exceptions[last_trap.vector]);
	else if (last_trap.vector == 0x80)
		print("gate");
	else if (last_trap.vector == 0x101)
		print("failsafe");
	else if (last_trap.vector == 0x102)
		print("syscall callback");
	else if (last_trap.vector == 0x103)
		print("syscall32 callback");
	else if (last_trap.vector == 0x104)
		print("sysenter callback");
	else
		print_hex(last_trap.vector);
	if (last_trap.vector >= 10 && last_trap.vector <= 14) {
		put('(');
		print_hex(last_trap.error);
		put(')');
	}
	if (last_trap.vector == 14) {
		print(" cr2 ");
		print_hex(last_trap.cr2 - fault_base);
	}
	if (last_trap.rip != last_trap.start) {
		long offset = last_trap.rip - last_trap.start;

		if (offset > 0 && offset < 64) {
			print(" rip +");
			print_hex(offset);
		} else
			print(" rip elsewhere");
	}
	put('\n');
}
