/* What scenarios are written with, for 64-bit and 32-bit guests: hypercalls, one line of output for each check, instructions that may fault, pages. */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

typedef unsigned long word;
/* A page-table entry, or the machine address of one: 64 bits for both kinds of guest. */
typedef uint64_t pte;

#define PAGE_SIZE 4096UL
/* Guest addresses that nothing can be read from: not mapped, Xen's own, and a read-only one of Xen's. */
#define UNMAPPED 0x10UL
#ifdef __x86_64__
#define KERNEL_BASE 0xffffffff80000000UL
#define XEN_ADDRESS 0xffff82d040200000UL
#define M2P_ADDRESS 0xffff800000000000UL
#define NOT_CANONICAL 0x8000000000000000UL
#define LEVELS 4
#define PIN_ROOT MMUEXT_PIN_L4_TABLE
/* For lines of one kind of guest only. */
#define ONLY64(...) __VA_ARGS__
#define ONLY32(...)
/* In tried code: registers and operand sizes of a word, "mov %%cr0, %%" R "ax", "inc" W " (%%" R "ax)"; a data segment register that C code does not need. */
#define R "r"
#define W "q"
#define DS "ds"
#define FLAT_DATA 0xe02b
/* The address of a callback, as callback_op takes it. */
#define CALLBACK(entry) (word)(entry)
#else
#define KERNEL_BASE 0xc0000000UL
#define XEN_ADDRESS 0xfd000000UL
#define M2P_ADDRESS m2p_address
extern word m2p_address;
#define LEVELS 3
#define PIN_ROOT MMUEXT_PIN_L3_TABLE
#define ONLY64(...)
#define ONLY32(...) __VA_ARGS__
#define R "e"
#define W "l"
#define DS "fs"
#define FLAT_DATA 0xe021
#define CALLBACK(entry) { FLAT_KERNEL_CS, (word)(entry) }
#endif

#define P 1UL
#define RW 2UL
#define US 4UL
#define PWT 8UL
#define PCD 0x10UL
#define ACCESSED 0x20UL
#define DIRTY 0x40UL
#define PSE 0x80UL
#define GLOBAL 0x100UL
#define NX (1ULL << 63)

/* A scenario: its name is its folder's. */
struct scenario {
	const char *name;
	void (*run)(void);
};
#define SCENARIO(id)                                                                                                       \
	static void scenario_run(void);                                                                                    \
	static const struct scenario scenario __attribute__((used, aligned(sizeof(struct scenario)), section(".scenarios"))) = { id, scenario_run };         \
	static void scenario_run(void)

/* start_info, shared_info (mapped before the first scenario) and vcpu 0's part of it. */
extern start_info_t *start_info;
extern shared_info_t *shared;
extern volatile vcpu_info_t *vcpu0;
static inline int is_dom0(void) { return (start_info->flags & SIF_INITDOMAIN) != 0; }

static inline int is_intel(void)
{
	unsigned eax = 0, ebx, ecx = 0, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ebx == 0x756e6547;
}

/* Hypercalls: CALL(mmu_update, request, 1, &done, DOMID_SELF). Missing arguments are 0. */
extern char hypercall_page[];
static inline long hypercall(unsigned number, word a, word b, word c, word d, word e)
{
	long result;
#ifdef __x86_64__
	register word fourth asm("r10") = d;
	register word fifth asm("r8") = e;

	asm volatile("call *%[entry]"
		     : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(fourth), "+r"(fifth)
		     : [entry] "r"(hypercall_page + (number & 127) * 32)
		     : "rcx", "r9", "r11", "memory", "cc");
#else
	asm volatile("call *%%eax"
		     : "=a"(result), "+b"(a), "+c"(b), "+d"(c), "+S"(d), "+D"(e)
		     : "0"(hypercall_page + (number & 127) * 32)
		     : "memory", "cc");
#endif
	return result;
}
#define CALL(name, ...) CALL_NUMBER(__HYPERVISOR_##name, ##__VA_ARGS__)
#define CALL_NUMBER(number, ...) CALL_PADDED(number, ##__VA_ARGS__, 0, 0, 0, 0, 0)
#define CALL_PADDED(number, a, b, c, d, e, ...) hypercall(number, (word)(a), (word)(b), (word)(c), (word)(d), (word)(e))

/* Calls with arguments of 64 bits, which take two registers of a 32-bit guest. */
#ifdef __x86_64__
#define UPDATE_VA(address, entry, flags) CALL(update_va_mapping, address, entry, flags)
#define UPDATE_VA_OF(address, entry, flags, domain) CALL(update_va_mapping_otherdomain, address, entry, flags, domain)
#define UPDATE_DESCRIPTOR(place, descriptor) CALL(update_descriptor, place, descriptor)
#define SET_TIMER(time) CALL(set_timer_op, time)
#define SET_CALLBACKS(event, failsafe, syscall) CALL(set_callbacks, event, failsafe, syscall)
#else
static inline long call_with_pair(unsigned number, word a, uint64_t pair, word d, word e)
{
	return hypercall(number, a, pair, pair >> 32, d, e);
}
static inline long call_with_pairs(unsigned number, uint64_t a, uint64_t b)
{
	return hypercall(number, a, a >> 32, b, b >> 32, 0);
}
#define UPDATE_VA(address, entry, flags) call_with_pair(__HYPERVISOR_update_va_mapping, (word)(address), entry, flags, 0)
#define UPDATE_VA_OF(address, entry, flags, domain)                                                                        \
	call_with_pair(__HYPERVISOR_update_va_mapping_otherdomain, (word)(address), entry, flags, domain)
