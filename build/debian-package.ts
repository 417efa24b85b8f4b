import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { version as ownVersion } from '../src/version.ts';
import { dist, root } from './bundle.ts';
import { buildExecutable } from './executable.ts';
import { commandPage, configurationPage } from './man-pages.ts';
import { thirdPartyNotices } from './notices.ts';

export interface PackageOptions {
  /** Of the package; that of figd without it. */
  readonly version?: string;
  /** Where the package goes. */
  readonly directory?: string;
  /** How much time is spent on making it small, 0 to 9. */
  readonly compression?: string;
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const maintainer = 'The figd authors <figd@packages.invalid>';
const scripts = ['postinst', 'prerm', 'postrm'];
const completions = {
  bash: 'usr/share/bash-completion/completions/figd',
  zsh: 'usr/share/zsh/vendor-completions/_figd',
  fish: 'usr/share/fish/vendor_completions.d/figd.fish',
};

/**
 * A Debian package of figd: one executable, its units, and what belongs to them. The same commit makes the same bytes
 * on the same system. Needs `dpkg-dev` (dpkg-deb, dpkg-shlibdeps) and `binutils` (strip).
 * @returns its path
 */
export async function buildPackage({
  version = ownVersion,
  directory = dist,
  compression = '6',
}: PackageOptions = {}): Promise<string> {
  const architecture = architectures[process.arch];
  if (architecture === undefined) throw new Error(`no Debian architecture is known for ${process.arch}`);
  const date = dateOfSource();
  process.umask(0o022);
  const work = mkdtempSync(join(tmpdir(), 'figd-package-'));
  try {
    const tree = join(work, 'figd');
    await layOut(tree, work, version, date);
    const control = {
      Package: 'figd',
      Version: version,
      Architecture: architecture,
      Maintainer: maintainer,
      'Installed-Size': Math.ceil(sizeOf(tree) / 1_024),
      // Its sysusers makes the user.
      Depends: `${librariesOf(join(tree, 'usr/bin/figd'), work)}, systemd (>= 250)`,
      Section: 'net',
      Priority: 'optional',
      Description: description,
    };
    const lines = Object.entries(control).map(([name, value]) => `${name}: ${value}\n`);
    put(join(tree, 'DEBIAN/control'), lines.join(''));
    put(join(tree, 'DEBIAN/conffiles'), '/etc/figd/figd.yaml\n');
    for (const script of scripts) put(join(tree, 'DEBIAN', script), source(`deploy/debian/${script}`), 0o755);
    put(join(tree, 'DEBIAN/md5sums'), checksums(tree));
    const file = join(directory, `figd_${version}_${architecture}.deb`);
    mkdirSync(directory, { recursive: true });
    // How many threads compress shows in the result.
    const how = ['--root-owner-group', '-Zxz', `-z${compression}`, '--threads-max=1'];
    execFileSync('dpkg-deb', [...how, '--build', tree, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1_000) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return file;
  } finally {
    rmSync(work, { recursive: true });
  }
}

const description = `one Fig Markets session, shared on local sockets
 figd keeps one authenticated session with the venue Fig Markets alive and
 republishes every event, numbered and timed, on a local Unix socket. It comes
 back after every loss, tells what was missed and why, and keeps events on
 disk, so that a program that comes back gets every event once.
 .
 The executable has its own Node in it: the host needs none.`;

const others = `The executable has Node.js and other works in it; their licences are in
/usr/share/doc/figd/third-party-notices.txt.
`;

async function layOut(tree: string, work: string, version: string, date: Date): Promise<void> {
  const at = (path: string) => join(tree, path);
  const node = join(work, 'node');
  execFileSync('strip', ['-o', node, process.execPath]);
  mkdirSync(at('usr/bin'), { recursive: true });
  const bundled = await buildExecutable(at('usr/bin/figd'), node);

  put(at('etc/figd/figd.yaml'), source('deploy/figd.yaml'));
  for (const unit of readdirSync(join(root, 'deploy/systemd'))) {
    const kind = unit.endsWith('.sysusers') ? 'usr/lib/sysusers.d/figd.conf' : `lib/systemd/system/${unit}`;
    put(at(kind), source(`deploy/systemd/${unit}`));
  }
  put(at('usr/share/figd/figd.schema.json'), source('deploy/figd.schema.json'));
  for (const place of ['prometheus', 'grafana']) {
    cpSync(join(root, 'deploy', place), at(`usr/share/figd/${place}`), { recursive: true });
  }

  put(at('usr/share/man/man1/figd.1.gz'), zipped(await commandPage(date)));
  put(at('usr/share/man/man5/figd.yaml.5.gz'), zipped(configurationPage(date, source('deploy/figd.yaml'))));
  for (const [shell, path] of Object.entries(completions)) {
    const env = { SHELL: `/bin/${shell}` };
    put(at(path), execFileSync(at('usr/bin/figd'), ['completion'], { env, encoding: 'utf8' }));
  }

  put(at('usr/share/doc/figd/copyright'), `${source('LICENSE')}\n${others}`);
  put(at('usr/share/doc/figd/third-party-notices.txt'), thirdPartyNotices(bundled));
  put(at('usr/share/doc/figd/changelog.gz'), zipped(changelog(version, date)));
  for (const page of readdirSync(join(root, 'docs')).filter((name) => /\.(md|svg)$/.test(name))) {
    put(at(`usr/share/doc/figd/${page}`), source(`docs/${page}`));
  }
  put(at('usr/share/doc/figd/examples/consumer.py'), source('examples/consumer.py'));
  put(at('usr/share/lintian/overrides/figd'), source('deploy/debian/lintian-overrides'));
}

/** CHANGELOG.md, its newest part, as Debian writes it. */
function changelog(version: string, date: Date): string {
  const [, newest = ''] = source('CHANGELOG.md').split(/^## .*\n/m);
  const changes = newest
    .trim()
    .split(/^- /m)
    .filter((change) => change !== '')
    .map((change) => folded(change.replaceAll(/\s+/g, ' ').trim()));
  const signature = ` -- ${maintainer}  ${date.toUTCString().replace('GMT', '+0000')}`;
  return `figd (${version}) unstable; urgency=medium\n\n${changes.join('\n')}\n\n${signature}\n`;
}

/** A change as an item of at most 80 columns. */
function folded(change: string): string {
  const lines = change.match(/.{1,76}(?: |$)/g) ?? [];
  return lines.map((line, index) => `${index === 0 ? '  * ' : '    '}${line.trimEnd()}`).join('\n');
}

/** When the source was last changed: SOURCE_DATE_EPOCH, else the time of the commit. */
function dateOfSource(): Date {
  const given = process.env['SOURCE_DATE_EPOCH'] ?? execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root });
  return new Date(Number(given) * 1_000);
}

/** The packages of the libraries that the executable is linked with. */
function librariesOf(executable: string, work: string): string {
  put(join(work, 'debian/control'), 'Source: figd\n\nPackage: figd\nArchitecture: any\n');
  const found = execFileSync('dpkg-shlibdeps', ['-O', '--warnings=0', `-e${executable}`], {
    cwd: work,
    encoding: 'utf8',
    // Of files that belong to no package yet it has something to say.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [, libraries] = /^shlibs:Depends=(.+)$/m.exec(found) ?? [];
  if (libraries === undefined) throw new Error(`dpkg-shlibdeps found no libraries: ${found}`);
  return libraries;
}

function checksums(tree: string): string {
  const files = filesOf(tree).filter((file) => !file.startsWith('DEBIAN/') && !file.startsWith('etc/'));
  return execFileSync('md5sum', files, { cwd: tree, encoding: 'utf8' });
}

function sizeOf(tree: string): number {
  return filesOf(tree).reduce((sum, file) => sum + statSync(join(tree, file)).size, 0);
}

function filesOf(tree: string): readonly string[] {
  const entries = readdirSync(tree, { recursive: true, encoding: 'utf8' });
  return entries.filter((entry) => statSync(join(tree, entry)).isFile()).sort();
}

function source(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Without a time in it, so that the same text makes the same bytes. */
function zipped(text: string): Buffer {
  return gzipSync(`${text.trimEnd()}\n`, { level: 9 });
}

function put(path: string, content: string | Buffer, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
}

if (import.meta.main) {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ options: { version: text, directory: text, compression: text } });
  process.stdout.write(`${await buildPackage(values)}\n`);
}
