// Rings and messages between frontends and backends: console, XenStore, block, network.
// Notation: declaration.ts.

export const ioStructures = {
  xencons_interface: 'char in[1024]; char out[2048]; u32 in_cons; u32 in_prod; u32 out_cons; u32 out_prod',
  xsd_sockmsg: 'u32=xs_message type; u32 req_id; u32 tx_id; u32 len',
  xenstore_domain_interface: `
    char req[1024]; char rsp[1024]; u32 req_cons; u32 req_prod; u32 rsp_cons; u32 rsp_prod; x32 server_features;
    u32=xenstore_connection connection; u32=xenstore_error error`,
  blkif_request_segment: 'ref gref; u8 first_sect; u8 last_sect',
  blkif_request: 'u8=blkif operation; u8 nr_segments; u16 handle; u64 id; u64 sector_number; blkif_request_segment seg[11]',
  blkif_request_discard: 'u8=blkif operation; u8 flag; u16 handle; u64 id; u64 sector_number; u64 nr_sectors',
  blkif_request_indirect: `
    u8=blkif operation; u8=blkif indirect_op; u16 nr_segments; u64 id; u64 sector_number; u16 handle; ref indirect_grefs[8];
    32: u64 pad`,
  blkif_response: 'u64 id; u8=blkif operation; s16=blkif_status status',
  blkif_sring_entry: 'union { blkif_request req; blkif_response rsp }',
  blkif_sring: `
    u32 req_prod; u32 req_event; u32 rsp_prod; u32 rsp_event;
    union { struct { u8 smartpoll_active } netif; struct { u8 msg } tapif_user; u8 pvt_pad[4] } pvt; u8 __pad[44];
    blkif_sring_entry ring[1]`,
  netif_tx_request: 'ref gref; u16 offset; x16 flags; u16 id; u16 size',
  netif_tx_response: 'u16 id; s16=netif_status status',
  netif_rx_request: 'u16 id; u16 pad; ref gref',
  netif_rx_response: 'u16 id; u16 offset; x16 flags; s16 status',
  netif_extra_info: `
    u8=netif_extra type; x8 flags;
    union { struct { u16 size; u8 type; u8 pad; x16 features } gso; struct { x8 addr[6] } mcast; struct { u8 type; u8 algorithm; x8 value[4] } hash; u16 pad[3] } u`,
  netif_tx_sring_entry: 'union { netif_tx_request req; netif_tx_response rsp }',
  netif_tx_sring: `
    u32 req_prod; u32 req_event; u32 rsp_prod; u32 rsp_event;
    union { struct { u8 smartpoll_active } netif; struct { u8 msg } tapif_user; u8 pvt_pad[4] } pvt; u8 __pad[44];
    netif_tx_sring_entry ring[1]`,
  netif_rx_sring_entry: 'union { netif_rx_request req; netif_rx_response rsp }',
  netif_rx_sring: `
    u32 req_prod; u32 req_event; u32 rsp_prod; u32 rsp_event;
    union { struct { u8 smartpoll_active } netif; struct { u8 msg } tapif_user; u8 pvt_pad[4] } pvt; u8 __pad[44];
    netif_rx_sring_entry ring[1]`,
  xen_netif_ctrl_request: 'u16 id; u16 type; u32 data[3]',
  xen_netif_ctrl_response: 'u16 id; u16 type; u32 status; u32 data',
  xen_netif_gref: 'ref ref; x16 flags; u16 status',
  xen_netif_ctrl_sring_entry: 'union { xen_netif_ctrl_request req; xen_netif_ctrl_response rsp }',
  xen_netif_ctrl_sring: `
    u32 req_prod; u32 req_event; u32 rsp_prod; u32 rsp_event;
    union { struct { u8 smartpoll_active } netif; struct { u8 msg } tapif_user; u8 pvt_pad[4] } pvt; u8 __pad[44];
    xen_netif_ctrl_sring_entry ring[1]`,
} as const;
