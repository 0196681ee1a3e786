// The start_info page of a domain. Source: public/xen.h (structures by abi/).

import { type Mfn, machineAddress, PAGE_SIZE } from '../../abi/address.ts';
import { StructView, sizeOf } from '../../abi/layout.ts';

export const SIF_PRIVILEGED = 1;
export const SIF_INITDOMAIN = 2;
export const SIF_MOD_START_PFN = 8;
/** Bits 8 to 15: power management of processors that dom0 may do; Xen's default is C and P states. */
export const SIF_PM_DEFAULT = 0x300;

export const CMDLINE_BYTES = 1024;
/** Of dom0_vga_console_info, which Xen puts behind its own form of start_info; all zero without a video card. */
export const VIDEO_INFO_BYTES = 40;

export interface StartInfo {
  readonly nrPages: number;
  readonly sharedInfo: Mfn;
  readonly flags: number;
  /** domU: rings and ports. dom0 has neither: its console member says where the description of a video console lies. */
  readonly store: { readonly mfn: Mfn; readonly port: number } | null;
  readonly console: { readonly mfn: Mfn; readonly port: number } | null;
  readonly ptBase: bigint;
  readonly nrPtFrames: number;
  readonly mfnList: bigint;
  readonly modStart: bigint;
  readonly modLen: number;
  readonly cmdline: string;
  readonly firstP2mPfn: number;
  readonly nrP2mFrames: number;
}

/** Fills a cleared page. A command line that is too long is cut, as Xen cuts it. */
export function writeStartInfo(page: Uint8Array, bits: 64 | 32, info: StartInfo): void {
  const view = new StructView('start_info', bits, page.subarray(0, PAGE_SIZE));
  view.setText('magic', bits === 64 ? 'xen-3.0-x86_64' : 'xen-3.0-x86_32p');
  view.set('nr_pages', info.nrPages);
  view.set('shared_info', machineAddress(info.sharedInfo));
  view.set('flags', info.flags);
  if (info.store) {
    view.set('store_mfn', info.store.mfn);
    view.set('store_evtchn', info.store.port);
  }
  if (info.console) {
    view.set('console.domU.mfn', info.console.mfn);
    view.set('console.domU.evtchn', info.console.port);
  } else {
    view.set('console.dom0.info_off', sizeOf('start_info', 64));
    view.set('console.dom0.info_size', VIDEO_INFO_BYTES);
  }
  view.set('pt_base', info.ptBase);
  view.set('nr_pt_frames', info.nrPtFrames);
  view.set('mfn_list', info.mfnList);
  view.set('mod_start', info.modStart);
  view.set('mod_len', info.modLen);
  view.slice('cmd_line').set(new TextEncoder().encode(info.cmdline).subarray(0, CMDLINE_BYTES - 1));
  view.set('first_p2m_pfn', info.firstP2mPfn);
  view.set('nr_p2m_frames', info.nrP2mFrames);
}
