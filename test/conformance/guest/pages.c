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

pte entry_address(const void *address, int level)
{
	word table = root_mfn();

	for (int at = LEVELS;; at--) {
		unsigned place = slot_of(address, at) * 8;

		if (at == level)
			return frame(table) + place;
		table = (*(const pte *)(frame_to_address_of_kernel(table) + place) >> 12) & 0xffffffffffULL;
	}
}

pte entry_of(const void *address, int level)
{
	pte place = entry_address(address, level);

	return *(const pte *)(frame_to_address_of_kernel(place >> 12) + (word)(place & 0xfff));
}

long map_page(const void *address, pte entry) { return UPDATE_VA(address, entry, UVMF_INVLPG); }

long make_readonly(const void *address) { return map_page(address, frame(mfn_of(address)) | P); }

long make_writable(const void *address) { return map_page(address, frame(mfn_of(address)) | P | RW); }

long write_entry(pte machine_address, pte entry, unsigned command)
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

#define BITS (8 * sizeof(word))

int port_pending(unsigned port) { return (shared->evtchn_pending[port / BITS] >> (port % BITS)) & 1; }

int port_masked(unsigned port) { return (shared->evtchn_mask[port / BITS] >> (port % BITS)) & 1; }

void mask_port(unsigned port) { shared->evtchn_mask[port / BITS] |= 1UL << (port % BITS); }

void clear_port(unsigned port) { shared->evtchn_pending[port / BITS] &= ~(1UL << (port % BITS)); }

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

long set_gdt(word frame, unsigned entries)
{
	word frames[16];

	for (int n = 0; n < 16; n++)
		frames[n] = frame;
	return CALL(set_gdt, frames, entries);
}

void audit_descriptor(const char *name, uint64_t descriptor)
{
	uint64_t *page = fresh_page();

	page[1] = descriptor;
	make_readonly(page);
	answer(name, set_gdt(mfn_of(page), 512));
	if (page[1] != descriptor)
		value("  descriptor now", page[1]);
	CALL(set_gdt, 0, 0);
	make_writable(page);
}
