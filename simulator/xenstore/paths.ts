// Names of nodes: which are valid, and how they relate.

import { storeLimits } from '../../abi/constants/store.table.ts';

/** As xenstored checks it: absolute, no double or trailing slash, letters, digits and -/_@ only, and at most 2048 characters after
 * `/local/domain/N/` (or in all, where that is not the start). Any other name is EINVAL. */
export function isValidPath(path: string): boolean {
  if (!path.startsWith('/') || path.includes('//')) return false;
  if (path.endsWith('/') && path !== '/') return false;
  const prefix = /^\/local\/domain\/\d{1,5}\//.exec(path)?.[0].length ?? 0;
  return path.length <= prefix + storeLimits.XENSTORE_REL_PATH_MAX && /^[A-Za-z0-9\-/_@]*$/.test(path);
}

/** A relative path belongs to the domain's own directory; absolute and special (`@…`) ones stay as they are. */
export const absolutePath = (domain: number, path: string): string =>
  path.startsWith('/') || path.startsWith('@') ? path : `${domainPath(domain)}/${path}`;

export const domainPath = (domain: number): string => `/local/domain/${domain}`;

export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

export const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const childPath = (parent: string, name: string): string => (parent === '/' ? `/${name}` : `${parent}/${name}`);

/** Is `path` the node `top` or below it? */
export const isWithin = (path: string, top: string): boolean => top === '/' || path === top || path.startsWith(`${top}/`);
