// Block and network rings.

/** blkif_request.operation. */
export const blockOperations = {
  BLKIF_OP_READ: 0,
  BLKIF_OP_WRITE: 1,
  BLKIF_OP_WRITE_BARRIER: 2,
  BLKIF_OP_FLUSH_DISKCACHE: 3,
  BLKIF_OP_RESERVED_1: 4,
  BLKIF_OP_DISCARD: 5,
  BLKIF_OP_INDIRECT: 6,
} as const;

/** blkif_response.status. */
export const blockStatuses = {
  BLKIF_RSP_EOPNOTSUPP: -2,
  BLKIF_RSP_ERROR: -1,
  BLKIF_RSP_OKAY: 0,
} as const;

/** Sizes and disk flags. */
export const blockLimits = {
  BLKIF_DISCARD_SECURE: 1,
  VDISK_CDROM: 1,
  VDISK_REMOVABLE: 2,
  VDISK_READONLY: 4,
  BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST: 8,
  BLKIF_MAX_SEGMENTS_PER_REQUEST: 11,
} as const;

/** netif responses. */
export const netStatuses = {
  NETIF_RSP_DROPPED: -2,
  NETIF_RSP_ERROR: -1,
  NETIF_RSP_OKAY: 0,
  NETIF_RSP_NULL: 1,
} as const;

/** netif_tx_request.flags. */
export const netTxFlags = {
  NETTXF_csum_blank: 0x1,
  NETTXF_data_validated: 0x2,
  NETTXF_more_data: 0x4,
  NETTXF_extra_info: 0x8,
} as const;

/** netif_rx_response.flags. */
export const netRxFlags = {
  NETRXF_data_validated: 0x1,
  NETRXF_csum_blank: 0x2,
  NETRXF_more_data: 0x4,
  NETRXF_extra_info: 0x8,
  NETRXF_gso_prefix: 0x10,
} as const;

/** netif_extra_info.type. */
export const netExtraTypes = {
  XEN_NETIF_EXTRA_TYPE_NONE: 0,
  XEN_NETIF_EXTRA_TYPE_GSO: 1,
  XEN_NETIF_EXTRA_TYPE_MCAST_ADD: 2,
  XEN_NETIF_EXTRA_TYPE_MCAST_DEL: 3,
  XEN_NETIF_EXTRA_TYPE_HASH: 4,
} as const;

/** netif_extra_info.flags. */
export const netExtraFlags = {
  XEN_NETIF_EXTRA_FLAG_MORE: 0x1,
} as const;

/** netif_extra_info.u.gso.type. */
export const netGsoTypes = {
  XEN_NETIF_GSO_TYPE_NONE: 0,
  XEN_NETIF_GSO_TYPE_TCPV4: 1,
  XEN_NETIF_GSO_TYPE_TCPV6: 2,
} as const;
