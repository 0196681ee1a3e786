/** Builds Debian's Xen with another configuration unless it is there; answers the multiboot image. See xen-build.mjs. */
export function buildXen(variant: 'pv32' | 'debug', print?: (line: string) => void): Promise<string>;
/** Where the image of a variant lies once it is built. */
export function builtXen(variant: 'pv32' | 'debug'): string;
