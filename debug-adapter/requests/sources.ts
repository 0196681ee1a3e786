// Sources: files of the kernel's debug information, as they are on this machine.

import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../host/errors.ts';
import { readSource } from '../../host/files.ts';
import type { Answer, Family } from '../handler.ts';
import type { Session } from '../session.ts';

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `file` as recorded or already local. Without a local file the client is told the recorded path. */
export function sourceOf(session: Session, file: string): DebugProtocol.Source {
  for (const { symbols } of session.host.guests.list()) {
    const local = symbols.paths.local(file);
    if (local !== null) return { name: baseName(local), path: local };
  }
  return { name: baseName(file), path: file, presentationHint: 'deemphasize', origin: 'not found on this machine; set "sourceMap"' };
}

export const sourceRequests: Family = {
  loadedSources: (session): Answer<DebugProtocol.LoadedSourcesResponse['body']> => ({
    body: {
      sources: [...new Set(session.host.guests.list().flatMap(({ symbols }) => symbols.symbolizer.lines.files()))].map((file) =>
        sourceOf(session, file),
      ),
    },
  }),
  source: (session, args: DebugProtocol.SourceArguments): Answer<DebugProtocol.SourceResponse['body']> => {
    const path = args.source?.path;
    const content = path
      ? session.host.guests.list().reduce((found: string | null, { symbols }) => found ?? readSource(symbols.localPath(path)), null)
      : null;
    if (content === null)
      throw new UserError(
        `The source ${path ?? ''} is not on this machine. Say in the launch configuration's "sourceMap" where the kernel's sources are.`,
      );
    return { body: { content } };
  },
};
