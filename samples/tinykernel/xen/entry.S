/* Where exceptions, interrupts and system calls arrive, and the way to user mode and back. */
#include "layout.h"
#include "xen.h"

	.cfi_sections .debug_frame

/* Vectors whose exceptions push an error code. */
#define ERROR_CODE_VECTORS ((1 << 8) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 17) | (1 << 21) | (1 << 29) | (1 << 30))

	.altmacro
/* Call frame information where `words` words lie on the stack, the last five of them rip, cs, rflags, rsp and ss. */
	.macro	TRAP_FRAME words
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa	%rsp, 8 * (\words)
	.cfi_offset	%rip, -40
	.cfi_offset	%rsp, -16
	.endm

/* Xen uses these two registers and leaves the guest's values on the stack. */
	.macro	POP_SAVED
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	popq	%r11
	.cfi_adjust_cfa_offset -8
	.endm

	.macro	ENTRY_POINT vector
	.balign	TRAP_ENTRY_SIZE
	.if	(ERROR_CODE_VECTORS >> \vector) & 1
	TRAP_FRAME 8
	POP_SAVED
	.else
	TRAP_FRAME 7
	POP_SAVED
	pushq	$0
	.cfi_adjust_cfa_offset 8
	.endif
	pushq	$\vector
	.cfi_adjust_cfa_offset 8
	jmp	trap_common
	.cfi_endproc
	.endm

	.text
	.globl	trap_entries, event_entry, failsafe_entry, syscall_entry, user_run, user_leave

	.balign	16
trap_entries:
	.set	vector, 0
	.rept	TRAP_ENTRIES
	ENTRY_POINT %vector
	.set	vector, vector + 1
	.endr

	.balign	16
event_entry:
	TRAP_FRAME 7
	POP_SAVED
	pushq	$0
	.cfi_adjust_cfa_offset 8
	pushq	$VECTOR_EVENT
	.cfi_adjust_cfa_offset 8
	jmp	trap_common
	.cfi_endproc

/* Xen could not load a segment register or return by iret. */
	.balign	16
failsafe_entry:
	leaq	failsafe_message(%rip), %rdi
	xorl	%eax, %eax
	call	panic

	.balign	16
syscall_entry:
	TRAP_FRAME 7
	POP_SAVED
	pushq	$0
	.cfi_adjust_cfa_offset 8
	pushq	$VECTOR_SYSCALL
	.cfi_endproc

trap_common:
	TRAP_FRAME 7
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rbx
	pushq	%rbp
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.cfi_adjust_cfa_offset 120
	.cfi_offset	%rbx, -88
	.cfi_offset	%rbp, -96
	.cfi_offset	%r12, -152
	.cfi_offset	%r13, -160
	.cfi_offset	%r14, -168
	.cfi_offset	%r15, -176
	cld
	movq	%rsp, %rdi
	call	trap
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
	addq	$16, %rsp				/* vector, error code */
	pushq	$0					/* flags of the iret hypercall */
	jmp	hypercall_page + __HYPERVISOR_iret * 32
	.cfi_endproc

/* uint64_t user_run(rip, rsp): runs user code until it calls user_leave(code) through the kernel; returns the code. */
	.balign	16
user_run:
	.cfi_startproc
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.cfi_adjust_cfa_offset 48
	movq	%rsp, %gs:CPU_KERNEL_RSP
	pushq	$USER_SS
	pushq	%rsi
	pushq	$RFLAGS_IF
	pushq	$USER_CS
	pushq	%rdi
	pushq %rax
	movq this_vcpu(%rip), %rax
	movb $1, 1(%rax)                /* evtchn_upcall_mask */
	popq %rax
	pushq	$0
	jmp	hypercall_page + __HYPERVISOR_iret * 32
	.cfi_endproc

	.balign	16
user_leave:
	.cfi_startproc
	movq	%gs:CPU_KERNEL_RSP, %rsp
	.cfi_def_cfa	%rsp, 56
	movq	%rdi, %rax
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc

	.section .rodata
failsafe_message:
	.asciz	"failsafe callback"

	.section .note.GNU-stack, "", @progbits
