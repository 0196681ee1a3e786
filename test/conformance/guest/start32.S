/* The 32-bit form of start.S: the kernel is in ring 1, so a trap of its own leaves no stack pointer on the frame. */
#define __ASSEMBLY__
#include <xen/elfnote.h>

	.macro	NOTE type, directive, value:vararg
	.balign	4
	.long	4
	.long	2f - 1f
	.long	\type
	.asciz	"Xen"
1:	\directive \value
2:
	.endm

	.section .note.Xen, "a", @note
	NOTE	XEN_ELFNOTE_GUEST_OS, .asciz, "conformance"
	NOTE	XEN_ELFNOTE_GUEST_VERSION, .asciz, "1"
	NOTE	XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
	NOTE	XEN_ELFNOTE_LOADER, .asciz, "generic"
	NOTE	XEN_ELFNOTE_PAE_MODE, .asciz, "yes"
	NOTE	XEN_ELFNOTE_VIRT_BASE, .long, 0xc0000000
	NOTE	XEN_ELFNOTE_PADDR_OFFSET, .long, 0
	NOTE	XEN_ELFNOTE_ENTRY, .long, start
	NOTE	XEN_ELFNOTE_HYPERCALL_PAGE, .long, hypercall_page
	.balign	4

	.text
	.globl	start, hypercall_page, trap_entries, event_entry, failsafe_entry, syscall_entry, syscall32_entry, sysenter_entry, nmi_entry
start:
	cld
	movl	$stack_top, %esp
	pushl	%esi				/* start_info */
	call	guest_main
	ud2

	.macro	ENTRY_POINT number, has_error
	.balign	32
	.if	!\has_error
	pushl	$0
	.endif
	pushl	$\number
	jmp	common
	.endm

	.balign	32
trap_entries:
	.altmacro
	.set	number, 0
	.rept	32
	.if	number == 8 || number == 10 || number == 11 || number == 12 || number == 13 || number == 14 || number == 17 || number == 21
	ENTRY_POINT %number, 1
	.else
	ENTRY_POINT %number, 0
	.endif
	.set	number, number + 1
	.endr
	ENTRY_POINT 0x80, 0			/* entry 32: int 0x80 and other gates without error code */

event_entry:	ENTRY_POINT 0x100, 0
failsafe_entry:	ENTRY_POINT 0x101, 0
syscall_entry:	ENTRY_POINT 0x102, 0
syscall32_entry: ENTRY_POINT 0x103, 0
sysenter_entry:	ENTRY_POINT 0x104, 0
nmi_entry:	ENTRY_POINT 0x105, 0

	.balign	16
common:
	pushl	%eax
	pushl	%ecx
	pushl	%edx
	pushl	%ebx
	pushl	%ebp
	pushl	%esi
	pushl	%edi
	cld
	pushl	%esp
	call	on_trap
	addl	$4, %esp
	popl	%edi
	popl	%esi
	popl	%ebp
	popl	%ebx
	popl	%edx
	popl	%ecx
	popl	%eax
	addl	$8, %esp			/* number, error code */
	jmp	hypercall_page + 23 * 32	/* keeps eax on the stack for Xen */

	.balign	4096
hypercall_page:
	.skip	4096

	.bss
	.balign	4096
	.skip	32768
stack_top:
	.skip	8192
	.globl	stack_top, exception_stack_top, user_stack_top
exception_stack_top:
	.skip	4096
user_stack_top:
	.section .note.GNU-stack, "", @progbits
