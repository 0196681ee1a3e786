// A program of floating-point and byte work as compilers make it, without libraries: the test runs the same file natively and on
// the engine and compares what it writes. Ends with write(1, results, size).

// Keeps the intrinsics from including stdlib.h, which 32-bit mode may lack.
#define _MM_MALLOC_H_INCLUDED
#include <emmintrin.h>
#ifdef __SSE3__
#include <pmmintrin.h>
#endif
#include <stdint.h>

#define RESULTS 32768
#define INLINE static inline __attribute__((always_inline))

static uint8_t results[RESULTS] __attribute__((aligned(64)));
static uint32_t used;

void *memcpy(void *to, const void *from, __SIZE_TYPE__ n) {
  char *d = to;
  const char *s = from;
  while (n >= 16) {
    _mm_storeu_si128((__m128i *)d, _mm_loadu_si128((const __m128i *)s));
    d += 16;
    s += 16;
    n -= 16;
  }
  while (n--) *d++ = *s++;
  return to;
}
void *memset(void *to, int c, __SIZE_TYPE__ n) {
  char *d = to;
  __m128i v = _mm_set1_epi8((char)c);
  for (; n >= 16; n -= 16, d += 16) _mm_storeu_si128((__m128i *)d, v);
  while (n--) *d++ = (char)c;
  return to;
}

static __attribute__((noinline)) void keep(const void *p, uint32_t n) {
  if (used + n > RESULTS) __builtin_trap();
  memcpy(results + used, p, n);
  used += n;
}
#define KEEP(x) keep(&(x), sizeof(x))

static uint32_t state = 12345;
INLINE uint32_t next(void) { return state = state * 1664525u + 1013904223u; }
INLINE double uniform(void) { return next() * (1.0 / 4294967296.0); }

/* Elementary functions by series and Newton steps. */
INLINE double exponential(double x) {
  int k = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
  double r = x - k * 0.6931471805599453, term = 1, sum = 1;
  for (int i = 1; i < 18; i++) sum += term *= r / i;
  union { uint64_t u; double d; } scale = {(uint64_t)(1023 + k) << 52};
  return sum * scale.d;
}
INLINE double sine(double x) {
  double turns = (double)(int)(x / 6.283185307179586);
  double r = x - turns * 6.283185307179586, term = r, sum = r;
  for (int i = 1; i < 14; i++) sum += term *= -r * r / ((2 * i) * (2 * i + 1));
  return sum;
}
INLINE double root(double x) { return _mm_cvtsd_f64(_mm_sqrt_sd(_mm_set_sd(0), _mm_set_sd(x))); }

static __attribute__((noinline)) void functions(void) {
  double sums[3] = {0, 0, 0};
  for (int i = 0; i < 400; i++) {
    double x = (uniform() - 0.5) * 40;
    sums[0] += exponential(x);
    sums[1] += sine(x);
    sums[2] += root(x < 0 ? -x : x);
    float f = (float)sums[1];
    if (i % 20 == 0) KEEP(f);
  }
  KEEP(sums);
}

/* Five bodies, as the well-known benchmark has them. */
static __attribute__((noinline)) void bodies(void) {
  double p[5][3], v[5][3], m[5];
  for (int i = 0; i < 5; i++) {
    m[i] = 0.1 + uniform();
    for (int k = 0; k < 3; k++) p[i][k] = uniform() * 10, v[i][k] = uniform() - 0.5;
  }
  for (int step = 0; step < 200; step++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double d[3], square = 0.01;
        for (int k = 0; k < 3; k++) d[k] = p[i][k] - p[j][k], square += d[k] * d[k];
        double f = 0.001 / (square * root(square));
        for (int k = 0; k < 3; k++) v[i][k] -= d[k] * m[j] * f, v[j][k] += d[k] * m[i] * f;
      }
    for (int i = 0; i < 5; i++)
      for (int k = 0; k < 3; k++) p[i][k] += 0.001 * v[i][k];
  }
  KEEP(p);
  KEEP(v);
}

