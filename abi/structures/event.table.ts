// Arguments of event_channel_op and the FIFO control block.
// Notation: declaration.ts.

export const eventStructures = {
  evtchn_alloc_unbound: 'domid dom; domid remote_dom; >port port',
  evtchn_bind_interdomain: 'domid remote_dom; port remote_port; >port local_port',
  evtchn_bind_virq: 'u32=virq virq; u32 vcpu; >port port',
  evtchn_bind_pirq: 'u32 pirq; x32 flags; >port port',
  evtchn_bind_ipi: 'u32 vcpu; >port port',
  evtchn_close: 'port port',
  evtchn_send: 'port port',
  evtchn_status: `
    domid dom; port port; u32=evtchnstat status; u32 vcpu;
    union { struct { domid dom } unbound; struct { domid dom; port port } interdomain; u32 pirq; u32=virq virq } u`,
  evtchn_bind_vcpu: 'port port; u32 vcpu',
  evtchn_unmask: 'port port',
  evtchn_reset: 'domid dom',
  evtchn_init_control: 'x64 control_gfn; u32 offset; u32 vcpu; >u8 link_bits; u8 _pad[7]',
  evtchn_expand_array: 'x64 array_gfn',
  evtchn_set_priority: 'port port; u32 priority',
  evtchn_op: `
    u32=event_channel_op cmd;
    union { evtchn_alloc_unbound alloc_unbound; evtchn_bind_interdomain bind_interdomain; evtchn_bind_virq bind_virq; evtchn_bind_pirq bind_pirq; evtchn_bind_ipi bind_ipi; evtchn_close close; evtchn_send send; evtchn_status status; evtchn_bind_vcpu bind_vcpu; evtchn_unmask unmask } u`,
  evtchn_fifo_control_block: 'x32 ready; u32 _rsvd; u32 head[16]',
} as const;
