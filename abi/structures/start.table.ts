// What the domain builder hands over: start_info, the boot video description, PVH start structures.
// Notation: declaration.ts.

export const startStructures = {
  start_info: `
    char magic[32]; ulong nr_pages; xlong shared_info; x32 flags; frame store_mfn; port store_evtchn;
    union { struct { frame mfn; port evtchn } domU; struct { u32 info_off; u32 info_size } dom0 } console; xlong pt_base;
    ulong nr_pt_frames; xlong mfn_list; xlong mod_start; ulong mod_len; char cmd_line[1024]; xlong first_p2m_pfn;
    ulong nr_p2m_frames`,
  dom0_vga_console_info: `
    u8=video video_type;
    union { struct { u16 font_height; u16 cursor_x; u16 cursor_y; u16 rows; u16 columns } text_mode_3; struct { u16 width; u16 height; u16 bytes_per_line; u16 bits_per_pixel; x32 lfb_base; u32 lfb_size; u8 red_pos; u8 red_size; u8 green_pos; u8 green_size; u8 blue_pos; u8 blue_size; u8 rsvd_pos; u8 rsvd_size; x32 gbl_caps; x16 mode_attrs; u16 pad; x32 ext_lfb_base } vesa_lfb } u`,
  xen_multiboot_mod_list: 'x32 mod_start; x32 mod_end; x32 cmdline; u32 pad',
  hvm_start_info: `
    x32 magic; u32 version; x32 flags; u32 nr_modules; x64 modlist_paddr; x64 cmdline_paddr; x64 rsdp_paddr;
    x64 memmap_paddr; u32 memmap_entries; u32 reserved`,
  hvm_modlist_entry: 'x64 paddr; u64 size; x64 cmdline_paddr; u64 reserved',
  hvm_memmap_table_entry: 'x64 addr; u64 size; u32=e820 type; u32 reserved',
} as const;