static __attribute__((noinline)) void matrices(void) {
  static float a[24][24], b[24][24], c[24][24];
  static double l[16][16];
  for (int i = 0; i < 24; i++)
    for (int j = 0; j < 24; j++) a[i][j] = (float)uniform() - 0.5f, b[i][j] = (float)(int)(next() >> 28), c[i][j] = 0;
  for (int i = 0; i < 24; i++)
    for (int k = 0; k < 24; k++)
      for (int j = 0; j < 24; j++) c[i][j] += a[i][k] * b[k][j];
  KEEP(c);
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++) l[i][j] = uniform() + (i == j ? 16 : 0);
  for (int k = 0; k < 16; k++)
    for (int i = k + 1; i < 16; i++) {
      l[i][k] /= l[k][k];
      for (int j = k + 1; j < 16; j++) l[i][j] -= l[i][k] * l[k][j];
    }
  KEEP(l);
}

static __attribute__((noinline)) void mandelbrot(void) {
  uint8_t image[32][32];
  for (int y = 0; y < 32; y++)
    for (int x = 0; x < 32; x++) {
      double cr = x / 12.0 - 2, ci = y / 16.0 - 1, r = 0, i = 0;
      int n = 0;
      for (; n < 100 && r * r + i * i < 4; n++) {
        double t = r * r - i * i + cr;
        i = 2 * r * i + ci;
        r = t;
      }
      image[y][x] = (uint8_t)n;
    }
  KEEP(image);
}

/* Sums that pass through denormals, infinities, NaNs and every rounding mode. */
static __attribute__((noinline)) void corners(void) {
  for (uint32_t mode = 0; mode < 16; mode++) {
    _mm_setcsr(0x1f80 | (mode & 3) << 13 | (mode & 4 ? 0x8000 : 0) | (mode & 8 ? 0x40 : 0));
    volatile double x = 1, tiny = 2.2250738585072014e-308, huge = 1e308, zero = 0;
    volatile float s = 1, least = 1.17549435e-38f;
    double out[10];
    float singles[6];
    out[0] = x / 3;
    out[1] = tiny / 7;
    out[2] = tiny / 7 * 5;
    out[3] = huge * 10;
    out[4] = -huge * 10;
    out[5] = zero / zero;
    out[6] = x / zero;
    out[7] = out[5] + 1;
    out[8] = root(-x);
    out[9] = (double)(int)(x * -2.5) + (double)least;
    singles[0] = s / 3;
    singles[1] = least / 3;
    singles[2] = (float)(huge);
    singles[3] = (float)(tiny);
    singles[4] = (float)(int)0x7fffffbf;
    singles[5] = least * least;
    KEEP(out);
    KEEP(singles);
    uint32_t flags = _mm_getcsr();
    KEEP(flags);
    int rounded[4] = {_mm_cvtsd_si32(_mm_set_sd(x * 2.5)), _mm_cvtsd_si32(_mm_set_sd(x * -3.5)), _mm_cvttsd_si32(_mm_set_sd(huge)), _mm_cvtss_si32(_mm_set_ss(s * 0.5f))};
    KEEP(rounded);
  }
  _mm_setcsr(0x1f80);
}

static __attribute__((noinline)) uint32_t length(const char *s) {
  const __m128i zero = _mm_setzero_si128();
  const char *block = (const char *)((uintptr_t)s & ~(uintptr_t)15);
  uint32_t skip = (uint32_t)(s - block);
  uint32_t mask = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128((const __m128i *)block), zero)) >> skip;
  if (mask) return (uint32_t)__builtin_ctz(mask);
  for (;;) {
    block += 16;
    mask = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128((const __m128i *)block), zero));
    if (mask) return (uint32_t)(block - s) + (uint32_t)__builtin_ctz(mask);
  }
}

