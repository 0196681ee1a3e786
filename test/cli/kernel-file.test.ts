import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKernelFile, UsageError } from '../../cli/io.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hyperport-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a path that is no kernel is refused before it is read', () => {
  it('missing file', () => expect(() => readKernelFile(join(folder, 'none'))).toThrow(/there is no such file or folder/));
  it('folder', () => expect(() => readKernelFile(folder)).toThrow(/is a folder, not a kernel/));
  it('empty file', () => {
    const path = join(folder, 'empty');
    writeFileSync(path, '');
    expect(() => readKernelFile(path)).toThrow(/is empty/);
  });
  it('1 GB of zeros, without reading them', () => {
    const path = join(folder, 'zeros');
    const fd = openSync(path, 'w');
    ftruncateSync(fd, 1e9);
    closeSync(fd);
    const before = process.memoryUsage().rss;
    expect(() => readKernelFile(path)).toThrow(UsageError);
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
  });
});
