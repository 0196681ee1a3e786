// Types of the workloads: `word` is the machine's own width, so that one source serves 64 and 32 bit.
typedef unsigned long word;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

#define WORD_BITS ((int)(8 * sizeof(word)))

// The one function of each workload: how often, and a checksum over everything that it computed.
word workload(word n);
