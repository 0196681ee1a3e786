// Debian packages for tests and oracles, unpacked beside the project (.cache/debian/root) and never installed: no root, no maintainer scripts.
// `node scripts/debian.mjs NAME…` prints the folder; a NAME is one of the groups below or a package. See CONTRIBUTING.md.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const project = dirname(dirname(fileURLToPath(import.meta.url)));
/** HYPERPORT_CACHE names another folder than .cache, to share it between checkouts. */
const cache = join(process.env.HYPERPORT_CACHE ?? join(project, '.cache'), 'debian');

/** Where what is derived from packages is kept. */
export const derivedCache = join(dirname(cache), 'oracle');

/** Where every package is unpacked to. */
export const debianRoot = join(cache, 'root');

/** The Xen that every recorded fact of this project belongs to; a newer one is in Debian's security archive, with other addresses and no source. */
export const xenVersion = '4.17.5+72-g01140da4e8-1';

const xenLibraries = [
  'call1',
  'devicemodel1',
  'evtchn1',
  'foreignmemory1',
  'gnttab1',
  'hypfs1',
  'misc4.17',
  'store4',
  'toolcore1',
  'toollog1',
];
const toolstackLibraries = [
  'libc6 libgcc-s1 libyajl2 liblzma5 zlib1g libbz2-1.0 libzstd1 liblzo2-2 libncurses6 libtinfo6 libuuid1 libnl-3-200 libnl-route-3-200',
  'libfdt1 libgcrypt20 libgpg-error0',
].flatMap((line) => line.split(' '));

const groups = {
  // With everything that QEMU needs to run, including its C library: it is started through that library's own loader.
  qemu: { packages: ['qemu-system-x86'], closure: true, without: /^(iso-codes|adduser|passwd|debconf|libpam|libsemanage|libaudit-common)/ },
  xen: { packages: ['xen-hypervisor-4.17-amd64', 'xen-hypervisor-4.17-amd64-dbg'] },
  // What Xen is built with, besides gcc, binutils and make.
  'xen-build': { packages: ['flex', 'bison', 'm4', 'libsigsegv2', 'libfl2'] },
  'grub-xen': { packages: ['grub-xen-host'] },
  gnumach: { packages: ['gnumach-image-1.8-xen-486', 'gnumach-image-1.8-xen-486-dbg'] },
  // For the tests in a real VS Code. It starts itself again for each of its processes, so it runs on the machine's own C library.
  browser: {
    packages: ['chromium', 'fonts-dejavu-core'],
    closure: true,
    without: /^(libc6|libc-bin|adduser|passwd|debconf|libpam|dbus|systemd)/,
  },
  // A Linux dom0 with xenstored, xenconsoled and xl: what `xl create` needs.
  linux: {
    packages: [
      ...['busybox-static', 'linux-image-amd64', 'xen-utils-4.17', 'xen-utils-common', 'xenstore-utils'],
      ...xenLibraries.map((name) => `libxen${name}`),
      ...toolstackLibraries,
    ],
  },
};

/** Of packages named here only these paths are unpacked (a kernel image is 400 MB, nearly all of it drivers). */
const onlyPaths = [
  [/^linux-image-\d.*-dbg$/, ['./usr/lib/debug/boot/*']],
  [/^linux-image-\d/, ['./boot/vmlinuz-*', './boot/config-*', './lib/modules/*/kernel/drivers/xen/*']],
];

const pinnedVersion = (name) => (/^(xen-|xenstore-utils$|libxen)/.test(name) ? xenVersion : undefined);

export class DebianError extends Error {}

/**
 * Makes the packages or groups available and answers the folder that holds them, merged, as `/` would.
 * Downloads only what is not there yet; safe to call from several processes at once.
 * @param {string[]} names group or package names
 * @returns {Promise<string>} the folder
 * @throws {DebianError} when apt is not there, a name is unknown, or a download fails: the message says what to do
 */
export async function ensureDebian(names) {
  const missing = async () => {
    const have = await readState();
    return names.filter((name) => !have.requests[name]);
  };
  if ((await missing()).length === 0) return debianRoot;
  await requireTools();
  await mkdir(cache, { recursive: true });
  const unlock = await lock(join(cache, 'lock'));
  try {
    for (const name of await missing()) await provide(name);
  } finally {
    await unlock();
  }
  return debianRoot;
}

