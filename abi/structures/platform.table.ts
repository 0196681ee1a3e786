// Arguments of platform_op (dom0 only).
// Notation: declaration.ts.

export const platformStructures = {
  xenpf_settime64: 'u64 secs; u32 nsecs; u32 mbz; u64 system_time',
  xenpf_settime32: 'u32 secs; u32 nsecs; u64 system_time',
  xenpf_add_memtype: 'frame mfn; u64 nr_mfns; u32 type; u32 handle; u32 reg',
  xenpf_del_memtype: 'u32 handle; u32 reg',
  xenpf_read_memtype: 'u32 reg; frame mfn; u64 nr_mfns; u32 type',
  xenpf_microcode_update: '@void data; u32 length',
  xenpf_platform_quirk: 'u32 quirk_id',
  xenpf_efi_time: 'u16 year; u8 month; u8 day; u8 hour; u8 min; u8 sec; u32 ns; s16 tz; u8 daylight',
  xenpf_efi_guid: 'u32 data1; u16 data2; u16 data3; u8 data4[8]',
  xenpf_efi_runtime_call: `
    u32 function; u32 misc; ulong status;
    union { struct { xenpf_efi_time time; u32 resolution; u32 accuracy } get_time; xenpf_efi_time set_time; xenpf_efi_time get_wakeup_time; xenpf_efi_time set_wakeup_time; struct { @void name; ulong size; @void data; xenpf_efi_guid vendor_guid } get_variable; struct { @void name; ulong size; @void data; xenpf_efi_guid vendor_guid } set_variable; struct { ulong size; @void name; xenpf_efi_guid vendor_guid } get_next_variable_name; struct { u32 attr; u64 max_store_size; u64 remain_store_size; u64 max_size } query_variable_info; struct { @void capsule_header_array; ulong capsule_count; x64 max_capsule_size; u32 reset_type } query_capsule_capabilities; struct { @void capsule_header_array; ulong capsule_count; x64 sg_list } update_capsule } u`,
  xenpf_efi_info: `union { 
    u32 version; struct { x64 addr; u32 nent } cfg; struct { u32 revision; u32 bufsz; @void name } vendor;
    struct { x64 addr; u64 size; u64 attr; u32 type } mem;
    struct { u16 segment; u8 bus; u8 devfn; u16 vendor; u16 devid; x64 address; ulong size } pci_rom;
    struct { x64 address; ulong size } apple_properties }`,
  xenpf_firmware_info: `
    u32=firmware_info type; u32 index;
    union { struct { u8 device; u8 version; u16 interface_support; u16 legacy_max_cylinder; u8 legacy_max_head; u8 legacy_sectors_per_track; @void edd_params } disk_info; struct { u8 device; u32 mbr_signature } disk_mbr_signature; struct { u8 capabilities; u8 edid_transfer_time; @u8 edid } vbeddc_info; xenpf_efi_info efi_info; x8 kbd_shift_flags } u`,
  xenpf_enter_acpi_sleep: 'u16 val_a; u16 val_b; u32 sleep_state; x32 flags',
  xenpf_change_freq: 'x32 flags; u32 cpu; u64 freq',
  xenpf_getidletime: '@u8 cpumap_bitmap; u32 cpumap_nr_cpus; @u64 idletime; u64 now',
  /** Five one-bit flags from bit 0: bm_control, bm_check, has_cst, power_setup_done, bm_rld_set. */
  xen_processor_flags: 'x32 bits',
  xen_processor_power: 'u32 count; xen_processor_flags flags; @xen_processor_cx states',
  xen_pct_register: 'u8 descriptor; u16 length; u8 space_id; u8 bit_width; u8 bit_offset; u8 reserved; x64 address',
  xen_psd_package: 'u64 num_entries; u64 revision; u64 domain; u64 coord_type; u64 num_processors',
  xen_processor_performance: `
    x32 flags; u32 platform_limit; xen_pct_register control_register; xen_pct_register status_register; u32 state_count;
    @xen_processor_px states; xen_psd_package domain_info; u32 shared_type`,
  xenpf_set_processor_pminfo: 'u32 id; u32 type; union { xen_processor_power power; xen_processor_performance perf; @u32 pdc } u',
  xenpf_pcpuinfo: 'u32 xen_cpuid; u32 max_present; x32 flags; u32 apic_id; u32 acpi_id',
  xenpf_pcpu_version: 'u32 xen_cpuid; u32 max_present; char vendor_id[12]; u32 family; u32 model; u32 stepping',
  xenpf_cpu_ol: 'u32 cpuid',
  xenpf_cpu_hotadd: 'u32 apic_id; u32 acpi_id; u32 pxm',
  xenpf_mem_hotadd: 'x64 spfn; x64 epfn; u32 pxm; x32 flags',
  xenpf_core_parking: 'u32 type; u32 idle_nums',
  xenpf_resource_entry: 'union { u32 cmd; s32 ret } u; u32 rsvd; u64 idx; x64 val',
  xenpf_resource_op: 'u32 nr_entries; u32 cpu; @xenpf_resource_entry entries[nr_entries]',
  xenpf_symdata: 'u32 namelen; u32 symnum; @char name; x64 address; char type',
  xen_platform_op: `
    u32=platform_op cmd; u32 interface_version;
    union { xenpf_settime64 settime; xenpf_settime32 settime32; xenpf_settime64 settime64; xenpf_add_memtype add_memtype; xenpf_del_memtype del_memtype; xenpf_read_memtype read_memtype; xenpf_microcode_update microcode; xenpf_platform_quirk platform_quirk; xenpf_efi_runtime_call efi_runtime_call; xenpf_firmware_info firmware_info; xenpf_enter_acpi_sleep enter_acpi_sleep; xenpf_change_freq change_freq; xenpf_getidletime getidletime; xenpf_set_processor_pminfo set_pminfo; xenpf_pcpuinfo pcpu_info; xenpf_pcpu_version pcpu_version; xenpf_cpu_ol cpu_ol; xenpf_cpu_hotadd cpu_add; xenpf_mem_hotadd mem_add; xenpf_core_parking core_parking; xenpf_resource_op resource_op; xenpf_symdata symdata; u8 pad[128] } u`,
} as const;
