/*
 * machine: frames that are no RAM: which of them dom0 may map, what Xen makes of the entry, and what is read there.
 *
 * The first MiB, firmware's tables and the registers of devices are dom0's to map; the local APICs and HyperTransport's range are not, and the I/O
 * APIC and the HPET are read only whatever the entry says. Entries that ask for cached memory get write-through and cache-disable.
 *
 * Read: flags of the entry that Xen stored, without accessed and dirty.
 */
#include "guest.h"

static void *at;

static void map(const char *name, uint64_t frame, pte flags)
{
	long result = UPDATE_VA(at, (frame << 12) | flags, UVMF_INVLPG | UVMF_LOCAL);

	answer(name, result);
	if (result == 0)
		value("  flags", (entry_of(at, 1) & 0xfffUL) & ~(ACCESSED | DIRTY));
}

SCENARIO("machine-frames")
{
	volatile uint32_t *words;

	at = fresh_page();
	words = at;
	map("the first frame, read only", 0, P);
	map("the first frame", 0, P | RW);
	map("the first frame, cache disabled", 0, P | RW | PCD);
	map("the first frame, write-through", 0, P | RW | PWT);
	map("BIOS", 0xf5, P);
	if (is_dom0())
		value("  first bytes of the RSDP", *(uint32_t *)((char *)at + 0x9d0));
	map("video memory", 0xb8, P | RW);
	map("local APIC", 0xfee00, P | RW);
	map("another local APIC's address", 0xfeeff, P);
	map("HyperTransport", 0xfd00000, P);
	map("beyond the processor's addresses", 1UL << 30, P);
	map("a PCI device's window", 0xe0000, P | RW);
	if (is_dom0()) {
		value("  a word of it", words[0]);
		words[0] = 0x12345678;
		value("  after a store", words[0]);
	}
	map("flash memory", 0xfffff, P);
	map("HPET", 0xfed00, P | RW);
	if (is_dom0()) {
		value("  its identification", words[0]);
		value("  its period", words[1]);
		value("  configuration", words[4]);
	}
	map("I/O APIC, read only", 0xfec00, P);
	map("I/O APIC", 0xfec00, P | RW);
	if (is_dom0()) {
		words[0] = 1;
		value("  index after a store", words[0] == 1);
	}
	UPDATE_VA(at, 0, UVMF_INVLPG | UVMF_LOCAL);
}
