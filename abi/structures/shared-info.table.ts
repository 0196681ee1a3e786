// The shared info page: event bits, vCPU areas, time.
// Notation: declaration.ts.

export const sharedInfoStructures = {
  arch_vcpu_info: 'xlong cr2; 64: ulong pad; 32: ulong pad[5]',
  vcpu_time_info: `
    u32 version; u32 pad0; u64 tsc_timestamp; u64 system_time; u32 tsc_to_system_mul; s8 tsc_shift; x8 flags; u8 pad1[2]`,
  vcpu_info: `
    u8 evtchn_upcall_pending; u8 evtchn_upcall_mask; xlong evtchn_pending_sel; arch_vcpu_info arch; vcpu_time_info time`,
  arch_shared_info: `
    ulong max_pfn; frame pfn_to_mfn_frame_list_list; xlong nmi_reason; xlong p2m_cr3; xlong p2m_vaddr; ulong p2m_generation;
    32: u32 wc_sec_hi`,
  shared_info: `
    vcpu_info vcpu_info[32]; 64: xlong evtchn_pending[64]; 64: xlong evtchn_mask[64]; 32: xlong evtchn_pending[32];
    32: xlong evtchn_mask[32]; u32 wc_version; u32 wc_sec; u32 wc_nsec; 64: u32 wc_sec_hi; arch_shared_info arch`,
  vcpu_runstate_info: 's32=runstate state; u64 state_entry_time; u64 time[4]',
} as const;