/** Versions of the packages that are unpacked, by name. @returns {Promise<Record<string, string>>} */
export async function debianVersions() {
  const { packages } = await readState();
  return Object.fromEntries(Object.entries(packages).map(([name, { version }]) => [name, version]));
}

/**
 * A source package, unpacked with Debian's patches applied.
 * @param {string} name source package
 * @param {string} version exact
 * @returns {Promise<string>} its folder, which is the caller's to copy from and not to change
 * @throws {DebianError}
 */
export async function debianSource(name, version) {
  // An epoch's colon is a separator to some tools.
  const folder = join(cache, 'source', `${name}-${version.replace(':', '_')}`);
  if (existsSync(folder)) return folder;
  await requireTools(['dpkg-source']);
  await mkdir(cache, { recursive: true });
  const unlock = await lock(join(cache, 'lock'));
  try {
    if (existsSync(folder)) return folder;
    const download = join(cache, 'source', 'download');
    await rm(download, { recursive: true, force: true });
    await mkdir(download, { recursive: true });
    const places = await sourcePlaces();
    await apt('apt-get', ['update', '-q'], download, places);
    // apt verifies what it downloads by the hashes of the signed index.
    await apt('apt-get', ['source', '--download-only', '-q', `${name}=${version}`], download, places);
    const description = (await readdir(download)).find((file) => file.endsWith('.dsc'));
    await run('dpkg-source', ['--no-check', '-x', description, 'unpacked'], { cwd: download, maxBuffer: 64 << 20 });
    await rename(join(download, 'unpacked'), folder);
    await rm(download, { recursive: true, force: true });
    console.error(`debian: source of ${name} ${version}`);
    return folder;
  } finally {
    await unlock();
  }
}

/**
 * The newest version of a source package that the machine's Debian sources have.
 * @param {string} name source package
 * @returns {Promise<string>}
 * @throws {DebianError}
 */
export async function newestSource(name) {
  await requireTools();
  await mkdir(cache, { recursive: true });
  const places = await sourcePlaces();
  await apt('apt-get', ['update', '-q'], cache, places);
  const { stdout } = await apt('apt-get', ['source', '--print-uris', '-q', name], cache, places);
  const version = /^'[^']*' (?:[^ ]*\/)?[^ _]+_([^ ]+)\.dsc /m.exec(stdout)?.[1];
  if (!version) throw new DebianError(`Debian's sources list no source package ${name}. This needs Debian 12 (bookworm), main.`);
  // The file's name lacks the epoch that the version may have.
  const { stdout: index } = await apt('apt-cache', ['showsrc', name], cache, places);
  const versions = [...index.matchAll(/^Version: (.*)$/gm)].map(([, each]) => each);
  return versions.find((each) => each.replace(/^\d+:/, '') === decodeURIComponent(version)) ?? version;
}

/**
 * A binary package of another Debian release or architecture, unpacked by itself: the machine's own Debian sources with another
 * suite. Other releases' files would overwrite each other in the shared folder.
 * @param {string} name package
 * @param {{ suite: string, architecture: string, version?: string }} which `version`: exact, else the suite's
 * @returns {Promise<string>} the folder that holds it, as `/` would
 * @throws {DebianError}
 */
