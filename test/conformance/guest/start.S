/* Notes for Xen's domain builder, the hypercall page, the start, and where exceptions and events arrive. */
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
	NOTE	XEN_ELFNOTE_VIRT_BASE, .quad, 0xffffffff80000000
	NOTE	XEN_ELFNOTE_PADDR_OFFSET, .quad, 0
	NOTE	XEN_ELFNOTE_ENTRY, .quad, start
	NOTE	XEN_ELFNOTE_HYPERCALL_PAGE, .quad, hypercall_page
	.balign	4

	.text
	.globl	start, hypercall_page, trap_entries, event_entry, failsafe_entry, syscall_entry, syscall32_entry, sysenter_entry, nmi_entry
start:
	cld
	leaq	stack_top(%rip), %rsp
	movq	%rsi, %rdi			/* start_info */
	call	guest_main
	ud2

/* Xen enters with rcx and r11 below the rest of the frame. rcx and r11 as they lie there are kept for `struct frame`. */
	.macro	ENTRY_POINT number, has_error
	.balign	32
	.if	!\has_error
	popq	saved_rcx(%rip)
	popq	saved_r11(%rip)
	pushq	$0
	.else
	popq	saved_rcx(%rip)
	popq	saved_r11(%rip)
	.endif
	pushq	$\number
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
	pushq	%rax
	pushq	saved_rcx(%rip)
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	saved_r11(%rip)
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	cld
	movq	%rsp, %rdi
	call	on_trap
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbp
	popq	%rbx
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp			/* number, error code */
	pushq	$0				/* flags of the iret hypercall */
	jmp	hypercall_page + 23 * 32

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
saved_rcx: .skip 8
saved_r11: .skip 8
	.section .note.GNU-stack, "", @progbits
