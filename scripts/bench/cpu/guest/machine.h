// What the two boot stubs share with machine.c.

#define USER_CODE_BASE 0x10000000
#define USER_STACK_TOP 0x20000000
#define USER_STACK_PAGES 16
// Where a workload returns to: an undefined instruction, which ends the run.
#define USER_RETURN 0x20001000
// Frames for user pages, handed out in a scattered order.
#define POOL_BASE 0x4000000
#define POOL_FRAMES 16384

#define COM1 0x3f8
#define IRQ_BASE 0x20
#define COM1_VECTOR (IRQ_BASE + 4)
#define HYPERCALL_VECTOR 0x82
