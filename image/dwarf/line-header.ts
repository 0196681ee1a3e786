// The header of a line number program (.debug_line, DWARF 2 to 5): its parameters, directories and files.

import { Reader, stringAt } from '../bytes.ts';
import { hex, ImageError } from '../error.ts';
import { FORM } from './constants.table.ts';
import { readForm, readOffset } from './forms.ts';
import { joinPath, normalisePath } from './paths.ts';
import type { DwarfSections } from './sections.ts';

export interface LineHeader {
  readonly version: number;
  readonly offset: number;
  /** First byte of the program and one past its last. */
  readonly program: number;
  readonly end: number;
  readonly addressSize: number;
  readonly minimumLength: number;
  readonly defaultIsStatement: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Number of LEB operands of each standard opcode, index 0 for opcode 1. */
  readonly operandCounts: readonly number[];
  /** Normalised path of each file, by the number that rows use. */
  readonly files: readonly string[];
  readonly directories: readonly string[];
}

interface EntryFormat {
  readonly type: number;
  readonly form: number;
}
interface FileEntry {
  path: string;
  directory: number;
}

const MAX_ENTRIES = 1 << 20;

function readEntries(r: Reader, offsetSize: number, sections: DwarfSections): FileEntry[] {
  const formats: EntryFormat[] = [];
  const formatCount = r.u8();
  for (let i = 0; i < formatCount; i++) formats.push({ type: r.uleb(), form: r.uleb() });
  const count = r.uleb();
  // Every entry takes at least one byte unless there are no formats.
  if (count > MAX_ENTRIES || count > (formatCount ? r.end - r.offset : 0)) {
    throw new ImageError(
      'malformed',
      `.debug_line claims ${count} files at ${hex(r.offset)}. The debug information is damaged: build the kernel again.`,
    );
  }
  const entries: FileEntry[] = [];
  const encoding = { version: 5, addressSize: 8, offsetSize, start: 0 };
  for (let i = 0; i < count; i++) {
    const entry: FileEntry = { path: '', directory: 0 };
    for (const { type, form } of formats) {
      const value = readForm(r, form, encoding, undefined);
      if (type === 1 && typeof value === 'number') {
        const table =
          form === FORM.line_strp
            ? sections.debug('line_str')
            : form === FORM.strp
              ? sections.debug('str')
              : form === FORM.string
                ? r.bytes
                : null;
        entry.path = table ? stringAt(table, value) : '';
      } else if (type === 2) {
        entry.directory = Number(value);
      }
    }
    entries.push(entry);
  }
  return entries;
}

function readTables5(
  r: Reader,
  offsetSize: number,
  sections: DwarfSections,
  compilationDirectory: string,
): Pick<LineHeader, 'files' | 'directories'> {
  const rawDirectories = readEntries(r, offsetSize, sections).map((entry) => entry.path);
  // Directory 0 is the compilation directory itself: where it is relative (a prefix map) it must not be joined to itself.
  const root = normalisePath(rawDirectories[0] || compilationDirectory);
  const directories = rawDirectories.map((path, i) => (i === 0 ? root : joinPath(root, path)));
  const files = readEntries(r, offsetSize, sections).map(({ path, directory }) => joinPath(directories[directory] ?? root, path));
  return { directories, files };
}

function readTables2(r: Reader, compilationDirectory: string): Pick<LineHeader, 'files' | 'directories'> {
  const directories = [joinPath('', compilationDirectory)];
  for (let path = r.string(); path !== ''; path = r.string()) directories.push(joinPath(compilationDirectory, path));
  // Files count from 1; 0 stands for none.
  const files = [''];
  for (let path = r.string(); path !== ''; path = r.string()) {
    files.push(joinPath(directories[r.uleb()] ?? '', path));
    r.uleb(); // time of modification
    r.uleb(); // length
  }
  return { directories, files };
}

/** Reads the header at `offset`. `compilationDirectory` completes relative names where the header has none itself. */
export function readLineHeader(sections: DwarfSections, offset: number, compilationDirectory: string, unitAddressSize: number): LineHeader {
  const section = sections.debug('line');
  const r = new Reader(section, '.debug_line', offset);
  let length: number = r.u32();
  let offsetSize = 4;
  if (length === 0xffffffff) {
    length = r.size64();
    offsetSize = 8;
  }
  const end = r.offset + length;
  if (end > section.length)
    throw new ImageError(
      'truncated',
      `.debug_line has a program at ${hex(offset)} that ends outside of the section. The debug information is damaged: build the kernel again.`,
    );
  r.end = end;
  const version = r.u16();
  if (version < 2 || version > 5) {
    throw new ImageError(
      'malformed',
      `.debug_line has a program of version ${version} at ${hex(offset)}; 2 to 5 can be read. Build with -gdwarf-5 or -gdwarf-4.`,
    );
  }
  let addressSize = unitAddressSize;
  if (version >= 5) {
    addressSize = r.u8();
    r.u8(); // segment selector size
  }
  const headerLength = readOffset(r, offsetSize);
  const program = r.offset + headerLength;
  const minimumLength = r.u8();
  if (version >= 4) r.u8(); // operations per instruction: 1, except on VLIW machines
  const defaultIsStatement = r.u8() !== 0;
  const lineBase = r.i8();
  const lineRange = r.u8();
  const opcodeBase = r.u8();
  if (lineRange === 0 || opcodeBase === 0 || program > end) {
    throw new ImageError(
      'malformed',
      `.debug_line has an impossible header at ${hex(offset)}. The debug information is damaged: build the kernel again.`,
    );
  }
  const operandCounts = Array.from({ length: opcodeBase - 1 }, () => r.u8());
  const tables = version >= 5 ? readTables5(r, offsetSize, sections, compilationDirectory) : readTables2(r, compilationDirectory);
  return {
    version,
    offset,
    program,
    end,
    addressSize,
    minimumLength,
    defaultIsStatement,
    lineBase,
    lineRange,
    opcodeBase,
    operandCounts,
    ...tables,
  };
}