export async function otherDebian(name, { suite, architecture, version }) {
  const place = join(cache, `${suite}-${architecture}`);
  const folder = join(place, version ? `${name}-${version}` : name);
  if (existsSync(folder)) return folder;
  await requireTools();
  await mkdir(cache, { recursive: true });
  const unlock = await lock(join(cache, 'lock'));
  try {
    if (existsSync(folder)) return folder;
    const download = join(place, 'download');
    await rm(download, { recursive: true, force: true });
    for (const each of [download, join(place, 'lists', 'partial'), join(place, 'archives', 'partial'), join(place, 'parts')])
      await mkdir(each, { recursive: true });
    const [archive] = await debianArchives();
    const signed = '/usr/share/keyrings/debian-archive-keyring.gpg';
    await writeFile(
      join(place, 'parts', 'suite.sources'),
      `Types: deb\nURIs: ${archive}\nSuites: ${suite}\nComponents: main\nArchitectures: ${architecture}\n${existsSync(signed) ? `Signed-By: ${signed}\n` : ''}`,
    );
    const places = {
      'Dir::Etc::sourcelist': '/dev/null',
      'Dir::Etc::sourceparts': join(place, 'parts'),
      'Dir::State': place,
      'Dir::State::lists': join(place, 'lists'),
      'Dir::Cache': place,
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
    };
    await apt('apt-get', ['update', '-q'], download, places);
    // apt verifies what it downloads by the hashes of the signed index.
    await apt('apt-get', ['download', '-q', version ? `${name}=${version}` : name], download, places);
    const [file] = (await readdir(download)).filter((each) => each.endsWith('.deb'));
    if (!file) throw new DebianError(`apt-get did not download ${name} of ${suite} (${architecture}).`);
    await run('dpkg-deb', ['-x', join(download, file), join(download, 'root')]);
    await rename(join(download, 'root'), folder);
    await rm(download, { recursive: true, force: true });
    console.error(`debian: ${name} of ${suite} (${architecture})`);
    return folder;
  } finally {
    await unlock();
  }
}

