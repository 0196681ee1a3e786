/* Address translation: the kernel at -2 GB, a heap that is mapped on demand, and the user task below. */
#include "cpu.h"

#define ENTRIES 512
#define KERNEL_TABLES 8		/* 16 MB */
#define HEAP_PAGES 16

/* All tables lie together, between these two. */
extern uint8_t page_tables_start[], page_tables_end[];
#define PAGE_TABLE PAGE_ALIGNED __attribute__((section(".bss.page_tables")))

static uint64_t kernel_l4[ENTRIES] PAGE_TABLE;
static uint64_t kernel_l3[ENTRIES] PAGE_TABLE;
static uint64_t kernel_l2[ENTRIES] PAGE_TABLE;
static uint64_t kernel_l1[KERNEL_TABLES][ENTRIES] PAGE_TABLE;
static uint64_t heap_l2[ENTRIES] PAGE_TABLE;
static uint64_t heap_l1[ENTRIES] PAGE_TABLE;
static uint64_t user_l4[ENTRIES] PAGE_TABLE;		/* user mode has a top level of its own, without the kernel */
static uint64_t user_l3[ENTRIES] PAGE_TABLE;
static uint64_t user_l2[ENTRIES] PAGE_TABLE;
static uint64_t user_l1[ENTRIES] PAGE_TABLE;

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

/* A page-table entry for a page of the kernel image: it holds the machine frame. */
static uint64_t entry(const void *page, uint64_t flags)
{
	return virt_to_mfn(page) << 12 | flags;
}

/* Whether the page holds one of our page tables or of those that Xen started us with. */
static int is_page_table(const uint8_t *page)
{
	const uint8_t *first = (const uint8_t *)xen_start_info->pt_base;

	return (page >= page_tables_start && page < page_tables_end) ||
	       (page >= first && page < first + xen_start_info->nr_pt_frames * PAGE_SIZE);
}

static void map_kernel(void)
{
	unsigned long pages = xen_start_info->nr_pages < KERNEL_TABLES * ENTRIES ? xen_start_info->nr_pages : KERNEL_TABLES * ENTRIES;

	if (xen_start_info->pt_base + xen_start_info->nr_pt_frames * PAGE_SIZE > KERNEL_BASE + pages * PAGE_SIZE)
		panic("paging: what Xen loaded goes beyond %lu MB; give the domain less memory", pages / 256);
	for (unsigned page = 0; page < pages; page++) {
		const uint8_t *address = (const uint8_t *)(KERNEL_BASE + (uintptr_t)page * PAGE_SIZE);

		kernel_l1[page / ENTRIES][page % ENTRIES] = entry(address, is_page_table(address) ? PTE_PRESENT : PTE_PRESENT | PTE_WRITE);
	}
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
	user_l4[l4_index(USER_CODE)] = entry(user_l3, table);
}

/* Xen takes a table only when nobody can write to it. */
static void protect_page_tables(void)
{
	for (const uint8_t *page = page_tables_start; page < page_tables_end; page += PAGE_SIZE)
		BUG_ON(HYPERVISOR_update_va_mapping((uintptr_t)page, entry(page, PTE_PRESENT), UVMF_INVLPG));
}

static void table_operation(unsigned command, const void *table)
{
	struct mmuext_op operation = { .cmd = command, .arg1.mfn = virt_to_mfn(table) };

	BUG_ON(HYPERVISOR_mmuext_op(&operation, 1, NULL, DOMID_SELF));
}

static void map_shared_info(void)
{
	BUG_ON(HYPERVISOR_update_va_mapping((uintptr_t)HYPERVISOR_shared_info, xen_start_info->shared_info | PTE_PRESENT | PTE_WRITE, UVMF_INVLPG));
}

void paging_init(void)
{
	map_kernel();
	map_heap();
	map_user();
	protect_page_tables();
	table_operation(MMUEXT_PIN_L4_TABLE, kernel_l4);
	table_operation(MMUEXT_PIN_L4_TABLE, user_l4);
	write_cr3(physical(kernel_l4));
	table_operation(MMUEXT_NEW_USER_BASEPTR, user_l4);
	table_operation(MMUEXT_UNPIN_TABLE, (const void *)xen_start_info->pt_base);
	map_shared_info();
}

/* Two mistakes that ports make, for a demonstration: Xen refuses both, nothing changes. */
void paging_wrong_entries(void)
{
	uint64_t own_table = entry(kernel_l4, PTE_PRESENT | PTE_WRITE);
	struct mmu_update no_table = {
		.ptr = entry(heap_l2, MMU_NORMAL_PT_UPDATE) + (ENTRIES - 1) * 8,
		.val = entry(user_data, PTE_PRESENT | PTE_WRITE),
	};

	print("wrong: own page table, writable: %d\n", (int)HYPERVISOR_update_va_mapping((uintptr_t)kernel_l4, own_table, UVMF_INVLPG));
	print("wrong: level 2 entry for a page of data: %d\n", (int)HYPERVISOR_mmu_update(&no_table, 1, NULL, DOMID_SELF));
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
	BUG_ON(HYPERVISOR_update_va_mapping(address, entry(heap_frames[heap_frames_used++], PTE_PRESENT | PTE_WRITE), UVMF_NONE));
}

/* Takes the page away again; its frame is not used again. */
void heap_unmap(uintptr_t address)
{
	struct mmu_update clear = { .ptr = entry(heap_l1, MMU_NORMAL_PT_UPDATE) + l1_index(address) * 8, .val = 0 };

	BUG_ON(HYPERVISOR_mmu_update(&clear, 1, NULL, DOMID_SELF));
	invalidate_page(address);
}