static __attribute__((noinline)) void bytes(void) {
  static char text[1024] __attribute__((aligned(64))), copy[1100];
  uint32_t lengths[40];
  for (int i = 0; i < 40; i++) {
    for (int k = 0; k < 1024; k++) text[k] = (char)(1 + (next() >> 24) % 250);
    uint32_t start = next() >> 28, end = start + (next() >> 24);
    text[end] = 0;
    lengths[i] = length(text + start);
    memcpy(copy + (i % 19), text + start, lengths[i]);
  }
  KEEP(lengths);
  KEEP(copy);
  /* Loops that the compiler turns into packed integer code. */
  static int16_t words[256];
  static int32_t sums[4];
  static uint8_t clamped[256];
  for (int i = 0; i < 256; i++) words[i] = (int16_t)next();
  for (int i = 0; i < 256; i++) {
    sums[0] += words[i] * words[255 - i];
    sums[1] = sums[1] > words[i] ? sums[1] : words[i];
    sums[2] ^= words[i] << (i & 7);
    int v = words[i] >> 6;
    clamped[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    sums[3] += clamped[i] < 100 ? clamped[i] : -clamped[i];
  }
  KEEP(words);
  KEEP(sums);
  KEEP(clamped);
  uint32_t crc[4] = {0};
  for (int i = 0; i < 256; i++) crc[i & 3] = (crc[i & 3] << 5 | crc[i & 3] >> 27) + clamped[i] * 0x9e3779b1u;
  KEEP(crc);
}

static __attribute__((noinline)) void packed(void) {
  __m128 v = _mm_set_ps(1.5f, -2.25f, 1e10f, 3.0f);
  __m128d d = _mm_set_pd(1e-5, 2.5);
  for (int i = 0; i < 60; i++) {
    v = _mm_add_ps(_mm_mul_ps(v, _mm_set1_ps(0.75f)), _mm_shuffle_ps(v, v, 0x1b));
    v = _mm_min_ps(v, _mm_set1_ps(5e9f));
    d = _mm_sub_pd(_mm_div_pd(d, _mm_set_pd(1.25, 3.5)), _mm_unpackhi_pd(d, d));
    d = _mm_max_pd(d, _mm_cvtps_pd(v));
#ifdef __SSE3__
    v = _mm_hadd_ps(v, _mm_cvtpd_ps(d));
    d = _mm_addsub_pd(d, _mm_cvtps_pd(_mm_movehdup_ps(v)));
#endif
    __m128 less = _mm_cmplt_ps(v, _mm_set1_ps(1.0f));
    int mask = _mm_movemask_ps(less);
    __m128i whole = _mm_cvttps_epi32(v);
    KEEP(mask);
    if (i % 4 == 0) {
      KEEP(whole);
      KEEP(v);
      KEEP(d);
    }
  }
}

#ifdef __x86_64__
#define XMM_REGISTERS 16
#else
#define XMM_REGISTERS 8
#endif
/* What fxsave shows, without the last x87 instruction's address, the mask and what is reserved. */
static void keep_image(const uint8_t *image) {
  keep(image, 5);
  keep(image + 24, 4);
  for (int i = 0; i < 8; i++) keep(image + 32 + 16 * i, 10);
  keep(image + 160, 16 * XMM_REGISTERS);
}
/* Registers by way of memory, and MMX between: from stack order to physical order and back. */
static __attribute__((noinline)) void image(void) {
  static uint8_t before[512] __attribute__((aligned(16))), after[512] __attribute__((aligned(16))), saved[512] __attribute__((aligned(16)));
  __asm__ volatile("fxsave %0" : "=m"(saved));
  for (int top = 0; top < 8; top++) {
    memcpy(before, saved, 512);
    for (int i = 32; i < 160 + 16 * XMM_REGISTERS; i++) before[i] = (uint8_t)(next() >> 24);
    before[3] = (uint8_t)(top << 3);
    before[4] = (uint8_t)next();
    before[25] = (uint8_t)(before[25] | (next() >> 24 & 0xe0));
    __asm__ volatile("fxrstor %1\n\tfxsave %0" : "=m"(after) : "m"(before));
    keep_image(after);
    __asm__ volatile("fxrstor %1\n\tpaddb %%mm1, %%mm2\n\tpunpcklwd %%mm7, %%mm0\n\tmovq2dq %%mm3, %%xmm1\n\tfxsave %0" : "=m"(after) : "m"(before));
    keep_image(after);
    __asm__ volatile("fxrstor %1\n\temms\n\tfxsave %0" : "=m"(after) : "m"(before));
    keep_image(after);
  }
  __asm__ volatile("fxrstor %0" : : "m"(saved));
}

static __attribute__((noinline, used)) void run(void) {
  image();
  functions();
  bodies();
  matrices();
  mandelbrot();
  corners();
  bytes();
  packed();
  uint32_t flags = _mm_getcsr();
  KEEP(flags);
}

#ifdef __x86_64__
#define CALL(number, a, b, c) __asm__ volatile("syscall" ::"a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory")
#define WRITE 1
#define EXIT 60
#else
#define CALL(number, a, b, c) __asm__ volatile("int $0x80" ::"a"(number), "b"(a), "c"(b), "d"(c) : "memory")
#define WRITE 4
#define EXIT 1
#endif

__attribute__((force_align_arg_pointer)) void _start(void) {
  run();
  CALL(WRITE, 1, results, used);
  CALL(EXIT, 0, 0, 0);
  for (;;) {
  }
}
