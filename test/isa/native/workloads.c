// Workloads in plain C for the engine and for the host: lists, bitwise CRC and a matrix (0), copies and a random chase through
// memory (1), a state machine, recursion and calls through a table (2), 64-bit division, multiplication, rotates and strings (3).

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

struct node { struct node *next; short key; };
static struct node nodes[256];
static int a[32 * 32], b[32 * 32], c[32 * 32];
static u64 big[1 << 16];
static u8 text[8192];

static u16 crc(u8 data, u16 sum) {
  for (int i = 0; i < 8; i++) {
    u8 odd = (data ^ sum) & 1;
    data >>= 1;
    sum >>= 1;
    if (odd) sum ^= 0xa001;
  }
  return sum;
}

static u64 __attribute__((noinline)) lists(int n) {
  u16 sum = 0;
  for (int i = 0; i < 255; i++) {
    nodes[i].next = &nodes[i + 1];
    nodes[i].key = i * 7 & 127;
  }
  nodes[255].next = 0;
  struct node *head = nodes;
  for (int r = 0; r < n; r++) {
    struct node *p = 0;
    while (head) {
      struct node *next = head->next;
      head->next = p;
      p = head;
      head = next;
    }
    head = p;
    int found = 0;
    for (p = head; p; p = p->next) found += p->key == (r & 127);
    sum = crc(found, sum);
    if ((r & 15) == 0)
      for (int i = 0; i < 32; i++)
        for (int j = 0; j < 32; j++) {
          int v = 0;
          for (int k = 0; k < 32; k++) v += a[i * 32 + k] * b[k * 32 + j];
          c[i * 32 + j] = v + r;
          a[i * 32 + j] ^= v + i - j;
          b[j * 32 + i] += r;
        }
    for (int i = 0; i < 64; i++) sum = crc(nodes[i].key, sum);
  }
  return sum + (u64)c[77];
}

static u64 __attribute__((noinline)) memory(int n) {
  u64 sum = 0;
  for (int i = 0; i < 1 << 16; i++) big[i] = i * 0x9e3779b97f4a7c15ul;
  for (int r = 0; r < n; r++) {
    for (int i = 0; i < 4096; i++) big[i + 4096] = big[i];
    u64 p = r;
    for (int i = 0; i < 2000; i++) {
      p = big[(p ^ sum) & 0xffff];
      sum += p >> 13;
    }
  }
  return sum;
}

static int __attribute__((noinline)) fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static int f0(int x) { return x + 1; }
static int f1(int x) { return x ^ 3; }
static int f2(int x) { return x * 5; }
static int f3(int x) { return x - 7; }

static u64 __attribute__((noinline)) branches(int n) {
  static int (*volatile table[4])(int) = {f0, f1, f2, f3};
  int sum = 0;
  u32 x = 1;
  for (int r = 0; r < n; r++) {
    int state = 0;
    for (int i = 0; i < 100; i++) {
      x = x * 1664525 + 1013904223;
      u32 ch = x >> 28;
      switch (state) {
        case 0: state = ch < 3 ? 1 : ch < 8 ? 2 : 0; break;
        case 1: state = ch & 1 ? 0 : 2; sum++; break;
        case 2: if (ch > 12) state = 3; else sum += ch; break;
        default: state = 0; sum ^= x >> 20;
      }
      sum = table[x >> 30](sum);
    }
    sum += fib(12);
  }
  return (u32)sum;
}

static u64 __attribute__((noinline)) arithmetic(int n) {
  u64 x = 88172645463325252ul, sum = 0;
  for (int r = 0; r < n; r++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    u64 d = (x >> 40) | 1;
    sum += x / d + x % d;
    sum = (sum << 9) | (sum >> 55);
    sum += (u64)(((unsigned __int128)x * sum) >> 64);
    sum ^= (u64)((long)x / (long)(d << 3)) + (u64)((short)x / (short)(d | 3)) + (u8)x % (u8)d;
    u64 at = x & 4095, length = sum & 1023, to = at + 1500;
    __asm__ volatile("rep movsb" : "+D"((u64){(u64)text + to}), "+S"((u64){(u64)text + at}), "+c"((u64){length}) : : "memory");
    text[at] += x;
    sum += __builtin_popcountl(x) + __builtin_clzl(d) + __builtin_ctzl(d) + text[(at * 3) & 8191] + __builtin_bswap64(x);
  }
  return sum;
}

u64 workload(int which, int n) {
  switch (which) {
    case 0: return lists(n);
    case 1: return memory(n);
    case 2: return branches(n);
    default: return arithmetic(n);
  }
}

#ifdef NATIVE
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  if (argc != 3) return 2;
  printf("%lx\n", workload(atoi(argv[1]), atoi(argv[2])));
  return 0;
}
#else
__asm__(".globl _start\n_start: call workload\n syscall\n");
#endif
