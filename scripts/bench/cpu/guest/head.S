// First bytes of a workload's flat image: offset 0 the entry, offset 8 its size in memory.
  .section .head, "ax"
  .globl start
start:
  jmp workload
  .balign 8
  .long image_end - start
  .balign 16
  .section .note.GNU-stack, "", @progbits
