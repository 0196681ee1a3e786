// hypercall: a little work, then a call of the layer below, as a paravirtualized kernel does it (syscall; int 0x82 for 32 bit).
// The layer below answers (number + first) ^ second.
#include "word.h"

static word ring[256];

static inline word call(word number, word first, word second) {
#if defined(BENCH_NATIVE)
  return (number + first) ^ second;
#elif defined(__x86_64__)
  __asm__ volatile("syscall" : "+a"(number) : "D"(first), "S"(second) : "rcx", "r11", "memory");
  return number;
#else
  __asm__ volatile("int $0x82" : "+a"(number) : "b"(first), "c"(second) : "memory");
  return number;
#endif
}

static word __attribute__((noinline)) work(word sum, word round) {
  for (int i = 0; i < 16; i++) {
    word *slot = &ring[(round + i * 13) & 255];
    sum += *slot ^ (sum >> 7);
    *slot = sum + i;
  }
  return sum;
}

word workload(word n) {
  word sum = 1;
  for (int i = 0; i < 256; i++) ring[i] = i * 77;
  for (word round = 0; round < n; round++) {
    sum = work(sum, round);
    sum = ((sum << 5) | (sum >> (WORD_BITS - 5))) + call(round & 31, round, sum);
  }
  return sum;
}
