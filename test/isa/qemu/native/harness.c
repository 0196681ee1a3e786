/* Runs every vector of the input: its registers, its changes to the arena, its code above ring 0 until the first exception; leaves
   the registers, CR2, DR6 and every word of the arena that changed. With `steps`, it goes on by single steps and leaves the state
   after each. */
#include "layout.h"
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

struct registers {
    u64 gpr[16], rip, rflags, cs, ss, ds, es, fs, gs, fsbase, gsbase, vector, error, cr2, dr6;
};
struct header {
    u64 count, cr3, gdt, gdt_limit, ldt, reserved[3];
};
/* Followed by `patches` of {u32 offset, u32 length, bytes, padding to 8}. */
struct vector {
    struct registers in;
    u64 cr0, dr[4], dr7, steps, patches, size;
};
#define MAX_DIFFS 300
struct output {
    struct registers out;
    u64 diffs;
    u64 diff[MAX_DIFFS][2];
    u64 steps;
};
struct step {
    u32 eip, eflags, gpr[8];
};

extern void enter(struct registers *);
extern struct registers result;
extern char stubs[], syscall_entry[], compat_entry[], sysenter_entry[], kernel_stack_top[], entering[];

static u64 idt[512] __attribute__((aligned(16)));
static u32 tss[32] __attribute__((aligned(16)));

static void wrmsr(u32 msr, u64 v) { __asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)v), "d"((u32)(v >> 32))); }
static u64 rdmsr(u32 msr)
{
    u32 lo, hi;
    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    return lo | (u64)hi << 32;
}
static void outl(u16 port, u32 v) { __asm__ volatile("outl %0, %1" ::"a"(v), "d"(port)); }
static void copy(void *to, const void *from, u64 n)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n)::"memory");
}

static void set_gate(int n, int dpl)
{
    u64 at = (u64)(stubs + 16 * n);
    idt[2 * n] = (at & 0xffff) | 8ul << 16 | (0x8e00ul | dpl << 13) << 32 | (at >> 16 & 0xffff) << 48;
    idt[2 * n + 1] = at >> 32;
}

static void load_tables(const struct header *h)
{
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) gdtr = { (u16)h->gdt_limit, h->gdt };
    u64 *gdt = (u64 *)h->gdt;
    u64 at = (u64)tss;
    gdt[3] = 103 | (at & 0xffffff) << 16 | 0x89ul << 40 | (at >> 24 & 0xff) << 56;
    gdt[4] = at >> 32;
    __asm__ volatile("lgdt %0; ltr %w1; lldt %w2" ::"m"(gdtr), "r"(0x18), "r"((u32)h->ldt));
}

static u64 step_through(struct vector *v, u64 room)
{
    struct step *to = (struct step *)room;
    u64 n = 0;
    struct registers r = v->in;
    r.rflags |= 0x100;
    for (;;) {
        enter(&r);
        if (result.vector != 1 || n == v->steps) return n;
        r = result;
        to->eip = r.rip;
        to->eflags = r.rflags & ~0x100u;
        for (int i = 0; i < 8; i++) to->gpr[i] = r.gpr[i];
        to++;
        n++;
    }
}

