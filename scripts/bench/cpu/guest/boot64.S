// From multiboot to long mode; descriptor tables, entries of interrupts and system calls, the way into user mode and back.
#include "machine.h"

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA 0x23
#define USER_CODE 0x2b
#define TSS 0x30

  .section .multiboot, "ax"
  .balign 4
  .long 0x1badb002, 0, -0x1badb002

  .code32
  .globl boot
boot:
  cli
  // Identity for the first 256 MiB in pages of 2 MiB; user pages get tables of 4 KiB pages behind that.
  movl $level3 + 7, level4
  movl $level2 + 7, level3
  movl $level2, %edi
  movl $0x83, %eax
  movl $128, %ecx
1: movl %eax, (%edi)
  addl $0x200000, %eax
  addl $8, %edi
  loop 1b
  movl $0x20, %eax
  movl %eax, %cr4
  movl $level4, %eax
  movl %eax, %cr3
  movl $0xc0000080, %ecx
  rdmsr
  orl $0x101, %eax
  wrmsr
  movl $0x80010001, %eax
  movl %eax, %cr0
  lgdt gdt_pointer
  ljmp $KERNEL_CODE, $long_mode

  .code64
long_mode:
  movl $KERNEL_DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl $kernel_stack_top, %esp
  movl $0xc0000081, %ecx // STAR: sysret takes user data from 0x18 + 8, user code from 0x18 + 16
  xorl %eax, %eax
  movl $0x00180008, %edx
  wrmsr
  incl %ecx // LSTAR
  movl $system_call, %eax
  xorl %edx, %edx
  wrmsr
  movl $tss, %eax
  movw %ax, gdt + TSS + 2
  shrl $16, %eax
  movb %al, gdt + TSS + 4
  movb %ah, gdt + TSS + 7
  movl $TSS, %eax
  ltr %ax
  movl $gates, %edi
  xorl %ecx, %ecx
1: movl $vector_0, %eax
  movl %ecx, %edx
  shll $4, %edx
  addl %edx, %eax
  movw %ax, (%rdi)
  movw $KERNEL_CODE, 2(%rdi)
  movw $0x8e00, 4(%rdi)
  shrl $16, %eax
  movw %ax, 6(%rdi)
  addl $16, %edi
  incl %ecx
  cmpl $48, %ecx
  jne 1b
  lidt idt_pointer
  call machine
  ud2

  .balign 16
vector_0:
  .set n, 0
  .rept 48
  .balign 16
  .if (n != 8) && (n != 10) && (n != 11) && (n != 12) && (n != 13) && (n != 14) && (n != 17)
  pushq $0
  .endif
  pushq $n
  .if n == 6
  jmp undefined
  .elseif n == COM1_VECTOR
  jmp serial
  .else
  jmp unexpected
  .endif
  .set n, n + 1
  .endr

serial:
  addq $16, %rsp
  pushq %rax
  pushq %rdx
  movl $COM1, %edx
  inb %dx, %al
  movb %al, received
  movb $0x20, %al
  outb %al, $0x20
  popq %rdx
  popq %rax
  iretq

unexpected:
  movq (%rsp), %rdi
  movq 8(%rsp), %rsi
  movq 16(%rsp), %rdx
  movq %cr2, %rcx
  call unexpected_exception
  ud2

system_call:
  addq %rdi, %rax
  xorq %rsi, %rax
  sysretq

// The workload returned: back into run_user's caller, with its result.
undefined:
  cmpl $USER_RETURN, 16(%rsp)
  jne unexpected
  movq %rax, %r9
  rdtsc
  movl %eax, ended
  movl %edx, ended + 4
  movq kernel_rsp, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbp
  popq %rbx
  movq %r9, %rax
  ret

// word run_user(word n): to the workload's entry at CPL 3, interrupts off.
  .globl run_user
run_user:
  pushq %rbx
  pushq %rbp
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, kernel_rsp
  pushq $USER_DATA
  pushq $USER_STACK_TOP - 8
  pushq $2
  pushq $USER_CODE
  pushq $USER_CODE_BASE
  rdtsc
  movl %eax, began
  movl %edx, began + 4
  iretq

  .globl wait_for_interrupt
wait_for_interrupt:
  sti
  hlt
  cli
  ret

  .globl load_tables
load_tables:
  movq %cr3, %rax
  movq %rax, %cr3
  ret

  .section .image, "a"
  .globl image
image:
  .incbin IMAGE
  .globl image_file_end
image_file_end:

  .data
  .balign 8
gdt:
  .quad 0
  .quad 0x00af9a000000ffff // kernel code
  .quad 0x00cf92000000ffff // kernel data
  .quad 0x00cffa000000ffff // user code of 32 bit, for sysret's arithmetic
  .quad 0x00cff2000000ffff // user data
  .quad 0x00affa000000ffff // user code
  .quad 0x0000890000000067 // TSS, base filled in
  .quad 0
gdt_pointer:
  .word . - gdt - 1
  .long gdt
idt_pointer:
  .word 48 * 16 - 1
  .quad gates
  .balign 8
tss:
  .long 0
  .quad entry_stack_top
  .fill 22, 4, 0
  .long 0x680000

  .bss
  .balign 4096
level4: .skip 4096
level3: .skip 4096
  .globl level2
level2: .skip 4096
  .skip 16384
kernel_stack_top:
  .skip 4096
entry_stack_top: // what interrupts and exceptions of user mode start on
gates: .skip 48 * 16
kernel_rsp: .skip 8
  .globl began, ended
began: .skip 8
ended: .skip 8
  .globl received
received: .skip 1
  .section .note.GNU-stack, "", @progbits
