/* From the multiboot loader's 32-bit protected mode to 64-bit C at -2 GB. */
#include "layout.h"

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_MEMORY_INFO 2

	.section .multiboot, "a"
	.balign	4
	.long	MULTIBOOT_MAGIC
	.long	MULTIBOOT_MEMORY_INFO
	.long	-(MULTIBOOT_MAGIC + MULTIBOOT_MEMORY_INFO)

	.section .boot, "ax"
	.code32
	.globl	_start
_start:
	cli
	cld
	movl	%ebx, %esi				/* multiboot information */

	/* One 1 GB region of 2 MB pages, seen at 0 and at -2 GB. */
	movl	$(boot_l3 - KERNEL_BASE + PTE_PRESENT + PTE_WRITE), %eax
	movl	%eax, boot_l4 - KERNEL_BASE
	movl	%eax, boot_l4 - KERNEL_BASE + 511 * 8
	movl	$(boot_l2 - KERNEL_BASE + PTE_PRESENT + PTE_WRITE), %eax
	movl	%eax, boot_l3 - KERNEL_BASE
	movl	%eax, boot_l3 - KERNEL_BASE + 510 * 8
	movl	$(boot_l2 - KERNEL_BASE), %edi
	movl	$(PTE_PRESENT + PTE_WRITE + PTE_LARGE), %eax
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	cmpl	$(boot_l2 - KERNEL_BASE + 4096), %edi
	jb	1b

	movl	%cr4, %eax
	orl	$(CR4_PAE + CR4_OSFXSR), %eax
	movl	%eax, %cr4
	movl	$(boot_l4 - KERNEL_BASE), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$~CR0_EM, %eax
	orl	$(CR0_PG + CR0_WP + CR0_NE + CR0_MP), %eax
	movl	%eax, %cr0
	lgdt	boot_gdt_pointer
	ljmp	$KERNEL_CS, $boot64

	.code64
boot64:
	movabsq	$start64, %rax
	jmp	*%rax

	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff			/* KERNEL_CS: 64-bit code, DPL 0 */
boot_gdt_pointer:
	.word	. - boot_gdt - 1
	.long	boot_gdt

	.cfi_sections .debug_frame
	.text
start64:
	.cfi_startproc
	.cfi_undefined %rip
	xorl	%eax, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	leaq	boot_stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	movl	%esi, %edi
	call	kernel_main
park:
	cli
	hlt
	jmp	park
	.cfi_endproc

	.bss
	.balign	4096
boot_l4:
	.skip	4096
boot_l3:
	.skip	4096
boot_l2:
	.skip	4096
	.skip	8192
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
