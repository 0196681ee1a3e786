/* The user task: prints, uses its thread-local page and the floating point unit, adds numbers, exits. */
#include "layout.h"

	.section .user, "ax"
	leaq	message(%rip), %rdi
	movl	$(message_end - message), %esi
	movl	$SYSCALL_WRITE, %eax
	int	$0x80

	movq	$41, %fs:0				/* thread-local: the base of fs is USER_DATA */
	incq	%fs:0

	fninit						/* the first use: traps once */
	fnstcw	%fs:8
	cmpw	$0x37f, %fs:8				/* as fninit left it */
	jne	fail

	xorl	%eax, %eax
	movl	$100, %ecx
1:	addl	%ecx, %eax
	loop	1b
	cmpl	$5050, %eax
	jne	fail

	movq	USER_DATA, %rdi				/* 42, seen without fs */
exit:	movl	$SYSCALL_EXIT, %eax
	int	$0x80
fail:	movl	$1, %edi
	jmp	exit

message:
	.ascii	"user: hello\n"
message_end:

	.section .note.GNU-stack, "", @progbits