/** Addresses of the Debian archives in the machine's own apt sources. */
async function debianArchives() {
  const parts = '/etc/apt/sources.list.d';
  const files = existsSync(parts) ? (await readdir(parts)).map((file) => join(parts, file)) : [];
  const found = [];
  for (const file of [...files, '/etc/apt/sources.list'].filter((each) => /\.(sources|list)$/.test(each) && existsSync(each))) {
    const text = await readFile(file, 'utf8');
    for (const [address] of text.matchAll(/https?:\/\/[^\s#]+\/debian\/?(?=\s)/g)) found.push(address);
  }
  if (found.length === 0) throw new DebianError("There is no Debian archive in apt's sources. These tests need one.");
  return found;
}

/** The machine's own Debian sources once more, for source packages, which apt does not list by itself; as settings for apt. */
async function sourcePlaces() {
  const own = join(cache, 'apt-source');
  await mkdir(join(own, 'parts'), { recursive: true });
  await mkdir(join(own, 'lists', 'partial'), { recursive: true });
  const parts = '/etc/apt/sources.list.d';
  const files = existsSync(parts) ? (await readdir(parts)).map((file) => join(parts, file)) : [];
  let [count, stanzas, lines] = [0, '', ''];
  for (const file of [...files, '/etc/apt/sources.list'].filter((each) => /\.(sources|list)$/.test(each) && existsSync(each))) {
    const text = await readFile(file, 'utf8');
    if (file.endsWith('.sources')) {
      for (const stanza of text.split(/\n\s*\n/).filter((each) => /^URIs:.*\/debian/m.test(each))) {
        stanzas += `${stanza.trim().replace(/^Types:.*$/m, 'Types: deb-src')}\n\n`;
        count++;
      }
      continue;
    }
    for (const [line] of text.matchAll(/^deb\s.*\/debian.*$/gm)) {
      lines += `${line.replace(/^deb/, 'deb-src')}\n`;
      count++;
    }
  }
  if (count === 0) throw new DebianError("There is no Debian archive in apt's sources. Building needs Debian 12 (bookworm), main.");
  await writeFile(join(own, 'parts', 'source.sources'), stanzas);
  await writeFile(join(own, 'parts', 'source.list'), lines);
  return { 'Dir::Etc::sourcelist': '/dev/null', 'Dir::Etc::sourceparts': join(own, 'parts'), 'Dir::State::lists': join(own, 'lists') };
}

async function provide(request) {
  const group = groups[request] ?? { packages: [request] };
  await refreshLists(false);
  try {
    await fetchAll(request, group);
  } catch (error) {
    // The archive moved on since the lists were read: read them again, once.
    if (!(error instanceof DebianError)) throw error;
    await refreshLists(true);
    await fetchAll(request, group);
  }
}

async function fetchAll(request, group) {
  const wanted = await resolve(group);
  const state = await readState();
  const todo = wanted.filter(({ name }) => state.packages[name] === undefined);
  if (todo.length > 0) {
    const debs = join(cache, 'debs');
    await rm(debs, { recursive: true, force: true });
    await mkdir(debs, { recursive: true });
    await apt('apt-get', ['download', '-q', ...todo.map(({ name, version }) => `${name}=${version}`)], debs);
    await mkdir(debianRoot, { recursive: true });
    for (const file of await readdir(debs)) {
      const [name, version] = (await run('dpkg-deb', ['-f', join(debs, file), 'Package', 'Version'])).stdout
        .trim()
        .split('\n')
        .map((line) => line.replace(/^\w+: /, ''));
      const entry = todo.find((candidate) => candidate.name === name && candidate.version === version);
      if (!entry) throw new DebianError(`apt-get downloaded ${name} ${version}, which was not asked for. Remove ${cache} and try again.`);
      const sha256 = createHash('sha256')
        .update(await readFile(join(debs, file)))
        .digest('hex');
      if (sha256 !== entry.sha256) {
        throw new DebianError(
          `${name} ${version}: the file's SHA-256 is ${sha256}, the package index says ${entry.sha256}. Try again later.`,
        );
      }
      await unpack(name, join(debs, file));
      console.error(`debian: ${name} ${version}`);
      state.packages[name] = { version, sha256 };
    }
    await rm(debs, { recursive: true, force: true });
    const absent = todo.filter(({ name }) => state.packages[name] === undefined);
    if (absent.length > 0) throw new DebianError(`apt-get did not download ${absent.map(({ name }) => name).join(', ')}.`);
  }
  state.requests[request] = wanted.map(({ name }) => name);
  await writeState(state);
}

/** The packages of a group with versions and the index's SHA-256. */
async function resolve({ packages, closure, without }) {
  const concrete = [];
  for (const name of packages) concrete.push(/^linux-image-amd64(-dbg)?$/.test(name) ? await newestKernel(name) : name);
  let selected = concrete.map((name) => ({ name, version: pinnedVersion(name) }));
  if (closure) {
    const { stdout } = await apt('apt-get', ['install', '--print-uris', '-y', '-q', ...concrete]);
    selected = [...stdout.matchAll(/^'[^']*' ([^ _]+)_([^ _]+)_/gm)]
      .map(([, name, version]) => ({ name, version: decodeURIComponent(version) }))
      .filter(({ name }) => !without?.test(name));
    if (selected.length === 0)
      throw new DebianError(`apt-get finds no packages for ${packages.join(' ')}. Are main's package lists there?`);
  }
  const show = ['show', ...selected.map(({ name, version }) => (version ? `${name}=${version}` : name))];
  // apt-cache fails when it does not know a package, and still prints the others: what is missing is named below.
  const stdout = await apt('apt-cache', show).then(
    (result) => result.stdout,
    (error) => error.stdout ?? '',
  );
  const stanzas = stdout.split('\n\n').map((text) => ({
    name: /^Package: (.*)$/m.exec(text)?.[1],
    version: /^Version: (.*)$/m.exec(text)?.[1],
    sha256: /^SHA256: (.*)$/m.exec(text)?.[1],
  }));
  return selected.map(({ name, version }) => {
    // apt-cache prints the newest version first.
    const found = stanzas.find((stanza) => stanza.name === name && (version === undefined || stanza.version === version));
    if (!found) {
      throw new DebianError(
        `Debian has no package ${name}${version ? ` ${version}` : ''}. Hyperport's tests need Debian 12 (bookworm), main and security, in apt's sources.`,
      );
    }
    return found;
  });
}

async function newestKernel(meta) {
  const { stdout } = await apt('apt-cache', ['show', meta]);
  const name = /^Depends: (linux-image-[^ ]+)/m.exec(stdout)?.[1];
  if (!name) throw new DebianError(`Debian has no package ${meta}. Hyperport's tests need Debian 12 (bookworm) in apt's sources.`);
  return name;
}

async function unpack(name, deb) {
  const paths = onlyPaths.find(([pattern]) => pattern.test(name))?.[1];
  if (!paths) {
    await run('dpkg-deb', ['-x', deb, debianRoot]);
    return;
  }
  const tar = spawn('tar', ['-x', '-C', debianRoot, '--wildcards', ...paths], { stdio: ['pipe', 'ignore', 'inherit'] });
  const from = spawn('dpkg-deb', ['--fsys-tarfile', deb], { stdio: ['ignore', 'pipe', 'inherit'] });
  from.stdout.pipe(tar.stdin);
  const codes = await Promise.all([tar, from].map((child) => new Promise((done) => child.on('close', done))));
  if (codes.some((code) => code !== 0)) throw new DebianError(`${name} could not be unpacked (tar ${codes[0]}, dpkg-deb ${codes[1]}).`);
}

/** apt with lists, cache and package status of our own, so that what the machine has installed plays no part and nothing of it changes. */
async function apt(command, args, cwd = cache, more = {}) {
  const own = join(cache, 'apt');
  const settings = {
    'Dir::State': own,
    'Dir::State::lists': join(own, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': own,
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': 'true',
    'Acquire::Retries': '3',
    ...more,
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  try {
    return await run(command, [...options, ...args], { cwd, maxBuffer: 64 << 20, timeout: 600_000, env: { ...process.env, LC_ALL: 'C' } });
  } catch (error) {
    const said = String(error.stderr || error.message)
      .trim()
      .split('\n')
      .slice(-3)
      .join('\n  ');
    const message = `${command} ${args[0]} failed:\n  ${said}\nCheck the network and apt's sources (Debian 12, main and security), then try again.`;
    throw Object.assign(new DebianError(message), { stdout: error.stdout });
  }
}

async function refreshLists(again) {
  const lists = join(cache, 'apt', 'lists');
  if (!again && existsSync(lists) && (await readdir(lists)).some((file) => file.includes('Packages'))) return;
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'apt', 'archives', 'partial'), { recursive: true });
  await apt('apt-get', ['update', '-q']);
}

async function requireTools(more = []) {
  for (const tool of ['apt-get', 'apt-cache', 'dpkg-deb', 'tar', ...more]) {
    try {
      await run(tool, ['--version']);
    } catch {
      throw new DebianError(
        `${tool} is not there: packages for the tests are fetched with Debian's apt. Run the tests on Debian 12 (a container will do).`,
      );
    }
  }
}

const statePath = join(cache, 'state.json');

/** @returns {Promise<{packages: Record<string, {version: string, sha256: string}>, requests: Record<string, string[]>}>} */
async function readState() {
  if (!existsSync(statePath) || !existsSync(debianRoot)) return { packages: {}, requests: {} };
  return JSON.parse(await readFile(statePath, 'utf8'));
}

async function writeState(state) {
  await writeFile(`${statePath}.new`, `${JSON.stringify(state, null, 1)}\n`);
  await rename(`${statePath}.new`, statePath);
}

/** A lock that outlives no process: its file holds the owner's pid, and a dead owner's lock is taken over. */
async function lock(path) {
  const deadline = Date.now() + 900_000;
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      return () => rm(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(existsSync(path) ? readFileSync(path, 'utf8') : Number.NaN);
    if (owner > 0 && !alive(owner)) {
      await takeAway(path, owner);
      continue;
    }
    if (Date.now() > deadline)
      throw new DebianError(`Process ${owner} has held ${path} for 15 minutes. End it, remove the file and try again.`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

/** Removes a dead owner's lock, but not the one that another process may have made meanwhile. */
async function takeAway(path, owner) {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if (readFileSync(aside, 'utf8') === String(owner)) await rm(aside, { force: true });
  else await rename(aside, path);
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function main(names) {
  if (names.length === 0) {
    console.error(`usage: node scripts/debian.mjs NAME…   groups: ${Object.keys(groups).join(' ')}; any other name is a Debian package`);
    return 2;
  }
  try {
    console.log(await ensureDebian(names));
    return 0;
  } catch (error) {
    if (!(error instanceof DebianError)) throw error;
    console.error(`debian: ${error.message}`);
    return 1;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = await main(process.argv.slice(2));
