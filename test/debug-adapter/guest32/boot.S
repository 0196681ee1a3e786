/* Start, hypercall page and trap entries of the 32-bit guest that the debugger is tested with. */
	.macro	NOTE type, directive, value:vararg
	.balign	4
	.long	4, 2f - 1f, \type
	.asciz	"Xen"
1:	\directive \value
2:
	.endm
	.section .note.Xen, "a", @note
	NOTE	6, .asciz, "small"
	NOTE	5, .asciz, "xen-3.0"
	NOTE	8, .asciz, "generic"
	NOTE	9, .asciz, "yes"
	NOTE	3, .long, 0xc0000000
	NOTE	4, .long, 0
	NOTE	1, .long, _start
	NOTE	2, .long, hypercall_page
	.balign	4

	.text
	.globl	_start, hypercall_page, breakpoint_entry
	.type	_start, @function
_start:
	cld
	movl	$stack_top, %esp
	xorl	%ebp, %ebp
	pushl	%esi
	call	kernel_main
	ud2
	.size	_start, . - _start

	.type	breakpoint_entry, @function
breakpoint_entry:
	pushl	%eax
	pushl	%ecx
	pushl	%edx
	call	on_breakpoint
	popl	%edx
	popl	%ecx
	popl	%eax
	iret
	.size	breakpoint_entry, . - breakpoint_entry

	.balign	4096
hypercall_page:
	.skip	4096
	.bss
	.balign	4096
	.skip	8192
stack_top:
	.section .note.GNU-stack, "", @progbits
