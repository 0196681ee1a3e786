/* A 32-bit guest that says hello on Xen's console, adds numbers, takes a breakpoint trap and powers off. */
struct start_info {
	char magic[32];
	unsigned long nr_pages;
};

struct trap_info {
	unsigned char vector, flags;
	unsigned short cs;
	unsigned long address;
};

struct pair {
	int first;
	long long second;
};

extern char hypercall_page[], breakpoint_entry[];
volatile int traps;
struct pair last;

static inline long hypercall(unsigned number, unsigned long a, unsigned long b, unsigned long c)
{
	long result;

	asm volatile("call *%%eax" : "=a"(result), "+b"(a), "+c"(b), "+d"(c) : "0"(hypercall_page + number * 32) : "memory", "esi", "edi");
	return result;
}

static void __attribute__((noinline)) say(const char *text)
{
	unsigned length = 0;

	while (text[length])
		length++;
	hypercall(18, 0, length, (unsigned long)text);
}

static int __attribute__((noinline)) leaf(int n)
{
	last.first = n;
	last.second = -5000000000LL;
	return last.first * 3;
}

static int __attribute__((noinline)) sum(int count)
{
	int total = 0;

	for (int n = 1; n <= count; n++)
		total += leaf(n);
	return total;
}

void on_breakpoint(void)
{
	traps++;
}

void kernel_main(struct start_info *info)
{
	static const struct trap_info table[] = { { 3, 3, 0xe019, (unsigned long)&breakpoint_entry }, { 0, 0, 0, 0 } };
	static unsigned poweroff;
	int total;

	say("hello from 32 bits\n");
	hypercall(0, (unsigned long)table, 0, 0);
	total = sum(3);
	asm volatile("int3");
	if (total == 18 && traps == 1 && info->nr_pages > 0)
		say("done\n");
	hypercall(29, 2, (unsigned long)&poweroff, 0);
}
