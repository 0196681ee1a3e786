// The request hyperport/analyseWorkspace: every source of the workspace, with progress and cancellation.

import { type CancellationToken, type Diagnostic, ResponseError, type WorkDoneProgressReporter } from 'vscode-languageserver';
import type { Severity } from '../analysis/finding.ts';
import { LineIndex } from '../syntax/lines.ts';
import { diagnosticOf, warningDiagnostic } from './convert.ts';
import type { Files } from './files.ts';
import type { WorkspaceIndex } from './workspace-index.ts';

export interface WorkspaceReport {
  readonly files: number;
  readonly findings: number;
  readonly bySeverity: Readonly<Record<Severity, number>>;
  readonly warnings: number;
  readonly cancelled: boolean;
}

export interface WorkspaceRun {
  readonly index: WorkspaceIndex;
  readonly files: Files;
  readonly roots: readonly string[];
  readonly masm: 'att' | 'intel';
  readonly ruleLink: string;
  readonly token: CancellationToken;
  readonly progress: WorkDoneProgressReporter;
  /** Called for each file with its diagnostics, also when there are none. */
  publish(uri: string, diagnostics: Diagnostic[]): void;
}

/** JSON-RPC's RequestFailed. */
const REQUEST_FAILED = -32803;

export async function analyseWorkspace(run: WorkspaceRun): Promise<WorkspaceReport> {
  if (run.roots.length === 0)
    throw new ResponseError(REQUEST_FAILED, 'No folder is open. Open the folder of the kernel, then analyse the workspace.');
  const stopped = (): boolean => run.token.isCancellationRequested;
  run.progress.begin('Hyperport: analysing the workspace', 0, 'looking for sources', true);
  const { roots, masm } = run;
  const progress = (share: number, files: number): void => run.progress.report(Math.floor(100 * share), `${files} files`);
  const found = await run.index.build({ roots, masm, stopped, progress });
  const { project } = run.index;
  const bySeverity: Record<Severity, number> = { silent: 0, fault: 0, emulated: 0, idiom: 0 };
  let files = 0;
  let warnings = 0;
  for (const [uri, analysed] of found ?? []) {
    // Reading yields to the event loop, so that a cancellation and other requests get through between files.
    const text = stopped() ? null : await run.files.read(uri);
    if (stopped()) break;
    if (text !== null && project) {
      const analysis = project.withCalls(analysed, text);
      const lines = new LineIndex(text);
      for (const { severity } of analysis.findings) bySeverity[severity]++;
      warnings += analysis.warnings.length;
      run.publish(uri, [
        ...analysis.findings.map((finding) => diagnosticOf(lines, finding, run.ruleLink)),
        ...analysis.warnings.map((warning) => warningDiagnostic(lines, warning)),
      ]);
    }
    files++;
    if (files % 16 === 0 || files === found?.size)
      run.progress.report(80 + Math.floor((20 * files) / (found?.size ?? files)), `${files} of ${found?.size} files`);
    await new Promise((next) => setImmediate(next));
  }
  run.progress.done();
  const findings = Object.values(bySeverity).reduce((sum, n) => sum + n, 0);
  return { files, findings, bySeverity, warnings, cancelled: stopped() };
}
