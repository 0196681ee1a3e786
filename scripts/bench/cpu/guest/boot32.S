// From multiboot to 32-bit paging; descriptor tables, entries of interrupts, the way into user mode and back.
#include "machine.h"

#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE 0x1b
#define USER_DATA 0x23
#define TSS 0x28

  .section .multiboot, "ax"
  .balign 4
  .long 0x1badb002, 0, -0x1badb002

  .code32
  .globl boot
boot:
  cli
  // Identity for the first 256 MiB in pages of 4 MiB; user pages get tables of 4 KiB pages behind that.
  movl $page_directory, %edi
  movl $0x83, %eax
  movl $64, %ecx
1: movl %eax, (%edi)
  addl $0x400000, %eax
  addl $4, %edi
  loop 1b
  movl $0x10, %eax
  movl %eax, %cr4
  movl $page_directory, %eax
  movl %eax, %cr3
  movl %cr0, %eax
  orl $0x80010001, %eax
  movl %eax, %cr0
  lgdt gdt_pointer
  ljmp $KERNEL_CODE, $1f
1: movl $KERNEL_DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl $kernel_stack_top, %esp
  movl $entry_stack_top, tss + 4
  movl $KERNEL_DATA, tss + 8
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
  movl $0x8e00, %edx
  call set_gate
  incl %ecx
  cmpl $48, %ecx
  jne 1b
  movl $gates + 8 * HYPERCALL_VECTOR, %edi
  movl $hypercall, %eax
  movl $0xee00, %edx
  call set_gate
  lidt idt_pointer
  call machine
  ud2

// Gate at edi: to eax with attributes edx; edi goes on to the next.
set_gate:
  movw %ax, (%edi)
  movw $KERNEL_CODE, 2(%edi)
  movw %dx, 4(%edi)
  shrl $16, %eax
  movw %ax, 6(%edi)
  addl $8, %edi
  ret

  .balign 16
vector_0:
  .set n, 0
  .rept 48
  .balign 16
  .if (n != 8) && (n != 10) && (n != 11) && (n != 12) && (n != 13) && (n != 14) && (n != 17)
  pushl $0
  .endif
  pushl $n
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
  addl $8, %esp
  pushl %eax
  pushl %edx
  movl $COM1, %edx
  inb %dx, %al
  movb %al, received
  movb $0x20, %al
  outb %al, $0x20
  popl %edx
  popl %eax
  iret

unexpected:
  movl %cr2, %eax
  pushl %eax
  pushl 12(%esp)
  pushl 12(%esp)
  pushl 12(%esp)
  call unexpected_exception
  ud2

hypercall:
  addl %ebx, %eax
  xorl %ecx, %eax
  iret

// The workload returned: back into run_user's caller, with its result.
undefined:
  cmpl $USER_RETURN, 8(%esp)
  jne unexpected
  movl %eax, %ecx
  rdtsc
  movl %eax, ended
  movl %edx, ended + 4
  movl $KERNEL_DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  movl kernel_esp, %esp
  popl %edi
  popl %esi
  popl %ebp
  popl %ebx
  movl %ecx, %eax
  ret

// word run_user(word n): to the workload's entry at CPL 3, interrupts off.
  .globl run_user
run_user:
  pushl %ebx
  pushl %ebp
  pushl %esi
  pushl %edi
  movl %esp, kernel_esp
  pushl $USER_DATA
  pushl $USER_STACK_TOP - 12
  pushl $2
  pushl $USER_CODE
  pushl $USER_CODE_BASE
  movl $USER_DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  rdtsc
  movl %eax, began
  movl %edx, began + 4
  iret

  .globl wait_for_interrupt
wait_for_interrupt:
  sti
  hlt
  cli
  ret

  .globl load_tables
load_tables:
  movl %cr3, %eax
  movl %eax, %cr3
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
  .quad 0x00cf9a000000ffff // kernel code
  .quad 0x00cf92000000ffff // kernel data
  .quad 0x00cffa000000ffff // user code
  .quad 0x00cff2000000ffff // user data
  .quad 0x0000890000000067 // TSS, base filled in
gdt_pointer:
  .word . - gdt - 1
  .long gdt
idt_pointer:
  .word 256 * 8 - 1
  .long gates
  .balign 8
tss:
  .fill 25, 4, 0
  .long 0x680000

  .bss
  .balign 4096
  .globl page_directory
page_directory: .skip 4096
  .skip 16384
kernel_stack_top:
  .skip 4096
entry_stack_top: // what interrupts and exceptions of user mode start on
gates: .skip 256 * 8
kernel_esp: .skip 4
  .balign 8
  .globl began, ended
began: .skip 8
ended: .skip 8
  .globl received
received: .skip 1
  .section .note.GNU-stack, "", @progbits
