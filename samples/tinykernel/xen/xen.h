/* The part of Xen's interface for 64-bit paravirtual guests that this kernel uses. */
#ifndef XEN_H
#define XEN_H

#define FLAT_KERNEL_CS 0xe033
#define FLAT_KERNEL_SS 0xe02b

/* Hypercall numbers. */
#define __HYPERVISOR_set_trap_table 0
#define __HYPERVISOR_mmu_update 1
#define __HYPERVISOR_set_gdt 2
#define __HYPERVISOR_stack_switch 3
#define __HYPERVISOR_set_callbacks 4
#define __HYPERVISOR_fpu_taskswitch 5
#define __HYPERVISOR_update_va_mapping 14
#define __HYPERVISOR_set_timer_op 15
#define __HYPERVISOR_xen_version 17
#define __HYPERVISOR_console_io 18
#define __HYPERVISOR_iret 23
#define __HYPERVISOR_set_segment_base 25
#define __HYPERVISOR_mmuext_op 26
#define __HYPERVISOR_sched_op 29
#define __HYPERVISOR_event_channel_op 32

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

#define DOMID_SELF 0x7ff0

/* sched_op */
#define SCHEDOP_yield 0
#define SCHEDOP_block 1
#define SCHEDOP_shutdown 2
#define SHUTDOWN_poweroff 0
#define SHUTDOWN_crash 3

struct sched_shutdown {
	unsigned reason;
};

/* mmuext_op */
#define MMUEXT_PIN_L4_TABLE 3
#define MMUEXT_UNPIN_TABLE 4
#define MMUEXT_NEW_BASEPTR 5
#define MMUEXT_INVLPG_LOCAL 7
#define MMUEXT_FLUSH_CACHE 12
#define MMUEXT_NEW_USER_BASEPTR 15

struct mmuext_op {
	unsigned cmd;
	union {
		unsigned long mfn;
		unsigned long linear_addr;
	} arg1;
	union {
		unsigned nr_ents;
		const void *vcpumask;
		unsigned long src_mfn;
	} arg2;
};

/* mmu_update: ptr is the machine address of the entry, its low bits the command. */
#define MMU_NORMAL_PT_UPDATE 0

struct mmu_update {
	uint64_t ptr;
	uint64_t val;
};

#define UVMF_NONE 0
#define UVMF_INVLPG 2

#define SEGBASE_FS 0
#define SEGBASE_GS_USER 1
#define SEGBASE_GS_KERNEL 2

#define CONSOLEIO_write 0
#define CONSOLEIO_read 1

#define XENVER_version 0

/* A vector's handler. The table ends with an address of 0. */
#define TRAP_MASKS_EVENTS 4

struct trap_info {
	uint8_t vector;
	uint8_t flags;		/* bits 0 and 1: the least privileged ring that may raise it by int */
	uint16_t cs;
	unsigned long address;
};

/* event_channel_op */
#define VIRQ_TIMER 0
#define EVTCHNOP_bind_virq 1
#define EVTCHNOP_send 4
#define EVTCHNOP_unmask 9

struct evtchn_bind_virq {
	uint32_t virq;
	uint32_t vcpu;
	uint32_t port;		/* result */
};

struct evtchn_port {		/* argument of send and of unmask */
	uint32_t port;
};

/* Time since start in ns: system_time + ((tsc - tsc_timestamp) << tsc_shift) * tsc_to_system_mul / 2^32; an odd version is being written. */
struct vcpu_time_info {
	uint32_t version;
	uint32_t pad0;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad1[2];
};

typedef struct vcpu_info {
	uint8_t evtchn_upcall_pending;
	uint8_t evtchn_upcall_mask;
	unsigned long evtchn_pending_sel;
	struct {
		unsigned long cr2;
		unsigned long pad;
	} arch;
	struct vcpu_time_info time;
} vcpu_info_t;

#define EVENT_WORDS 64

struct shared_info {
	vcpu_info_t vcpu_info[32];
	unsigned long evtchn_pending[EVENT_WORDS];
	unsigned long evtchn_mask[EVENT_WORDS];
	/* Wall clock and architecture parts follow. */
};

#define SIF_INITDOMAIN 2

struct start_info {
	char magic[32];
	unsigned long nr_pages;
	unsigned long shared_info;	/* machine address */
	uint32_t flags;
	unsigned long store_mfn;
	uint32_t store_evtchn;
	union {
		struct {
			unsigned long mfn;
			uint32_t evtchn;
		} domU;
		struct {
			uint32_t info_off;
			uint32_t info_size;
		} dom0;
	} console;
	unsigned long pt_base;		/* virtual address of the initial top-level table; all tables lie together from there */
	unsigned long nr_pt_frames;
	unsigned long mfn_list;		/* virtual address */
	unsigned long mod_start;
	unsigned long mod_len;
	char cmd_line[1024];
};

struct xencons_interface {
	char in[1024];
	char out[2048];
	uint32_t in_cons, in_prod;
	uint32_t out_cons, out_prod;
};

#define machine_to_phys_mapping ((const unsigned long *)0xffff800000000000)

#endif
#endif
