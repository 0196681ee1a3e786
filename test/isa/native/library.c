// Real library code for the engine: the C library's mathematics, printing, reading of numbers, strings and sorting. The test runs the
// same static program natively and on the engine and compares what it prints.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void mathematics(void) {
  unsigned s = 1;
  double v[200];
  for (int i = 0; i < 200; i++) {
    s = s * 1103515245u + 12345u;
    v[i] = (s >> 8) / 1e6 - 8.0;
  }
  for (int i = 0; i < 200; i += 3) {
    double x = v[i], y = v[(i + 1) % 200];
    float f = (float)x, g = (float)y;
    printf("%.17g %.17g %.17g %.17g %.17g %.17g %.17g\n", sin(x), cos(x), exp(x), log(fabs(x)), pow(fabs(x), y), atan2(x, y), tgamma(x));
    printf("%a %a %g %e %f %d %.3f\n", cbrt(x), hypot(x, y), floor(x), rint(y), fmod(x, 0.37), (int)lrint(x * 100), (double)(sinf(f) + expf(g) + powf(fabsf(f), 0.3f)));
  }
  qsort(v, 200, sizeof *v, ascending);
  for (int i = 0; i < 200; i += 17) printf("%.15g ", v[i]);
  puts("");
}

static void strings(void) {
  char text[4096], copy[4096];
  for (int i = 0; i < 4095; i++) text[i] = (char)('a' + (i * 7 + i / 13) % 26);
  text[4095] = 0;
  for (int off = 0; off < 70; off += 3) {
    memcpy(copy, text + off, 4000 - off);
    copy[4000 - off] = 0;
    memmove(copy + off % 17, copy, 2000);
    const char *found = strstr(copy, "hov");
    printf("%zu %ld %ld %d %d %ld %zu\n", strlen(copy + off), (long)(strchr(copy + off, 'z') - copy), (long)((char *)memchr(copy, 'q', 2000) - copy),
           strcmp(copy, text) > 0, memcmp(copy + 1, text + 1, 1500) > 0, found ? (long)(found - copy) : -1, strspn(copy, "abcdefghijklmnop") + strcspn(copy, "xyz"));
    memset(copy, off, 3000);
  }
}

static void numbers(void) {
  for (int i = 0; i < 40; i++) {
    char n[64];
    snprintf(n, sizeof n, "%d.%de%d", i * 37, i * 991, i * 13 - 250);
    printf("%s %.17g %.9g\n", n, strtod(n, NULL), (double)strtof(n, NULL));
  }
}

int main(void) {
  mathematics();
  strings();
  numbers();
  return 0;
}