#define UPDATE_DESCRIPTOR(place, descriptor) call_with_pairs(__HYPERVISOR_update_descriptor, place, descriptor)
#define SET_TIMER(time) call_with_pairs(__HYPERVISOR_set_timer_op, time, 0)
#define SET_CALLBACKS(event, failsafe, syscall) CALL(set_callbacks, FLAT_KERNEL_CS, event, FLAT_KERNEL_CS, failsafe)
#endif

/* One line each: `name = value`. An answer between -4095 and -1 is printed as the name of its errno. */
void answer(const char *name, long result);
void value(const char *name, uint64_t number);
void text(const char *name, const char *string);
/* For scenarios that go through a list of operations: `operation, what = answer`. */
struct operation {
	const char *name;
	unsigned number;
};
void answer_of(const struct operation *operation, const char *what, long result);

/* What the last trap found on its bounce frame. */
struct trap {
	int vector; /* -1: none */
	word error, rip, cs, rflags, rsp, ss, rcx, r11, cr2;
	unsigned mask; /* saved above cs: the mask that was in force */
	unsigned mask_now; /* evtchn_upcall_mask when the handler began */
	word start; /* of the instruction that was tried */
};
extern struct trap last_trap;

/* Registers after an instruction that was tried, whether it trapped or not. */
extern word after_rax, after_rbx, after_rcx, after_rdx;

/* Where a trap goes on; 0: a trap ends the guest. */
extern volatile word resume_at, resume_sp;
void begin_try(void);
/* Prints `name = runs`, or the exception with error code, cr2 relative to `base` where given, and `+n` when rip is not at the instruction. */
void end_try(const char *name);
extern word fault_base;

/* Runs instructions with rax, rcx and rdx as given; prints how it went. */
#define TRY(name, code) TRY_WITH(name, code, 0, 0, 0)
#ifdef __x86_64__
#define TRY_WITH(name, code, a, c, d)                                                                                      \
	do {                                                                                                               \
		word try_a = (word)(a), try_c = (word)(c), try_d = (word)(d), try_b = 0;                                   \
		begin_try();                                                                                               \
		asm volatile("movq %%rsp, resume_sp(%%rip)\n\t"                                                            \
			     "leaq 2f(%%rip), %%rsi\n\t"                                                                   \
			     "movq %%rsi, resume_at(%%rip)\n\t"                                                            \
			     "leaq 1f(%%rip), %%rsi\n\t"                                                                   \
			     "movq %%rsi, last_trap + %c[start](%%rip)\n"                                                  \
			     "1:\t" code "\n"                                                                              \
			     "2:"                                                                                          \
			     : "+a"(try_a), "+b"(try_b), "+c"(try_c), "+d"(try_d)                                          \
			     : [start] "i"(offsetof(struct trap, start))                                                   \
			     : "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");                                    \
		after_rax = try_a, after_rbx = try_b, after_rcx = try_c, after_rdx = try_d;                                \
		end_try(name);                                                                                             \
	} while (0)
#else
#define TRY_WITH(name, code, a, c, d)                                                                                      \
	do {                                                                                                               \
		word try_a = (word)(a), try_c = (word)(c), try_d = (word)(d), try_b = 0;                                   \
		begin_try();                                                                                               \
		asm volatile("movl %%esp, resume_sp\n\t"                                                                   \
			     "movl $2f, resume_at\n\t"                                                                     \
			     "movl $1f, last_trap + %c[start]\n"                                                           \
			     "1:\t" code "\n"                                                                              \
			     "2:"                                                                                          \
			     : "+a"(try_a), "+b"(try_b), "+c"(try_c), "+d"(try_d)                                          \
			     : [start] "i"(offsetof(struct trap, start))                                                   \
			     : "esi", "edi", "memory", "cc");                                                              \
		after_rax = try_a, after_rbx = try_b, after_rcx = try_c, after_rdx = try_d;                                \
		end_try(name);                                                                                             \
	} while (0)
#endif

/* The same in user mode: cs 0xe033 of a 64-bit guest, with the kernel's page tables as user tables; ring 3 of a 32-bit one. Instructions that do not trap
 * end at a ud2. */
