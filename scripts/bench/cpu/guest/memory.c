// memory: copies of 32 KiB, and walks through 16 MiB of pages that point to one another as tables of four levels do: each step of
// a walk is an entry of another page, so most steps miss a TLB of 1,024 entries.
#include "word.h"

#define PAGE_WORDS (4096 / sizeof(word))
#define PAGES 4096
#define COPY_WORDS (32768 / sizeof(word))

static word table[PAGES][PAGE_WORDS] __attribute__((aligned(4096)));
static word from[COPY_WORDS], to[COPY_WORDS];

static u32 __attribute__((noinline)) next_random(u32 seed) { return seed * 1664525 + 1013904223; }

static void __attribute__((noinline)) fill(void) {
  u32 seed = 20221;
  for (int page = 0; page < PAGES; page++)
    for (int i = 0; i < (int)PAGE_WORDS; i++) {
      seed = next_random(seed);
      table[page][i] = seed >> 8;
    }
  for (int i = 0; i < (int)COPY_WORDS; i++) from[i] = next_random(i);
}

static void __attribute__((noinline)) copy(void) {
  for (int i = 0; i < (int)COPY_WORDS; i++) to[i] = from[i];
}

static word __attribute__((noinline)) walk(u32 address, word page) {
  for (int level = 3; level >= 0; level--) page = table[page % PAGES][(address >> (level * 7)) % PAGE_WORDS];
  return page;
}

word workload(word n) {
  word sum = 0;
  u32 address = 1;
  fill();
  for (word round = 0; round < n; round++) {
    for (int i = 0; i < 4; i++) {
      from[(round + i) % COPY_WORDS] += sum;
      copy();
      sum += to[(round * 7 + i) % COPY_WORDS];
    }
    for (int i = 0; i < 2000; i++) {
      address = next_random(address);
      word found = walk(address, sum);
      sum += found;
      if ((found & 15) == 3) table[found % PAGES][address % PAGE_WORDS] ^= round & 0xffffff;
    }
  }
  return sum;
}
