// Small freestanding programs whose debug information the image tests read.

const HEADER = `
typedef unsigned long word;
struct point { int x, y; };
static inline int square(int x)
{
    int result = x * x;
    return result;
}
static inline int sum_of_squares(struct point p)
{
    return square(p.x)
        + square(p.y);
}
int assembly_add(int a, int b);
int walk(int depth, struct point *points, const char *name);
extern volatile int sink;
`;

// The first code is main.c's own: binutils 2.40 misnames the file of rows that use the line machine's initial file in DWARF 5.
const MAIN = `
volatile int sink;
int first(void) { return sink; }
#include "shared.h"
struct node {
    unsigned low : 3;
    signed middle : 7;
    unsigned long long wide;
    char name[12];
    struct node *next;
    union { int number; short halves[2]; };
    enum colour { RED = 1, GREEN = 2, BLUE = 4, NONE = -1 } colour;
    void (*handler)(int);
    signed char small;
    _Bool yes;
};
static void handle(int n) { sink = n; }
struct node table[2] = {
    { 5, -3, 0x123456789abcULL, "first", 0, { 0x00020001 }, GREEN, handle, -7, 1 },
    { 2, 9, 42, "second", &table[0], { 7 }, RED, 0, 'x', 0 },
};
static int matrix[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
const char *const greeting = "hello\\n";
double ratio = 1.5;
__attribute__((noinline)) static int leaf(int value, const char *name)
{
    int doubled = assembly_add(value, value);
    sink = doubled + name[0];
    return sink;
}
__attribute__((noinline)) int walk(int depth, struct point *points, const char *name)
{
    int total = 0;
    if (depth > 0) {
        int nested = walk(depth - 1, points + 1, name);
        total += nested;
    }
    total += sum_of_squares(*points);
    total += leaf(total, name);
    return total;
}
int run(int count)
{
    struct point points[4] = { { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7, 8 } };
    int answer = walk(count, points, greeting);
    return answer + matrix[1][2] + table[1].next->low;
}
`;

const ASSEMBLY_64 = `
        .text
        .globl _start
        .type _start, @function
_start:
        xorl %ebp, %ebp
        movl $2, %edi
        call run
        movl %eax, %edi
        andl $127, %edi
        movl $231, %eax
        syscall
        hlt
        .size _start, . - _start

        .globl assembly_add
        .type assembly_add, @function
assembly_add:
        leal (%rdi,%rsi), %eax
        nop
        ret
        .size assembly_add, . - assembly_add
`;

const ASSEMBLY_32 = `
        .text
        .globl _start
        .type _start, @function
_start:
        xorl %ebp, %ebp
        pushl $2
        call run
        movl %eax, %ebx
        andl $127, %ebx
        movl $252, %eax
        int $0x80
        hlt
        .size _start, . - _start

        .globl assembly_add
        .type assembly_add, @function
assembly_add:
        movl 4(%esp), %eax
        addl 8(%esp), %eax
        ret
        .size assembly_add, . - assembly_add
`;

export const program = (bits: 32 | 64): Readonly<Record<string, string>> => ({
  'shared.h': HEADER,
  'main.c': MAIN,
  'start.S': bits === 64 ? ASSEMBLY_64 : ASSEMBLY_32,
});

export interface Variant {
  readonly name: string;
  readonly bits: 32 | 64;
  readonly options: readonly string[];
  /** addr2line of binutils 2.40 loses inlined functions in units that refer to type units. */
  readonly hasTypeUnits?: boolean;
}

/** What kernels are built with: optimisation levels, DWARF versions, frame pointers, compressed sections, both widths. */
export const VARIANTS: readonly Variant[] = [
  { name: '-O0 DWARF 5', bits: 64, options: ['-O0', '-gdwarf-5'] },
  { name: '-O2 DWARF 5', bits: 64, options: ['-O2', '-gdwarf-5'] },
  { name: '-O2 DWARF 4', bits: 64, options: ['-O2', '-gdwarf-4'] },
  { name: '-Og DWARF 3', bits: 64, options: ['-Og', '-gdwarf-3'] },
  { name: '-O0 DWARF 2', bits: 64, options: ['-O0', '-gdwarf-2', '-gstrict-dwarf'] },
  {
    name: '-O2 with frame pointers and type units',
    bits: 64,
    options: ['-O2', '-gdwarf-5', '-fno-omit-frame-pointer', '-fdebug-types-section'],
    hasTypeUnits: true,
  },
  { name: '-O0 DWARF 4 with type units', bits: 64, options: ['-O0', '-gdwarf-4', '-fdebug-types-section'], hasTypeUnits: true },
  { name: '-O1 without .eh_frame', bits: 64, options: ['-O1', '-gdwarf-5', '-fno-asynchronous-unwind-tables'] },
  { name: '-O2 zlib-compressed', bits: 64, options: ['-O2', '-gdwarf-5', '-gz=zlib'] },
  { name: '-O2 in function sections', bits: 64, options: ['-O2', '-gdwarf-5', '-ffunction-sections'] },
  { name: '32-bit -O0 DWARF 5', bits: 32, options: ['-m32', '-O0', '-gdwarf-5'] },
  { name: '32-bit -O2 DWARF 4', bits: 32, options: ['-m32', '-O2', '-gdwarf-4'] },
];
