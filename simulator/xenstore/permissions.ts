// Permissions of nodes. The first entry names the owner and, with its letter, what everybody else may do; further entries name domains.

import type { StoreError } from './wire.ts';

export interface Permission {
  readonly domain: number;
  readonly read: boolean;
  readonly write: boolean;
}

export interface Rights {
  readonly read: boolean;
  readonly write: boolean;
  readonly owner: boolean;
}

const all: Rights = { read: true, write: true, owner: true };

/** The toolstack's domain; it may do everything. */
export const privilegedDomain = 0;

export const isPrivileged = (domain: number): boolean => domain === privilegedDomain;

/** What `domain` may do with a node; `target`: the domain it acts for (a stub domain), whose rights it has too. */
export function rightsOf(domain: number, permissions: readonly Permission[], target: number | null = null): Rights {
  const [owner, ...others] = permissions;
  const isOwner = (id: number): boolean => id === domain || id === target;
  if (isPrivileged(domain) || isOwner(owner!.domain)) return all;
  const own = others.find((entry) => isOwner(entry.domain)) ?? owner!;
  return { read: own.read, write: own.write, owner: false };
}

const letters = { n: [false, false], r: [true, false], w: [false, true], b: [true, true] } as const;

/** `r5`: n none, r read, w write, b both, then the domain id. */
export function permissionText({ domain, read, write }: Permission): string {
  const letter = read ? (write ? 'b' : 'r') : write ? 'w' : 'n';
  return letter + String(domain | 0);
}

/** Reads `r5` (also `r0x5` and `r05`, as strtol does); an error for anything else. */
export function parsePermission(text: string): Permission | StoreError {
  const match = /^([nrwb])([+-]?)(0[xX][0-9a-fA-F]+|\d+)$/.exec(text);
  if (!match) return 'EINVAL';
  const [, letter, sign, digits] = match;
  const octal = /^0\d/.test(digits!);
  if (octal && /[89]/.test(digits!)) return 'EINVAL';
  const number = octal ? Number.parseInt(digits!, 8) : Number(digits);
  const [read, write] = letters[letter as keyof typeof letters];
  return { domain: (sign === '-' ? -number : number) >>> 0, read, write };
}