static void run(struct vector *v, struct output *o, u64 room)
{
    u8 *patch = (u8 *)(v + 1);
    for (u64 i = 0; i < v->patches; i++) {
        u32 offset = *(u32 *)patch, length = *(u32 *)(patch + 4);
        copy((u8 *)ARENA + offset, patch + 8, length);
        copy((u8 *)SHADOW + offset, patch + 8, length);
        patch += 8 + ((length + 7) & ~7u);
    }
    u32 mxcsr = 0x1f80;
    __asm__ volatile("fninit; ldmxcsr %0" ::"m"(mxcsr));
    u64 zero = 0, dr6 = 0xffff0ff0;
    __asm__ volatile("mov %0, %%cr0; mov %1, %%cr2; mov %2, %%dr6" ::"r"(v->cr0), "r"(zero), "r"(dr6));
    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr1; mov %2, %%dr2; mov %3, %%dr3" ::"r"(v->dr[0]), "r"(v->dr[1]), "r"(v->dr[2]), "r"(v->dr[3]));
    __asm__ volatile("mov %0, %%ds; mov %1, %%es; mov %2, %%fs; mov %3, %%gs" ::"r"((u32)v->in.ds), "r"((u32)v->in.es), "r"((u32)v->in.fs), "r"((u32)v->in.gs));
    if (v->in.fsbase) wrmsr(0xc0000100, v->in.fsbase);
    if (v->in.gsbase) wrmsr(0xc0000101, v->in.gsbase);
    __asm__ volatile("mov %0, %%cr3; mov %1, %%dr7" ::"r"(((struct header *)INPUT)->cr3), "r"(v->dr7) : "memory");
    if (v->steps)
        o->steps = step_through(v, room);
    else
        enter(&v->in);
    __asm__ volatile("mov %0, %%dr7" ::"r"(0x400ul) : "memory");
    __asm__ volatile("mov %%cr2, %0" : "=r"(result.cr2));
    __asm__ volatile("mov %%dr6, %0" : "=r"(result.dr6));
    result.fsbase = rdmsr(0xc0000100);
    result.gsbase = rdmsr(0xc0000101);
    o->out = result;

    u64 *now = (u64 *)ARENA, *was = (u64 *)SHADOW, *clean = (u64 *)PRISTINE;
    for (u64 i = 0; i < ARENA_SIZE / 8; i++) {
        if (now[i] == was[i]) continue;
        if (o->diffs < MAX_DIFFS) {
            o->diff[o->diffs][0] = i * 8;
            o->diff[o->diffs][1] = now[i];
        }
        o->diffs++;
        now[i] = clean[i];
    }
    patch = (u8 *)(v + 1);
    for (u64 i = 0; i < v->patches; i++) {
        u32 offset = *(u32 *)patch & ~7u, end = *(u32 *)patch + *(u32 *)(patch + 4);
        copy((u8 *)ARENA + offset, (u8 *)PRISTINE + offset, end - offset);
        copy((u8 *)SHADOW + offset, (u8 *)PRISTINE + offset, end - offset);
        patch += 8 + ((*(u32 *)(patch + 4) + 7) & ~7u);
    }
}

void main(void)
{
    struct header *h = (struct header *)INPUT;
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) idtr = { sizeof idt - 1, (u64)idt };
    u64 *top = (u64 *)&tss[1];
    *top = (u64)kernel_stack_top;
    tss[25] = 104 << 16;
    for (int n = 0; n < 256; n++) set_gate(n, n == 3 || n == 4 || n == 0x80 ? 3 : 0);
    __asm__ volatile("lidt %0" ::"m"(idtr));
    __asm__ volatile("outb %%al, $0x21; outb %%al, $0xa1" ::"a"(0xff)); /* no interrupts */
    wrmsr(0xc0000081, 8ul << 32);
    wrmsr(0xc0000082, (u64)syscall_entry);
    wrmsr(0xc0000083, (u64)compat_entry);
    wrmsr(0xc0000084, 0x700);
    wrmsr(0x174, 8);
    wrmsr(0x175, (u64)kernel_stack_top);
    wrmsr(0x176, (u64)sysenter_entry);
    load_tables(h);
    copy((void *)SHADOW, (void *)ARENA, ARENA_SIZE);
    copy((void *)PRISTINE, (void *)ARENA, ARENA_SIZE);
    struct vector *v = (struct vector *)(h + 1);
    struct output *o = (struct output *)OUTPUT;
    for (u64 i = 0; i < h->count; i++) {
        u64 room = (u64)(o + 1);
        run(v, o, room);
        o = (struct output *)(room + o->steps * sizeof(struct step));
        v = (struct vector *)((u8 *)v + v->size);
    }
    outl(0xf4, 0x10);
}
