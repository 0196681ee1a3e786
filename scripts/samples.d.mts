/** The folder of the committed sample kernels. */
export const prebuilt: string;
export const sampleFiles: string[];
export function toolVersions(): { gcc: string; ld: string };
/** Builds every sample into the folder, from scratch. */
export function buildSamples(folder: string): void;
/** Tools and SHA-256 of each file in the folder, as build.json has them. */
export function describeBuild(folder: string): { gcc: string; ld: string; sha256: Record<string, string> };
