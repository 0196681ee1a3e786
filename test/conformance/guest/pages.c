/* Pages to try things on, frame numbers, page-table entries. */
#include "guest.h"

#define POOL_PAGES 256

static char pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));
static unsigned taken;

void *fresh_page(void)
{
	if (taken == POOL_PAGES) {
		print("the pool of pages is empty\n");
		end_guest(SHUTDOWN_crash);
	}
	return pool[taken++];
}

word pfn_of(const void *address) { return ((word)address - KERNEL_BASE) / PAGE_SIZE; }

word mfn_of(const void *address) { return ((const word *)start_info->mfn_list)[pfn_of(address)]; }

/* The address at which the builder mapped one of the guest's frames. */
word frame_to_address_of_kernel(word mfn) { return KERNEL_BASE + (((const word *)M2P_ADDRESS)[mfn] << 12); }

static unsigned slot_of(const void *address, int level) { return ((word)address >> (12 + 9 * (level - 1))) & 511; }

word root_mfn(void) { return mfn_of((void *)start_info->pt_base); }

word entry_address(const void *address, int level)
{
	word table = root_mfn();

	for (int at = 4;; at--) {
		word place = table * PAGE_SIZE + slot_of(address, at) * 8;

		if (at == level)
			return place;
		table = (*(const word *)(frame_to_address_of_kernel(table) + slot_of(address, at) * 8) >> 12) & 0xffffffffffUL;
	}
}

word entry_of(const void *address, int level)
{
	word place = entry_address(address, level);

	return *(const word *)(frame_to_address_of_kernel(place >> 12) + (place & 0xfff));
}

long map_page(const void *address, word entry) { return CALL(update_va_mapping, address, entry, UVMF_INVLPG); }

long make_readonly(const void *address) { return map_page(address, mfn_of(address) << 12 | P); }

long make_writable(const void *address) { return map_page(address, mfn_of(address) << 12 | P | RW); }

long write_entry(word machine_address, word entry, unsigned command)
{
	mmu_update_t request = { .ptr = machine_address | command, .val = entry };

	return CALL(mmu_update, &request, 1, 0, DOMID_SELF);
}

long mmuext(unsigned command, word arg1, word arg2)
{
	struct mmuext_op operation = { .cmd = command };

	operation.arg1.linear_addr = arg1;
	*(word *)&operation.arg2 = arg2;
	return CALL(mmuext_op, &operation, 1, 0, DOMID_SELF);
}

int port_pending(unsigned port) { return (shared->evtchn_pending[port / 64] >> (port % 64)) & 1; }

int port_masked(unsigned port) { return (shared->evtchn_mask[port / 64] >> (port % 64)) & 1; }

void mask_port(unsigned port) { shared->evtchn_mask[port / 64] |= 1UL << (port % 64); }

void clear_port(unsigned port) { shared->evtchn_pending[port / 64] &= ~(1UL << (port % 64)); }

void *memset(void *to, int byte, size_t count)
{
	for (size_t n = 0; n < count; n++)
		((volatile char *)to)[n] = byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t count)
{
	for (size_t n = 0; n < count; n++)
		((volatile char *)to)[n] = ((const char *)from)[n];
	return to;
}
