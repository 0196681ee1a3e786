/* A 32-bit program for lock step: everything that compilers make of integers, strings, x87 and SSE2 in some 10 kB. Ends with int3. */
typedef unsigned int u32;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned long long u64;
typedef int i32;

static u32 seed = 12345;
static u32 next(void) { return seed = seed * 1103515245u + 12345u; }

static u32 table[64];
static u8 text[256], other[256];
static u32 results[32];

static void sort(u32 *a, i32 low, i32 high)
{
    if (low >= high) return;
    u32 pivot = a[(low + high) / 2];
    i32 i = low, j = high;
    while (i <= j) {
        while (a[i] < pivot) i++;
        while (a[j] > pivot) j--;
        if (i <= j) {
            u32 t = a[i];
            a[i++] = a[j];
            a[j--] = t;
        }
    }
    sort(a, low, j);
    sort(a, i, high);
}

static u32 crc(const u8 *p, u32 n)
{
    u32 c = ~0u;
    for (u32 i = 0; i < n; i++) {
        c ^= p[i];
        for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
    }
    return ~c;
}

static u64 product(u64 a, u64 b) { return a * b + (a >> 7) - (b << 3); }
static i32 quotient(i32 a, i32 b) { return b ? a / b + a % b : 0; }

static u32 machine(const u8 *p, u32 n)
{
    u32 state = 0, count = 0;
    for (u32 i = 0; i < n; i++) switch (p[i] & 7) {
        case 0: state = state * 3 + 1; break;
        case 1: state ^= 0x55; break;
        case 2: count += state & 3; break;
        case 3: state = state >> 1 | state << 31; break;
        case 4: if (state > 1000) state -= 1000; break;
        case 5: count--; break;
        case 6: state += p[i]; break;
        default: state = ~state;
        }
    return state + count;
}

static u32 (*const operations[4])(const u8 *, u32) = { crc, machine, crc, machine };

static double series(int n)
{
    double sum = 0, sign = 1;
    for (int i = 1; i <= n; i++, sign = -sign) sum += sign / i;
    return sum;
}
static float mean(const u16 *p, int n)
{
    float sum = 0;
    for (int i = 0; i < n; i++) sum += p[i] * 0.25f;
    return sum / n;
}

static int compare(const u8 *a, const u8 *b, u32 n)
{
    for (; n && *a == *b; n--) a++, b++;
    return n ? *a - *b : 0;
}

void _start(void)
{
    for (int i = 0; i < 64; i++) table[i] = next();
    sort(table, 0, 63);
    for (int i = 0; i < 256; i++) text[i] = next() >> 16;
    const void *from = text;
    void *to = other;
    u32 count = 64;
    __asm__ volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
    to = other + 17;
    count = 33;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0x5a) : "memory");
    results[0] = crc(text, 128);
    results[1] = machine(text, 256);
    results[2] = (u32)product(results[0] * 0x100000001ull, table[5]);
    results[3] = product(results[1], 0x123456789abcdefull) >> 32;
    for (int i = 4; i < 12; i++) results[i] = quotient((i32)table[i * 3], (i32)(table[i] >> 20) - 1500);
    for (int i = 12; i < 16; i++) results[i] = operations[i & 3](other, 48);
    results[16] = compare(text, other, 256);
    *(double *)&results[18] = series(60);
    *(float *)&results[20] = mean((const u16 *)text, 40);
    results[21] = (i32)(series(9) * 1000000.0);
    u8 carry;
    u32 wide[4] = { ~0u, ~0u, 5, 0 };
    __asm__ volatile("addl %1, %0\n\tadcl $0, 4+%0\n\tadcl %2, 8+%0\n\tsetc %3" : "+m"(wide[0]), "+r"(table[1]), "+r"(table[2]), "=q"(carry) : : "memory");
    results[22] = wide[1] + wide[2] + carry;
    u32 bits = 0;
    for (int i = 0; i < 32; i++) bits += __builtin_ctz(table[i] | 1 << 30) + __builtin_clz(table[i] | 1) + (table[i] >> (i & 31) & 1);
    results[23] = bits;
    u32 a = table[9], b;
    __asm__ volatile("bswap %0; rorl $7, %0; shldl $5, %0, %1; xaddl %0, %2; btsl $3, %0" : "+r"(a), "=&r"(b), "+m"(results[24]) : "1"(77));
    results[25] = a ^ b;
    __asm__ volatile("pushl %ebx; movl $0x12345, %eax; aam $10; aad $10; daa; das; popl %ebx");
    __asm__ volatile("int3");
}
