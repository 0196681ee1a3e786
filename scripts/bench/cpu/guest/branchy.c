// branchy: a scanner's state machine over generated text, recursion, and calls through a table whose target changes each time.
#include "word.h"

#define TEXT 512

static u8 text[TEXT];
static u32 seed = 1;

enum { BLANK, NAME, NUMBER, HEX, STRING, ESCAPE, COMMENT, OPERATOR };

static void __attribute__((noinline)) write_text(void) {
  static const u8 alphabet[64] = "ab cd0x1f \"q\\\" /* c */ + - x9 _z  7 \n\tif(while)=={}; 0xAF,...";
  for (int i = 0; i < TEXT; i++) {
    seed = seed * 1103515245 + 12345;
    text[i] = alphabet[(seed >> 16) % 63];
  }
}

static u32 __attribute__((noinline)) scan(u32 sum) {
  int state = BLANK;
  u32 tokens = 0, value = 0;
  for (int i = 0; i < TEXT; i++) {
    u8 c = text[i];
    switch (state) {
      case BLANK:
        if ((c >= 'a' && c <= 'z') || c == '_') state = NAME;
        else if (c >= '0' && c <= '9') state = NUMBER, value = c - '0';
        else if (c == '"') state = STRING;
        else if (c == '/' && i + 1 < TEXT && text[i + 1] == '*') state = COMMENT;
        else if (c > ' ') state = OPERATOR;
        break;
      case NAME:
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') sum = sum * 31 + c;
        else state = BLANK, tokens++;
        break;
      case NUMBER:
        if (c == 'x') state = HEX;
        else if (c >= '0' && c <= '9') value = value * 10 + c - '0';
        else state = BLANK, tokens++, sum += value;
        break;
      case HEX:
        if (c >= '0' && c <= '9') value = value * 16 + c - '0';
        else if (c >= 'a' && c <= 'f') value = value * 16 + c - 'a' + 10;
        else state = BLANK, tokens++, sum ^= value;
        break;
      case STRING:
        if (c == '\\') state = ESCAPE;
        else if (c == '"') state = BLANK, tokens++;
        else sum += c;
        break;
      case ESCAPE: state = STRING; break;
      case COMMENT:
        if (c == '/' && text[i - 1] == '*') state = BLANK;
        break;
      default:
        if (c != '=' && c != '+' && c != '-') state = BLANK, tokens++;
        else sum ^= c << 3;
    }
  }
  return sum + tokens;
}

static u32 __attribute__((noinline)) fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static u32 op_add(u32 a, u32 b) { return a + b; }
static u32 op_xor(u32 a, u32 b) { return a ^ (b << 1); }
static u32 op_mul(u32 a, u32 b) { return a * (b | 1); }
static u32 op_rotate(u32 a, u32 b) { return (a << (b & 31)) | (a >> ((32 - b) & 31)); }
static u32 op_less(u32 a, u32 b) { return a < b ? a + 1 : a - b; }
static u32 op_odd(u32 a, u32 b) { return b & 1 ? ~a : a + 7; }
static u32 op_min(u32 a, u32 b) { return a < b ? a : b + 3; }
static u32 op_swap(u32 a, u32 b) { return ((a >> 16) | (a << 16)) + b; }

word workload(word n) {
  static u32 (*const volatile operations[8])(u32, u32) = {op_add, op_xor, op_mul, op_rotate, op_less, op_odd, op_min, op_swap};
  u32 sum = 0;
  seed = 1;
  for (word round = 0; round < n; round++) {
    if ((round & 3) == 0) write_text();
    sum = scan(sum);
    sum += fib(13);
    for (u32 i = 0; i < 400; i++) {
      seed = seed * 1664525 + 1013904223;
      sum = operations[seed >> 29](sum, i);
    }
  }
  return sum;
}
