/** Where every package is unpacked to. */
export const debianRoot: string;
/** The version that all Xen packages are pinned to. */
export const xenVersion: string;
export class DebianError extends Error {}
/** Makes groups or packages available; answers the folder that holds them. See debian.mjs. */
export function ensureDebian(names: string[]): Promise<string>;
/** Versions of the packages that are unpacked, by name. */
export function debianVersions(): Promise<Record<string, string>>;
/** Where what is derived from packages is kept. */
export const derivedCache: string;
/** A source package, unpacked with Debian's patches. */
export function debianSource(name: string, version: string): Promise<string>;
/** The newest version of a source package. */
export function newestSource(name: string): Promise<string>;
/** A binary package of another Debian release or architecture, in a folder of its own. */
export function otherDebian(name: string, which: { suite: string; architecture: string; version?: string }): Promise<string>;
