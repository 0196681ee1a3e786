// One line for what real Xen lets pass without a word: what was seen, and what to do about it. The rules are those of the catalogue.

import type { FactValue } from '../abi/refusal.ts';

type Facts = Readonly<Record<string, FactValue>>;

const lines: Readonly<Record<string, (facts: Facts) => string>> = {
  'interrupt-not-ended': ({ pirq, port }) =>
    `Interrupt ${pirq} (port ${port}) is level-triggered and was not ended within 1 ms, so Xen ended it; while the device holds its line it comes again at once. Call physdev_op.eoi when it has been handled.`,
  'interrupt-not-bound': ({ pirq, device }) =>
    `${device} raises interrupt ${pirq}, which is bound to no event channel, so nobody hears of it. Map it (physdev_op.map_pirq), set it up (setup_gsi) and bind it (event_channel_op.bind_pirq).`,
  'dma-pseudo-physical': ({ address, frame, machine, device, direction }) =>
    `${device} was told to copy ${direction} at address ${address}, which looks like a pseudo-physical one: frame ${frame} of this domain lies at machine frame ${machine}. Devices see machine addresses: translate with the p2m list, and use memory_op.exchange where several frames must follow each other.`,
  'dma-not-yours': ({ address, device, direction }) =>
    `${device} was told to copy ${direction} at machine address ${address}, which is no memory of this domain. Without an IOMMU nothing stops the device.`,
  'console-member-of-domu': ({ offset, field }) =>
    `The kernel reads start_info at offset ${offset}, ${field} of a domU. It is dom0: there the union holds where the video console's description lies, so there is neither ring nor port. Use console_io, or test SIF_INITDOMAIN first.`,
};

export function explainAdvice(rule: string, facts: Facts): string {
  const line = lines[rule];
  if (!line) throw new Error(`no words for the rule ${rule}`);
  return line(facts);
}
