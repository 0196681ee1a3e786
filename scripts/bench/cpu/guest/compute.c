// compute: lists that are reversed and searched, CRC-16 bit by bit, products of 32 x 32 matrices. Fits in the first-level cache.
#include "word.h"

#define ITEMS 200
#define SIDE 32

struct item {
  struct item *next;
  u16 key, value;
};

static struct item items[ITEMS];
static int left[SIDE][SIDE], right[SIDE][SIDE], product[SIDE][SIDE];

static u16 crc_byte(u16 crc, u8 byte) {
  for (int bit = 0; bit < 8; bit++) {
    u8 carry = (u8)(crc ^ byte) & 1;
    byte >>= 1;
    crc >>= 1;
    if (carry) crc ^= 0xa001;
  }
  return crc;
}

static u16 __attribute__((noinline)) crc_word(u16 crc, u32 value) {
  crc = crc_byte(crc, value);
  crc = crc_byte(crc, value >> 8);
  crc = crc_byte(crc, value >> 16);
  return crc_byte(crc, value >> 24);
}

static struct item *__attribute__((noinline)) reverse(struct item *list) {
  struct item *done = 0;
  while (list) {
    struct item *next = list->next;
    list->next = done;
    done = list;
    list = next;
  }
  return done;
}

static struct item *__attribute__((noinline)) find(struct item *list, u16 key) {
  while (list && list->key != key) list = list->next;
  return list;
}

static void __attribute__((noinline)) multiply(void) {
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      int sum = 0;
      for (int k = 0; k < SIDE; k++) sum += left[i][k] * right[k][j];
      product[i][j] = sum;
    }
}

word workload(word n) {
  u16 crc = 0xffff;
  for (int i = 0; i < ITEMS; i++) {
    items[i].next = i + 1 < ITEMS ? &items[i + 1] : 0;
    items[i].key = i * 37 % ITEMS;
    items[i].value = i * 1021;
  }
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      left[i][j] = i * 3 - j;
      right[i][j] = j * 5 + i;
    }
  struct item *list = items;
  word sum = 0;
  for (word round = 0; round < n; round++) {
    for (int i = 0; i < 24; i++) {
      list = reverse(list);
      struct item *found = find(list, (round + i * 17) % ITEMS);
      if (found) sum += found->value++;
      crc = crc_word(crc, sum);
    }
    for (int i = 0; i < SIDE; i++) left[i][round % SIDE] ^= (int)(crc & 0xff) + i;
    multiply();
    for (int i = 0; i < SIDE; i++) crc = crc_word(crc, product[i][(i + round) % SIDE]);
  }
  return (sum << 16) ^ crc;
}
