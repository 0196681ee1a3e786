/* Address translation: the kernel at -2 GB, a heap that is mapped on demand, and the user task below. */
#include "cpu.h"

#define ENTRIES 512
#define KERNEL_TABLES 8		/* 16 MB */
#define HEAP_PAGES 16

static uint64_t kernel_l4[ENTRIES] PAGE_ALIGNED;
static uint64_t kernel_l3[ENTRIES] PAGE_ALIGNED;
static uint64_t kernel_l2[ENTRIES] PAGE_ALIGNED;
static uint64_t kernel_l1[KERNEL_TABLES][ENTRIES] PAGE_ALIGNED;
static uint64_t heap_l2[ENTRIES] PAGE_ALIGNED;
static uint64_t heap_l1[ENTRIES] PAGE_ALIGNED;
static uint64_t user_l3[ENTRIES] PAGE_ALIGNED;
static uint64_t user_l2[ENTRIES] PAGE_ALIGNED;
static uint64_t user_l1[ENTRIES] PAGE_ALIGNED;

static uint8_t heap_frames[HEAP_PAGES][PAGE_SIZE] PAGE_ALIGNED;
static uint8_t user_data[PAGE_SIZE] PAGE_ALIGNED;
static uint8_t user_stack[PAGE_SIZE] PAGE_ALIGNED;
static unsigned heap_frames_used;

static unsigned l4_index(uintptr_t address)
{
	return address >> 39 & 511;
}

static unsigned l3_index(uintptr_t address)
{
	return address >> 30 & 511;
}

static unsigned l2_index(uintptr_t address)
{
	return address >> 21 & 511;
}

static unsigned l1_index(uintptr_t address)
{
	return address >> 12 & 511;
}

static uint64_t physical(const void *address)
{
	return (uintptr_t)address - KERNEL_BASE;
}

/* A page-table entry for a page of the kernel image. */
static uint64_t entry(const void *page, uint64_t flags)
{
	return physical(page) | flags;
}

static void map_kernel(void)
{
	for (unsigned page = 0; page < KERNEL_TABLES * ENTRIES; page++)
		kernel_l1[page / ENTRIES][page % ENTRIES] = (uint64_t)page * PAGE_SIZE | PTE_PRESENT | PTE_WRITE;
	for (unsigned table = 0; table < KERNEL_TABLES; table++)
		kernel_l2[table] = entry(kernel_l1[table], PTE_PRESENT | PTE_WRITE);
	kernel_l3[l3_index(KERNEL_BASE)] = entry(kernel_l2, PTE_PRESENT | PTE_WRITE);
	kernel_l4[l4_index(KERNEL_BASE)] = entry(kernel_l3, PTE_PRESENT | PTE_WRITE);
}

static void map_heap(void)
{
	heap_l2[l2_index(HEAP_BASE)] = entry(heap_l1, PTE_PRESENT | PTE_WRITE);
	kernel_l3[l3_index(HEAP_BASE)] = entry(heap_l2, PTE_PRESENT | PTE_WRITE);
}

static void map_user(void)
{
	const uint64_t table = PTE_PRESENT | PTE_WRITE | PTE_USER;

	user_l1[l1_index(USER_CODE)] = entry(user_page, PTE_PRESENT | PTE_USER);
	user_l1[l1_index(USER_DATA)] = entry(user_data, PTE_PRESENT | PTE_WRITE | PTE_USER);
	user_l1[l1_index(USER_STACK_TOP - PAGE_SIZE)] = entry(user_stack, PTE_PRESENT | PTE_WRITE | PTE_USER);
	user_l2[l2_index(USER_CODE)] = entry(user_l1, table);
	user_l3[l3_index(USER_CODE)] = entry(user_l2, table);
	kernel_l4[l4_index(USER_CODE)] = entry(user_l3, table);
}

void paging_init(void)
{
	map_kernel();
	map_heap();
	map_user();
	write_cr3(physical(kernel_l4));
}

int heap_contains(uintptr_t address)
{
	return address >= HEAP_BASE && address < HEAP_BASE + HEAP_PAGES * PAGE_SIZE;
}

/* Gives the page of the heap that holds the address a frame of its own, zeroed. */
void heap_map(uintptr_t address)
{
	if (heap_frames_used == HEAP_PAGES)
		panic("heap: no frame left for 0x%lx", address);
	heap_l1[l1_index(address)] = entry(heap_frames[heap_frames_used++], PTE_PRESENT | PTE_WRITE);
}

/* Takes the page away again; its frame is not used again. */
void heap_unmap(uintptr_t address)
{
	heap_l1[l1_index(address)] = 0;
	invalidate_page(address);
}
