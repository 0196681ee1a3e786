/* What the files of the kernel offer to each other. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

#define PAGE_ALIGNED __attribute__((aligned(PAGE_SIZE)))

/* What entry.S leaves on the stack, lowest address first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

struct cpu {
	struct cpu *self;
	uint64_t kernel_rsp;	/* of the context that waits in user_run() */
	volatile uint64_t ticks;
};

extern char user_page[], kernel_end[];

/* entry.S */
extern const char trap_entries[VECTOR_IRQ0 + 1][TRAP_ENTRY_SIZE];
void syscall_entry(void);
uint64_t user_run(uintptr_t rip, uintptr_t rsp);
void user_leave(uint64_t code) __attribute__((noreturn));

/* platform.c */
const char *platform_init(uintptr_t information);
void platform_describe(void);

/* print.c */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void panic(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
int has_option(const char *command_line, const char *option);

/* serial.c */
void serial_init(void);
void serial_putc(char c);
int serial_getc(void);

/* paging.c */
void paging_init(void);
void heap_map(uintptr_t address);
void heap_unmap(uintptr_t address);
int heap_contains(uintptr_t address);

/* percpu.c */
void percpu_init(void);
struct cpu *this_cpu(void);

/* gdt.c, idt.c, pic.c, pit.c */
void gdt_init(void);
void idt_init(void);
void pic_init(void);
void pic_eoi(void);
void pit_init(unsigned hertz);

/* fpu.c */
void fpu_take_away(void);
void fpu_first_use(void);

/* trap.c, syscall.c, user.c, shell.c, power.c */
void trap(struct trap_frame *frame);
void syscall(struct trap_frame *frame);
void user_task(void);
void shell(void);
void echo(void);
void power_off(void) __attribute__((noreturn));

#endif