void user_mode(void);
extern volatile word user_end;
extern char user_stack_top[];
#define USER_TRY(name, code) USER_TRY_FLAGS(name, code, 0x202)
#ifdef __x86_64__
#define USER_TRY_FLAGS(name, code, flags)                                                                                  \
	do {                                                                                                               \
		begin_try();                                                                                               \
		asm volatile("pushq %%rbp\n\t"                                                                             \
			     "movq %%rsp, resume_sp(%%rip)\n\t"                                                            \
			     "leaq 3f(%%rip), %%rsi\n\t"                                                                   \
			     "movq %%rsi, resume_at(%%rip)\n\t"                                                            \
			     "leaq 2f(%%rip), %%rsi\n\t"                                                                   \
			     "movq %%rsi, user_end(%%rip)\n\t"                                                             \
			     "leaq 1f(%%rip), %%rsi\n\t"                                                                   \
			     "movq %%rsi, last_trap + %c[start](%%rip)\n\t"                                                \
			     "pushq $0xe02b\n\t"                                                                           \
			     "pushq $user_stack_top\n\t"                                                                   \
			     "pushq %[wanted]\n\t"                                                                         \
			     "pushq $0xe033\n\t"                                                                           \
			     "pushq %%rsi\n\t"                                                                             \
			     "pushq $0\n\t"                                                                                \
			     "jmp hypercall_page + 23 * 32\n"                                                              \
			     "1:\t" code "\n"                                                                              \
			     "2:\tud2\n"                                                                                   \
			     "3:\tpopq %%rbp"                                                                              \
			     :                                                                                             \
			     : [start] "i"(offsetof(struct trap, start)), [wanted] "i"(flags)                              \
			     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", \
			       "memory", "cc");                                                                            \
		end_try(name);                                                                                             \
	} while (0)
#else
#define USER_TRY_FLAGS(name, code, flags)                                                                                  \
	do {                                                                                                               \
		begin_try();                                                                                               \
		asm volatile("pushl %%ebp\n\t"                                                                             \
			     "movl %%esp, resume_sp\n\t"                                                                   \
			     "movl $3f, resume_at\n\t"                                                                     \
			     "movl $2f, user_end\n\t"                                                                      \
			     "movl $1f, last_trap + %c[start]\n\t"                                                         \
			     "pushl $0xe033\n\t"                                                                           \
			     "pushl $user_stack_top\n\t"                                                                   \
			     "pushl %[wanted]\n\t"                                                                         \
			     "pushl $0xe02b\n\t"                                                                           \
			     "pushl $1f\n\t"                                                                               \
			     "jmp hypercall_page + 23 * 32\n"                                                              \
			     "1:\t" code "\n"                                                                              \
			     "2:\tud2\n"                                                                                   \
			     "3:\tpopl %%ebp"                                                                              \
			     :                                                                                             \
			     : [start] "i"(offsetof(struct trap, start)), [wanted] "i"(flags)                              \
			     : "eax", "ebx", "ecx", "edx", "esi", "edi", "memory", "cc");                                  \
		end_try(name);                                                                                             \
	} while (0)
#endif

/* Traps and callbacks as they are before each scenario. */
extern char trap_entries[], event_entry[], failsafe_entry[], syscall_entry[], syscall32_entry[], sysenter_entry[], nmi_entry[];
void reset_traps(void);

/* Events seen by the callback, and the ports that were pending then (it clears them). */
extern volatile unsigned upcalls;
extern volatile word upcall_ports;
extern volatile word upcall_saved_mask;
/* Number of the last other callback: 0x101 failsafe, 0x102 syscall, 0x103 syscall32, 0x104 sysenter, 0x105 nmi. */
int port_pending(unsigned port);
int port_masked(unsigned port);
void mask_port(unsigned port);
void clear_port(unsigned port);

/* A zeroed page of its own, mapped writable, never used before. */
void *fresh_page(void);
/* set_gdt with one frame in all of its places. */
long set_gdt(word frame, unsigned entries);
/* What set_gdt answers for a page with this descriptor, and the descriptor where Xen changes it. */
void audit_descriptor(const char *name, uint64_t descriptor);
word mfn_of(const void *address);
word pfn_of(const void *address);
word frame_to_address_of_kernel(word mfn);
/* Machine address of a frame, to which an entry's flags are added. */
static inline pte frame(uint64_t mfn) { return mfn * PAGE_SIZE; }
/* Machine address of the entry that maps an address, at a level from 1 to LEVELS. */
pte entry_address(const void *address, int level);
/* The entry itself. */
pte entry_of(const void *address, int level);
long map_page(const void *address, pte entry);
long make_readonly(const void *address);
long make_writable(const void *address);
/* mmu_update of one entry; `command` 0 to 3. */
long write_entry(pte machine_address, pte entry, unsigned command);
long mmuext(unsigned command, word arg1, word arg2);
/* The top table in use: level 4, or 3 of a 32-bit guest. */
word root_mfn(void);

void *memset(void *to, int byte, size_t count);
void *memcpy(void *to, const void *from, size_t count);
void print(const char *string);
void flush_output(void);
/* Waits until the console's back end has taken everything: it does not look at a domain that has ended. */
void drain_output(void);
extern int drain_always;
void end_guest(unsigned reason);

#endif
