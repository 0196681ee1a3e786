// Launch configurations: what F5 does in a workspace with none, and what is filled in.

import * as vscode from 'vscode';

const KERNEL_GLOB = '**/{*.elf,vmlinux,kernel,*-xen,*.xen}';
const NOT_KERNELS = '**/{node_modules,.git,dist}/**';

export function registerConfigurationProvider(context: vscode.ExtensionContext): void {
  const provider: vscode.DebugConfigurationProvider = {
    async provideDebugConfigurations(folder) {
      const kernels = await findKernels(folder);
      return kernels.map((kernel) => launchOf(kernel, folder));
    },
    async resolveDebugConfiguration(folder, configuration) {
      const cwd = folder?.uri.fsPath;
      if (configuration.type || configuration.request || configuration.name) return { ...(cwd && { cwd }), ...configuration };
      // F5 without a launch.json: take the only kernel, or let the user choose one.
      const kernels = await findKernels(folder);
      if (kernels.length === 0) {
        await vscode.window.showErrorMessage(
          'Hyperport found no kernel ELF in this workspace. Build the port first, or name it as "program" in launch.json.',
        );
        return undefined;
      }
      const kernel = kernels.length === 1 ? kernels[0]! : await chooseKernel(kernels);
      return kernel && { ...launchOf(kernel, folder), ...(cwd && { cwd }) };
    },
  };
  context.subscriptions.push(
    vscode.debug.registerDebugConfigurationProvider('hyperport', provider),
    vscode.debug.registerDebugConfigurationProvider('hyperport', provider, vscode.DebugConfigurationProviderTriggerKind.Dynamic),
  );
}

async function chooseKernel(kernels: readonly vscode.Uri[]): Promise<vscode.Uri | undefined> {
  const items = kernels.map((kernel) => ({ label: vscode.workspace.asRelativePath(kernel), kernel }));
  return (await vscode.window.showQuickPick(items, { placeHolder: 'Kernel to boot' }))?.kernel;
}

function launchOf(kernel: vscode.Uri, folder: vscode.WorkspaceFolder | undefined): vscode.DebugConfiguration {
  const relative = vscode.workspace.asRelativePath(kernel, false);
  const program = folder && kernel.fsPath.startsWith(folder.uri.fsPath) ? `\${workspaceFolder}/${relative}` : kernel.fsPath;
  return { type: 'hyperport', request: 'launch', name: `Xen domU: ${relative}`, program, memory: 64, stopOnEntry: true };
}

/** Files with a kernel's name that begin with the ELF magic. */
async function findKernels(folder: vscode.WorkspaceFolder | undefined): Promise<vscode.Uri[]> {
  const pattern = folder ? new vscode.RelativePattern(folder, KERNEL_GLOB) : KERNEL_GLOB;
  const candidates = await vscode.workspace.findFiles(pattern, NOT_KERNELS, 50);
  const checked = await Promise.all(candidates.map(async (uri) => ((await isElf(uri)) ? [uri] : [])));
  return checked.flat().sort((a, b) => a.fsPath.localeCompare(b.fsPath));
}

async function isElf(uri: vscode.Uri): Promise<boolean> {
  try {
    const bytes = await vscode.workspace.fs.readFile(uri);
    return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
  } catch {
    return false;
  }
}
