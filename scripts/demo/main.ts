// The demo itself; scripts/demo.mjs installs, builds and bundles first.

import { showAnalysis } from './analysis.ts';
import { showPort } from './port.ts';

export async function demo(root: string): Promise<string> {
  console.log('\n== the native sample kernel, analysed\n');
  const findings = await showAnalysis(root);
  await showPort(root);
  return `${findings} findings, one fix, a stop at a hypercall, an explained refusal and a trace`;
}
