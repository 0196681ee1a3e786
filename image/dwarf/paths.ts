// File names in debug information: joined, with `/`, without `.` and `..`, and optionally moved to where the sources are now.

/** Replaces the prefix `from` of a path by `to`; both without a trailing slash. */
export interface PathSubstitution {
  readonly from: string;
  readonly to: string;
}

const isAbsolute = (path: string): boolean => path.startsWith('/') || /^[A-Za-z]:\//.test(path);

/** Normalises: `\` to `/`, no empty and `.` parts, `..` resolved where there is something to resolve. */
export function normalisePath(path: string): string {
  const slashed = path.replaceAll('\\', '/');
  const absolute = slashed.startsWith('/');
  const parts: string[] = [];
  for (const part of slashed.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !absolute) parts.push(part);
  }
  return (absolute ? '/' : '') + parts.join('/');
}

/** `path`, seen from `directory` when it is relative. */
export function joinPath(directory: string, path: string): string {
  const slashed = path.replaceAll('\\', '/');
  return normalisePath(isAbsolute(slashed) || directory === '' ? slashed : `${directory}/${slashed}`);
}

/** Applies the first substitution whose `from` is the path or a folder above it. An empty `from` applies to relative paths. */
export function substitutePath(path: string, substitutions: readonly PathSubstitution[]): string {
  for (const { from, to } of substitutions) {
    if (from === '') {
      if (!isAbsolute(path)) return joinPath(to, path);
    } else if (path === from || path.startsWith(`${from}/`)) {
      return normalisePath(to + path.slice(from.length));
    }
  }
  return path;
}
