// The start_info page of a 64-bit domain. Offsets: public/xen.h (test/simulator compares them with abi/'s layouts).

import { type Mfn, machineAddress, PAGE_SIZE } from '../../abi/address.ts';

export const SIF_PRIVILEGED = 1;
export const SIF_INITDOMAIN = 2;
export const SIF_MOD_START_PFN = 8;
/** Bits 8 to 15: power management of processors that dom0 may do; Xen's default is C and P states. */
export const SIF_PM_DEFAULT = 0x300;

export const START_INFO = {
  magic: 0,
  nrPages: 32,
  sharedInfo: 40,
  flags: 48,
  storeMfn: 56,
  storeEvtchn: 64,
  console: 72,
  consoleEvtchn: 80,
  ptBase: 88,
  nrPtFrames: 96,
  mfnList: 104,
  modStart: 112,
  modLen: 120,
  cmdLine: 128,
  firstP2mPfn: 1152,
  nrP2mFrames: 1160,
  size: 1168,
} as const;

export const CMDLINE_BYTES = 1024;

export interface StartInfo {
  readonly nrPages: number;
  readonly sharedInfo: Mfn;
  readonly flags: number;
  /** domU: rings and ports. dom0 has neither; its console member describes a VGA console, which this machine does not have. */
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
export function writeStartInfo(page: Uint8Array, info: StartInfo): void {
  const view = new DataView(page.buffer, page.byteOffset, PAGE_SIZE);
  const text = new TextEncoder();
  page.set(text.encode('xen-3.0-x86_64'), START_INFO.magic);
  view.setBigUint64(START_INFO.nrPages, BigInt(info.nrPages), true);
  view.setBigUint64(START_INFO.sharedInfo, BigInt(machineAddress(info.sharedInfo)), true);
  view.setUint32(START_INFO.flags, info.flags, true);
  if (info.store) {
    view.setBigUint64(START_INFO.storeMfn, BigInt(info.store.mfn), true);
    view.setUint32(START_INFO.storeEvtchn, info.store.port, true);
  }
  if (info.console) {
    view.setBigUint64(START_INFO.console, BigInt(info.console.mfn), true);
    view.setUint32(START_INFO.consoleEvtchn, info.console.port, true);
  }
  view.setBigUint64(START_INFO.ptBase, info.ptBase, true);
  view.setBigUint64(START_INFO.nrPtFrames, BigInt(info.nrPtFrames), true);
  view.setBigUint64(START_INFO.mfnList, info.mfnList, true);
  view.setBigUint64(START_INFO.modStart, info.modStart, true);
  view.setBigUint64(START_INFO.modLen, BigInt(info.modLen), true);
  page.set(text.encode(info.cmdline).subarray(0, CMDLINE_BYTES - 1), START_INFO.cmdLine);
  view.setBigUint64(START_INFO.firstP2mPfn, BigInt(info.firstP2mPfn), true);
  view.setBigUint64(START_INFO.nrP2mFrames, BigInt(info.nrP2mFrames), true);
}
