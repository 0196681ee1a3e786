// The little kernel under a workload on QEMU and v86: maps it in user pages of scattered frames, then runs it once for each number
// that arrives on the serial port, and answers with the checksum and what the time stamp counter counted. Between runs it halts.
#include "machine.h"
#include "word.h"

typedef unsigned long long u64;

#define PRESENT_WRITABLE_USER 7

extern const u8 image[], image_file_end[];
extern volatile u8 received;
extern u64 began, ended;
word run_user(word n);
void wait_for_interrupt(void);
void load_tables(void);
void machine(void);
void unexpected_exception(word vector, word error, word at, word address);

#ifdef __x86_64__
typedef u64 entry;
extern entry level2[512];
#define DIRECTORY level2
#define TABLE_ENTRIES 512
#else
typedef u32 entry;
extern entry page_directory[1024];
#define DIRECTORY page_directory
#define TABLE_ENTRIES 1024
#endif

static void out(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static u8 in(u16 port) {
  u8 value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static void put(char c) {
  while (!(in(COM1 + 5) & 0x20)) {}
  out(COM1, c);
}
static void put_text(const char *text) {
  while (*text) put(*text++);
}
static void put_hex(u64 value) {
  for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 15]);
}

void unexpected_exception(word vector, word error, word at, word address) {
  put_text("exception ");
  put_hex(vector);
  put(' ');
  put_hex(error);
  put_text(" at ");
  put_hex(at);
  put_text(" address ");
  put_hex(address);
  put('\n');
  for (;;) wait_for_interrupt();
}

static u32 frames_used;
static void *new_frame(void) {
  u32 index = (frames_used++ * 9973 + 4001) % POOL_FRAMES;
  u8 *frame = (u8 *)(word)(POOL_BASE + index * 4096);
  for (int i = 0; i < 4096; i++) frame[i] = 0;
  return frame;
}

static u8 *map(word address) {
  entry *slot = &DIRECTORY[address / 4096 / TABLE_ENTRIES];
  if (!*slot) *slot = (word)new_frame() | PRESENT_WRITABLE_USER;
  entry *table = (entry *)(word)(*slot & ~(entry)4095);
  u8 *frame = new_frame();
  table[address / 4096 % TABLE_ENTRIES] = (word)frame | PRESENT_WRITABLE_USER;
  return frame;
}

static void map_image(void) {
  word size = *(const u32 *)(image + 8), file = image_file_end - image;
  for (word page = 0; page < size; page += 4096) {
    u8 *frame = map(USER_CODE_BASE + page);
    for (word i = 0; i < 4096 && page + i < file; i++) frame[i] = image[page + i];
  }
}

static void start_serial(void) {
  out(0x20, 0x11); // both interrupt controllers: vectors from IRQ_BASE, everything masked but COM1
  out(0xa0, 0x11);
  out(0x21, IRQ_BASE);
  out(0xa1, IRQ_BASE + 8);
  out(0x21, 4);
  out(0xa1, 2);
  out(0x21, 1);
  out(0xa1, 1);
  out(0x21, 0xef);
  out(0xa1, 0xff);
  out(COM1 + 3, 3); // 8 bits
  out(COM1 + 2, 0); // no FIFO
  out(COM1 + 4, 0x0b);
  out(COM1 + 1, 1); // interrupt when a byte has arrived
}

static word read_number(void) {
  word number = 0;
  for (;;) {
    while (!received) wait_for_interrupt();
    u8 c = received;
    received = 0;
    if (c == '\n') return number;
    number = number * 10 + c - '0';
    put('.'); // asks for the next character: there is room for one
  }
}

void machine(void) {
  map_image();
  for (word page = 1; page <= USER_STACK_PAGES; page++) map(USER_STACK_TOP - page * 4096);
  u8 *end = map(USER_RETURN);
  end[0] = 0x0f;
  end[1] = 0x0b;
  load_tables();
  start_serial();
  put_text("ready\n");
  for (;;) {
    word n = read_number();
    // A workload may use its return address' slot and its argument's as its own: both anew.
    u8 *top = (u8 *)USER_STACK_TOP;
    if (sizeof(word) == 4) {
      *(word *)(top - 12) = USER_RETURN;
      *(word *)(top - 8) = n;
    } else
      *(word *)(top - 8) = USER_RETURN;
    word sum = run_user(n);
    put('=');
    put_hex(sum);
    put(' ');
    put_hex(ended - began);
    put('\n');
  }
}
