// A workload as a program of the host: prints the checksum for the number given.
#include "word.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  printf("%016lx\n", workload(strtoul(argv[1], 0, 10)));
  return 0;
}
