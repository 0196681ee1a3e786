// memory: copies of 32 KiB, and walks through 16 MiB of pages that point to one another as tables of four levels do: each step of
// a walk is an entry of another page, so most steps miss a TLB of 1,024 entries. Two lines of each page are in use: what is
// measured is translation, and not the host's main memory.
#include "word.h"

#define PAGE_WORDS (4096 / sizeof(word))
#define PAGES 4096
#define LINE_WORDS (64 / sizeof(word))
#define COPY_WORDS (32768 / sizeof(word))

static word table[PAGES][PAGE_WORDS] __attribute__((aligned(4096)));
static word from[COPY_WORDS], to[COPY_WORDS];

static u32 __attribute__((noinline)) next_random(u32 seed) { return seed * 1664525 + 1013904223; }

// One of the two entries of a page, each in a line of its own, other lines in other pages.
static inline word *entry(word page, u32 which) {
  return &table[page][((page * 7 + (which & 1) * 29) * LINE_WORDS) % PAGE_WORDS];
}

static void __attribute__((noinline)) fill(void) {
  u32 seed = 20221;
  for (u32 page = 0; page < PAGES; page++)
    for (u32 which = 0; which < 2; which++) {
      seed = next_random(seed);
      *entry(page, which) = seed >> 8;
    }
  for (int i = 0; i < (int)COPY_WORDS; i++) from[i] = next_random(i);
}

static void __attribute__((noinline)) copy(void) {
  for (int i = 0; i < (int)COPY_WORDS; i++) to[i] = from[i];
}

static word __attribute__((noinline)) walk(u32 address, word page) {
  for (int level = 3; level >= 0; level--) page = *entry(page % PAGES, address >> (level * 7));
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
      if ((found & 15) == 3) *entry(found % PAGES, address >> 9) ^= round & 0xffffff;
    }
  }
  return sum;
}
