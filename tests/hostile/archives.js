#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: timeout=300
// Archives that attack who unpacks them. Each is refused whole with its entry named, or accepted as a
// tree in which nothing is dangerous; nothing is written outside the store, and nothing that was
// refused leaves a trace in it. Prints TAP.
'use strict'

const fs = require('fs')
const os = require('os')
const path = require('path')
const { spawnSync } = require('child_process')
const t = require('../lib/tar.js')

const build = process.env.BUILD || path.resolve(__dirname, '../../build')
const tool = path.join(build, 'test/unpack-tool')
const T = fs.mkdtempSync(path.join(os.tmpdir(), 'cratons-archives-'))
const archives = path.join(T, 'archives')
fs.mkdirSync(archives)
process.on('exit', () => fs.rmSync(T, { recursive: true, force: true }))

let count = 0
let failed = 0

function result (name, problem) {
  console.log(`${problem ? 'not ok' : 'ok'} ${++count} - ${name}`)
  if (problem) {
    failed++
    console.log(String(problem).slice(0, 2000).replace(/^/gm, '# '))
  }
}

// Runs the tool on { how, bytes } and gives what it says of each, in order.
function unpack (home, jobs) {
  const lines = jobs.map((job, i) => {
    const file = path.join(archives, String(i))
    fs.writeFileSync(file, job.bytes)
    return `${job.how || 'npm it 1.0.0'} ${file}\n`
  })
  const r = spawnSync(tool, [home], { input: lines.join(''), cwd: T, maxBuffer: 1 << 30 })
  const answers = r.stdout.toString().trim().split('\n').filter(Boolean).map(l => JSON.parse(l))
  const problem = answers.length < jobs.length &&
    `the tool ended with ${r.signal || r.status} at "${jobs[answers.length].name}": ${r.stderr}`
  return { answers, problem }
}

// Everything below a folder but the store, as text: what must not change.
function snapshot (dir) {
  return fs.readdirSync(dir, { recursive: true }).filter(f => !/^(home|archives)\b/.test(f)).sort().map(f => {
    const s = fs.lstatSync(path.join(dir, f))
    return `${f} ${s.mode} ${s.size} ${s.mtimeMs}`
  }).join('\n')
}

function storeFiles (home) {
  const of = kind => {
    try {
      return fs.readdirSync(path.join(home, 'store', kind), { recursive: true })
        .filter(f => fs.statSync(path.join(home, 'store', kind, f)).isFile())
    } catch {
      return []
    }
  }
  return ['packs', 'objects', 'trees', 'staging'].flatMap(kind => of(kind).map(f => `${kind}/${f}`))
    .filter(f => !/^staging\/[^/]+\/lease$/.test(f))
}

function verify (home) {
  const r = spawnSync(path.join(build, 'bin/cratons'), ['store', 'verify'], { env: { ...process.env, CRATONS_HOME: home, HOME: T }, cwd: T })
  return r.status === 0 ? null : `status ${r.status}: ${r.stdout}${r.stderr}`
}

const { entry, dir, symlink, hardlink, pax, gnuLong, tar, gzip, manifest, record, packageJson, header, END, BLOCK } = t

// An archive of package "it" with these entries beside its package.json.
const it = (...parts) => gzip(tar(manifest(), ...parts))
const plain = (...parts) => tar(manifest(), ...parts)
const base256 = (...bytes) => { const b = Buffer.alloc(12, bytes[0] === 0xff ? 0xff : 0); Buffer.from(bytes).copy(b); return b }
const tail256 = (first, tail) => { const b = Buffer.alloc(12); b[0] = first; Buffer.from(tail).copy(b, 12 - tail.length); return b }
const canary = path.join(T, 'canary')

// name, bytes, what the sentence must hold
const refused = [
  ['an absolute path', it(entry('/etc/cratons-test', 'x')), '/etc/cratons-test'],
  ['an absolute path in a pax header', it(pax({ path: canary }), entry('package/f', 'x')), canary],
  ['dot-dot at the start', it(entry('../../x', 'x')), '../../x'],
  ['dot-dot after the stripped part', it(entry('package/../../x', 'x')), "leaves the archive by '..'"],
  ['dot-dot in the middle that stays inside', it(entry('package/a/../x', 'x')), 'package/a/../x'],
  ['dot-dot alone', it(entry('..', 'x')), "'..'"],
  ['dot-dot as a folder', it(dir('package/../..')), '..'],
  ['dot-dot at the end', it(entry('package/a/..', 'x')), 'package/a/..'],
  ['dot-dot from the ustar prefix', it(entry('x', 'x', { prefix: '../..' })), '../../x'],
  ['dot-dot in a GNU long name', it(gnuLong('package/' + 'a/'.repeat(60) + '../x'), entry('package/s', 'x')), '..'],
  ['a device for characters', it(entry('package/null', '', { type: '3' })), 'package/null'],
  ['a device for blocks', it(entry('package/sda', '', { type: '4' })), 'package/sda'],
  ['a fifo', it(entry('package/fifo', '', { type: '6' })), 'package/fifo'],
  ['an entry of an unknown kind', it(entry('package/odd', '', { type: 'Z' })), 'package/odd'],
  ['a multi-volume continuation', it(entry('package/part', '', { type: 'M' })), 'package/part'],
  ['a GNU dump folder', it(entry('package/dump', '', { type: 'D' })), 'package/dump'],
  ['a volume label', it(entry('package/label', '', { type: 'V' })), 'package/label'],
  ['a file twice with different contents', it(entry('package/f', 'good'), entry('package/f', 'evil')), "'f'"],
  ['a file twice that differs in its mode', it(entry('package/f', 'x'), entry('package/f', 'x', { mode: 0o755 })), "'f'"],
  ['the same file by another spelling', it(entry('package/f', 'good'), entry('package/.//./f', 'evil')), "'f'"],
  ['the same file below another first part', it(entry('package/f', 'good'), entry('other/f', 'evil')), "'f'"],
  ['package.json twice', it(entry('package/package.json', packageJson({ scripts: { install: 'evil' } }))), 'package.json'],
  ['a file and a folder of one name', it(entry('package/f', 'x'), dir('package/f')), "'f'"],
  ['a folder, then a file of its name', it(dir('package/f'), entry('package/f', 'x')), "'f'"],
  ['a file below a file', it(entry('package/f', 'x'), entry('package/f/g', 'x')), "'f/g'"],
  ['a file where others lie below', it(entry('package/f/g', 'x'), entry('package/f', 'x')), "'f'"],
  ['a name of 256 bytes', it(pax({ path: 'package/' + 'n'.repeat(256) }), entry('s', 'x')), 'too long a name'],
  ['a path of 4096 bytes', it(pax({ path: 'package/' + ('d'.repeat(200) + '/').repeat(20) + 'f'.repeat(68) }), entry('s', 'x')), 'too long a path'],
  ['a path of 60,000 bytes', it(gnuLong('package/' + 'd/'.repeat(30000) + 'f'), entry('s', 'x')), 'too long a path'],
  ['folders 300 deep', it(gnuLong('package/' + 'd/'.repeat(300) + 'f'), entry('s', 'x')), 'deep'],
  ['a name that is not UTF-8', it(entry(Buffer.from('package/\xff\xfe', 'latin1'), 'x')), 'not UTF-8'],
  ['an overlong slash', it(entry(Buffer.from('package/..\xc0\xaf..\xc0\xafx', 'latin1'), 'x')), 'not UTF-8'],
  ['half of a surrogate pair', it(entry(Buffer.from('package/\xed\xa0\x80', 'latin1'), 'x')), 'not UTF-8'],
  ['a NUL in a pax path', it(pax({ path: 'package/good.js\0.txt' }), entry('s', 'x')), 'NUL'],
  ['a GNU sparse file', it(entry('package/sparse', 'x', { type: 'S' })), 'package/sparse'],
  ['a sparse file by pax', it(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.name': '../../x' }), entry('package/GNUSparseFile.0/s', 'x')), 'sparse'],
  ['a path for all entries', it(pax({ path: '../../x' }, 'g'), entry('package/f', 'x')), "'path'"],
  ['a size for all entries', it(pax({ size: '1' }, 'g'), entry('package/f', 'x')), "'size'"],
  ['a link target for all entries', it(pax({ linkpath: '/etc' }, 'g'), entry('package/f', 'x')), "'linkpath'"],
  ['a pax size beyond the archive', it(pax({ size: '99999999' }), entry('package/f', 'x')), 'package/f'],
  ['a pax size smaller than the entry', it(pax({ size: '1' }), entry('package/f', 'x'.repeat(1000))), 'checksum'],
  ['a pax size that is negative', it(pax({ size: '-1' }), entry('package/f', 'x')), 'size'],
  ['a pax size beyond 64 bits', it(pax({ size: '18446744073709551617' }), entry('package/f', 'x')), 'size'],
  ['a pax size that is empty', it(pax({ size: '' }), entry('package/f', 'x')), 'size'],
  ['a pax size in hexadecimal', it(pax({ size: '0x1' }), entry('package/f', 'x')), 'size'],
  ['pax: a record longer than the header', it(pax(Buffer.from('999 path=x\n')), entry('package/f')), 'pax'],
  ['pax: a record of length 0', it(pax(Buffer.from('0 path=x\n')), entry('package/f')), 'pax'],
  ['pax: a length that ends in the key', it(pax(Buffer.from('3 path=x\n')), entry('package/f')), 'pax'],
  ['pax: a negative length', it(pax(Buffer.from('-5 path=x\n')), entry('package/f')), 'pax'],
  ['pax: a length beyond 64 bits', it(pax(Buffer.from('18446744073709551628 a=b\n')), entry('package/f')), 'pax'],
  ['pax: no length', it(pax(Buffer.from('path=x\n')), entry('package/f')), 'pax'],
  ['pax: no equals sign', it(pax(Buffer.from('8 pathx\n')), entry('package/f')), 'pax'],
  ['pax: no key', it(pax(Buffer.from('6 =xy\n')), entry('package/f')), 'pax'],
  ['pax: no newline at a record\'s end', it(pax(Buffer.from('9 path=xy')), entry('package/f')), 'pax'],
  ['pax: a header of 2 MiB', it(pax({ comment: 'c'.repeat(2 << 20) }), entry('package/f')), 'unacceptable size'],
  ['pax: many headers before one entry', it(...Array(3000).fill(pax({ comment: 'c'.repeat(1000) })), entry('package/f')), 'headers'],
  ['a GNU long name of 1 MiB', it(gnuLong('n'.repeat(1 << 20)), entry('package/f')), 'unacceptable size'],
  ['a pax header that claims 8 GiB', it(entry('PaxHeader/f', '', { type: 'x', size: base256(0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0) }), entry('package/f')), 'unacceptable size'],
  ['a size in base 256 that is negative', it(entry('package/f', 'x', { size: base256(0xff, 0xff) })), 'size'],
  ['a size in base 256 beyond 64 bits', it(entry('package/f', 'x', { size: base256(0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) })), 'size'],
  ['a size in base 256 just below 2^64', it(entry('package/f', 'x', { size: tail256(0x80, Array(8).fill(0xff)) })), 'package/f'],
  ['a size in base 256 that pads past 2^64', it(entry('package/f', 'x', { size: tail256(0x80, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0x01]) })), 'package/f'],
  ['a size that is no number', it(entry('package/f', 'x', { size: Buffer.from('0000000zzzz\0') })), 'size'],
  ['a mode that is no number', it(entry('package/f', 'x', { mode: Buffer.from('rwxr-xr') })), 'mode'],
  ['a size larger than the archive', it(entry('package/f', 'x', { size: 1 << 20 })), 'package/f'],
  ['a size smaller than the contents', it(entry('package/f', 'x'.repeat(2000), { size: 10 })), 'checksum'],
  ['a wrong checksum', it(entry('package/f', 'x', { checksum: '0000001\0' })), 'checksum'],
  ['a checksum that is no number', it(entry('package/f', 'x', { checksum: 'checksum' })), 'checksum'],
  ['a checksum of blanks', it(entry('package/f', 'x', { checksum: '        ' })), 'checksum'],
  ['an extended header and then the end', it(pax({ path: 'package/f' })), 'extended header'],
  ['a bomb: 768 MiB in 765 KiB', Buffer.concat([gzip(tar(manifest())), ...Array(12).fill(gzip(Buffer.alloc(64 << 20)))]), 'unpacks to more than'],
  ['a bomb: 1,000,001 entries', null, 'more than 1000000 entries'],
  ['a damaged gzip stream', (() => { const b = it(entry('package/f', 'x'.repeat(500))); b[30] ^= 0xff; return b })(), 'gzip'],
  ['a wrong checksum of the gzip stream', (() => { const b = it(entry('package/f', 'x')); b[b.length - 8] ^= 1; return b })(), 'gzip'],
  ['a wrong length of the gzip stream', (() => { const b = it(entry('package/f', 'x')); b[b.length - 4] ^= 1; return b })(), 'gzip'],
  ['garbage after the gzip stream', Buffer.concat([it(), Buffer.from('garbage')]), 'bytes follow'],
  ['a second gzip stream that is cut', Buffer.concat([it(), gzip(plain()).subarray(0, 20)]), 'gzip'],
  ['gzip within gzip', gzip(it()), 'archive'],
  ['no bytes', Buffer.alloc(0), 'cut short'],
  ['no bytes within gzip', gzip(Buffer.alloc(0)), 'package.json'],
  ['no entries', gzip(END), 'package.json'],
  ['no entries, plain', END, 'package.json'],
  ['text', Buffer.from('<html>404</html>'.repeat(100)), 'checksum'],
  ['zip', Buffer.from('PK\x03\x04' + '\0'.repeat(600)), 'checksum'],
  ['no package.json', gzip(tar(entry('package/index.js', 'x'))), 'no package.json'],
  ['package.json one folder too deep', gzip(tar(entry('package/package/package.json', packageJson()))), 'no package.json'],
  ['package.json that is a folder', gzip(tar(dir('package/package.json'))), 'no package.json'],
  ['package.json that is a link', gzip(tar(entry('package/p.json', packageJson()), symlink('package/package.json', 'p.json'))), 'no package.json'],
  ['package.json that is no JSON', gzip(tar(entry('package/package.json', '{"name":"it",}'))), 'package.json'],
  ['package.json that is a list', gzip(tar(entry('package/package.json', '["it"]'))), "package named"],
  ['package.json that is empty', gzip(tar(entry('package/package.json', ''))), 'package.json'],
  ['package.json of 17 MiB', gzip(tar(entry('package/package.json', packageJson({ x: 'y'.repeat(17 << 20) })))), 'too large'],
  ['package.json nested 100,000 deep', gzip(tar(entry('package/package.json', packageJson().replace('}', ',"x":' + '['.repeat(100000) + ']'.repeat(100000) + '}')))), 'package.json'],
  ['package.json with another name', gzip(tar(entry('package/package.json', '{"name":"other","version":"1.0.0"}'))), "named 'other'"],
  ['package.json with no name', gzip(tar(entry('package/package.json', '{"version":"1.0.0"}'))), 'named'],
  ['package.json with a name that is a number', gzip(tar(entry('package/package.json', '{"name":1,"version":"1.0.0"}'))), 'named'],
  ['package.json with another version', gzip(tar(manifest({ version: '1.0.1' }))), "version '1.0.1'"],
  ['package.json with no version', gzip(tar(entry('package/package.json', '{"name":"it"}'))), 'version'],
  ['package.json with a terminal escape for a name', gzip(tar(entry('package/package.json', JSON.stringify({ name: '\x1b]0;evil\x07', version: '1.0.0' })))), 'named']
].map(([name, bytes, says]) => ({ name, bytes, says }))

// Links are only looked at where they are kept; npm packages have none (see below).
const refusedLinks = [
  ['a link to an absolute path', plain(symlink('package/l', '/etc/passwd')), 'package/l'],
  ['a link that leaves', plain(symlink('package/l', '../../x')), 'package/l'],
  ['a link that leaves from below', plain(symlink('a/b/l', '../../../x')), 'a/b/l'],
  ['a link that leaves through a name', plain(symlink('package/l', 'a/../../../x')), 'package/l'],
  ['a link that leaves with a long target', plain(gnuLong('../'.repeat(50) + 'etc', 'K'), symlink('package/l', 'x')), 'package/l'],
  ['a link that leaves by pax', plain(pax({ linkpath: '/etc' }), symlink('package/l', 'x')), 'package/l'],
  ['a link to nothing', plain(symlink('package/l', '')), 'package/l'],
  ['a link, then a file through it', plain(symlink('package/l', 'd'), entry('package/l/f', 'x')), 'package/l/f'],
  ['a link to the folder above, then a file through it', plain(symlink('l', '.'), entry('l/f', 'x')), 'l/f'],
  ['a link, then a folder of its name', plain(symlink('package/l', 'd'), dir('package/l')), 'package/l'],
  ['a folder, then a link of its name', plain(dir('package/l'), symlink('package/l', 'd')), 'package/l'],
  ['a link twice with different targets', plain(symlink('package/l', 'a'), symlink('package/l', 'b')), 'package/l'],
  ['a hard link to an absolute path', plain(hardlink('package/h', '/etc/passwd')), '/etc/passwd'],
  ['a hard link that leaves', plain(hardlink('package/h', '../../etc/passwd')), '../../etc/passwd'],
  ['a hard link to a later entry', plain(hardlink('package/h', 'package/f'), entry('package/f', 'x')), 'package/h'],
  ['a hard link to itself', plain(hardlink('package/h', 'package/h')), 'package/h'],
  ['a hard link to a link', plain(symlink('package/l', 'f'), hardlink('package/h', 'package/l')), 'package/h'],
  ['a hard link to a folder', plain(dir('package/d'), hardlink('package/h', 'package/d')), 'package/h'],
  ['a hard link to nothing', plain(hardlink('package/h', '')), 'package/h'],
  ['hard links in a circle', plain(hardlink('package/a', 'package/b'), hardlink('package/b', 'package/a')), 'package/a'],
  ['a file twice, the second a hard link', plain(entry('package/f', 'a'), entry('package/g', 'b'), hardlink('package/f', 'package/g')), 'package/f'],
  ['a name that is the root itself', plain(entry('./.', 'x')), "'./.'"],
  ['an end mark that is missing', Buffer.concat([manifest(), entry('package/f', 'x')]), 'cut short']
].map(([name, bytes, says]) => ({ name, bytes, says, how: 'tar' }))

// The good: name, bytes, the entries that the tree must have ("path" or "path*" where executable).
const accepted = [
  ['a package', it(entry('package/index.js', 'x')), 'index.js package.json'],
  ['a package as a plain tar', plain(entry('package/index.js', 'x')), 'index.js package.json'],
  ['another name for the first part', gzip(tar(entry('it-1.0.0/package.json', packageJson()))), 'package.json'],
  ['"./" before names', gzip(tar(dir('./'), dir('./package'), entry('./package/package.json', packageJson()))), ''],
  ['set-id and sticky bits are dropped', it(entry('package/su', 'x', { mode: 0o7755 }), entry('package/st', 'x', { mode: 0o7644 })), 'package.json st su*'],
  ['a mode without any right', it(entry('package/f', 'x', { mode: 0 })), 'f package.json'],
  ['a file twice with the same contents', it(entry('package/f', 'x'), entry('package/f', 'x')), 'f package.json'],
  ['names that differ in case', it(entry('package/README', 'a'), entry('package/readme', 'b'), entry('package/ReadMe', 'c')), 'README ReadMe package.json readme'],
  ['names in two normal forms', it(entry('package/\u00e9', 'a'), entry('package/e\u0301', 'b')), null],
  ['a name of 255 bytes', it(pax({ path: 'package/' + 'n'.repeat(255) }), entry('s', 'x')), 'n'.repeat(255) + ' package.json'],
  ['a path of 4095 bytes', it(pax({ path: 'package/' + ('d'.repeat(200) + '/').repeat(20) + 'f'.repeat(67) }), entry('s', 'x')), null],
  ['folders 250 deep', it(gnuLong('package/' + 'd/'.repeat(250) + 'f'), entry('s', 'x')), null],
  ['names with controls, quotes and options', it(entry('package/a\nb', 'x'), entry('package/\x1b[2J', 'x'), entry('package/-rf', 'x'), entry('package/$(id)', 'x')), null],
  ['backslashes are no separators', it(entry('package/..\\..\\x', 'x')), '..\\..\\x package.json'],
  ['a name in the ustar prefix', it(entry('f', 'x', { prefix: 'package/deep' })), 'deep deep/f package.json'],
  ['a pax header that says nothing of interest', it(pax({ mtime: '1.5', uname: 'root', comment: 'c' }), entry('package/f', 'x')), 'f package.json'],
  ['global pax headers with a comment', gzip(tar(pax({ comment: 'hash' }, 'g'), manifest())), 'package.json'],
  ['a pax size that agrees', it(pax({ size: '1' }), entry('package/f', 'x')), 'f package.json'],
  ['the last of two pax paths', it(pax(Buffer.concat([record('path', 'package/a'), record('path', 'package/b')])), entry('s', 'x')), 'b package.json'],
  ['a size in base 256', it(entry('package/f', 'x', { size: tail256(0x80, [1]) })), 'f package.json'],
  ['an old file kind', it(entry('package/f', 'x', { type: '\0' })), 'f package.json'],
  ['a contiguous file', it(entry('package/f', 'x', { type: '7' })), 'f package.json'],
  ['links are left out, wherever they lead', it(symlink('package/l', '/etc/passwd'), hardlink('package/h', '/etc/passwd'), symlink('package/m', '../..')), 'package.json'],
  ['a file below a link that was left out is just a file', it(symlink('package/l', '/tmp'), entry('package/l/f', 'x')), 'l l/f package.json'],
  ['bytes after the end mark', gzip(Buffer.concat([tar(manifest()), Buffer.from('garbage')])), 'package.json'],
  ['zeros after the gzip stream', Buffer.concat([it(), Buffer.alloc(1000)]), 'package.json'],
  ['gzip in several members', (() => { const b = plain(entry('package/f', 'x')); return Buffer.concat([gzip(b.subarray(0, 700)), gzip(b.subarray(700))]) })(), 'f package.json'],
  ['no end mark within gzip', gzip(manifest()), 'package.json'],
  ['many zeros', it(entry('package/zeros', Buffer.alloc(8 << 20))), 'package.json zeros'],
  ['package.json with a byte order mark', gzip(tar(entry('package/package.json', '\ufeff' + packageJson()))), 'package.json'],
  ['package.json with a version that has a v', gzip(tar(manifest({ version: 'v1.0.0' }))), 'package.json'],
  ['package.json with build metadata', gzip(tar(manifest({ version: '1.0.0+build' }))), 'package.json'],
  ['bin: a command gets its mode', gzip(tar(manifest({ bin: { c: './bin//c.js' } }), entry('package/bin/c.js', '#!/usr/bin/env node\n'), entry('package/bin/d.js', 'x'))), 'bin bin/c.js* bin/d.js package.json'],
  ['bin: paths that leave are passed over', gzip(tar(manifest({ bin: { a: '../../etc/passwd', b: '/etc/passwd', c: 'x/../f', d: 1, e: null, f: ['f'] } }), entry('package/f', 'x'))), 'f package.json'],
  ['bin: a path that is nowhere', gzip(tar(manifest({ bin: 'nowhere' }), entry('package/f', 'x'))), 'f package.json'],
  ['bin: an absolute path is one in the package', gzip(tar(manifest({ bin: '/f' }), entry('package/f', 'x'))), 'f* package.json'],
  ['directories.bin: its files get their mode, not those below', gzip(tar(manifest({ directories: { bin: './bin/' } }), entry('package/bin/c', 'x'), entry('package/bin/d/e', 'x'))), 'bin bin/c* bin/d bin/d/e package.json'],
  ['directories.bin: one that leaves', gzip(tar(manifest({ directories: { bin: '../..' } }), entry('package/f', 'x'))), 'f package.json'],
  ['directories.bin: one that begins like another', gzip(tar(manifest({ directories: { bin: 'bin' } }), entry('package/binary/f', 'x'))), 'binary binary/f package.json']
].map(([name, bytes, has]) => ({ name, bytes, has }))

const acceptedLinks = [
  ['links that stay inside', tar(entry('d/f', 'x'), symlink('d/l', 'f'), symlink('e/l', '../d/f'), symlink('e/m', '..')), 'd d/f d/l>f e e/l>../d/f e/m>..'],
  ['hard links become files', tar(entry('f', 'x', { mode: 0o755 }), hardlink('g', './f'), hardlink('h', 'g')), 'f* g* h*'],
  ['a link that dangles', tar(symlink('l', 'nowhere')), 'l>nowhere']
].map(([name, bytes, has]) => ({ name, bytes, has, how: 'tar' }))

// A million and one entries: 512 MB, made member by member so that no more is held than is needed.
function manyEntries () {
  const hundred = gzip(Buffer.concat(Array.from({ length: 1000 }, (_, i) => entry(`package/${i}`))))
  return Buffer.concat([gzip(manifest()), ...Array(1001).fill(hundred), gzip(END)])
}

// The same with a last member of 9 MiB behind the end mark: large enough to be unpacked as a stream. Left
// out are those that differ by what follows them.
const filler = gzip(Buffer.alloc(9 << 20))
const otherwise = ['a size larger than the archive', 'zeros after the gzip stream']
const asStream = jobs => jobs.filter(j => j.bytes[0] === 0x1f && j.bytes[1] === 0x8b && !otherwise.includes(j.name))
  .map(j => ({ ...j, name: `${j.name}, as a stream`, bytes: Buffer.concat([j.bytes, filler]) }))

// Large files, which a stream puts as they come by: both ways give one tree.
const big = (n, text = '') => Buffer.concat([Buffer.from(text), Buffer.from(Array.from({ length: n }, (_, i) => 32 + (i * i + i % 251) % 90))])
const large = [
  ['files around a chunk', it(...[65535, 65536, 65537, 131072, 300001].map(n => entry(`package/f${n}`, big(n))))],
  ['a large file and small ones', it(entry('package/a', 'x'), entry('package/b', big(1 << 20)), entry('package/c', 'y'))],
  ['a large file twice', it(entry('package/f', big(100000)), entry('package/f', big(100000)))],
  ['one large file under two names', it(entry('package/f', big(100000)), entry('package/g', big(100000), { mode: 0o755 }))],
  ['a large package.json', gzip(tar(entry('package/package.json', packageJson({ x: 'y'.repeat(100000), bin: 'f' })), entry('package/f', big(70000))))],
  ['a large command', gzip(tar(manifest({ bin: 'f' }), entry('package/f', big(100000, '#!/usr/bin/env node\n'))))],
  ['a large command with CR LF', gzip(tar(manifest({ bin: 'f' }), entry('package/f', big(100000, '#!/usr/bin/env node\r\nx\r\n'))))],
  ['a large command of one line', gzip(tar(manifest({ bin: 'f' }), entry('package/f', '#!' + 'x'.repeat(100000))))],
  ['a large command that is no script', gzip(tar(manifest({ bin: 'f' }), entry('package/f', big(100000, '\x7fELF'))))],
  ['a large file without the parts to strip', it(entry('f', big(100000)), entry('package/g', 'x'))],
  ['a large file of a pax path', it(pax({ path: 'package/' + 'n'.repeat(200) }), entry('s', big(100000)))]
].map(([name, bytes]) => ({ name, bytes }))
const largeRefused = [
  ['a large file twice with different contents', it(entry('package/f', big(100000)), entry('package/f', big(100000, '!').subarray(0, 100000)))],
  ['a large file that leaves', it(entry('package/../../f', big(100000)))],
  ['a large file that is cut', gzip(plain(entry('package/f', big(100000))).subarray(0, 50000))],
  ['a large file whose size lies', it(entry('package/f', big(100000), { size: 99999999 }))],
  ['a large file, then a device', it(entry('package/f', big(100000)), entry('package/null', '', { type: '3' }))]
].map(([name, bytes]) => ({ name, bytes, says: '' }))

function bothWays () {
  const one = unpack(path.join(T, 'home-whole'), large)
  const two = unpack(path.join(T, 'home-stream'), asStream(large))
  large.forEach((job, i) => {
    const [a, b] = [one.answers[i], two.answers[i]]
    result(`whole and as a stream: ${job.name}`, !(a?.accepted && a.tree === b?.tree) && `${JSON.stringify(a)}\n${JSON.stringify(b)}`)
  })
  for (const home of ['home-whole', 'home-stream']) {
    result(`the store is whole: ${home}`, verify(path.join(T, home)))
    fs.rmSync(path.join(T, home), { recursive: true, force: true })
  }
}

function listing (entries) {
  return entries.map(e => e.path + (e.executable ? '*' : '') + (e.kind === 'link' ? '>' + e.target : '')).sort().join(' ')
}

function judgeRefused (job, answer, home) {
  if (answer.accepted !== false) return `accepted: ${JSON.stringify(answer)}`
  if (answer.code !== 'ARCHIVE') return `for another reason: ${JSON.stringify(answer)}`
  if (!answer.what.includes(job.says)) return `"${answer.what}" does not say "${job.says}"`
  if (answer.what.length > 500) return `${answer.what.length} bytes of a sentence`
  if (/[\x00-\x1f\x7f]/.test(answer.what)) return 'a control character in the sentence'
  return null
}

function judgeAccepted (job, answer) {
  if (!answer.accepted || answer.broken) return `refused: ${JSON.stringify(answer)}`
  if (job.has === null) return null
  const have = listing(answer.entries)
  const wanted = job.has === '' ? 'package.json' : job.has.split(' ').sort().join(' ')
  return have === wanted ? null : `has ${have}\nwanted ${wanted}`
}

function run (title, home, jobs, judge) {
  const { answers, problem } = unpack(home, jobs)
  answers.forEach((answer, i) => result(`${title}: ${jobs[i].name}`, judge(jobs[i], answer, home)))
  if (problem) result(title, problem)
}

function main () {
  if (!fs.existsSync(tool)) return console.log(`1..0 # SKIP ${tool} is not built`)
  const home = path.join(T, 'home')
  fs.writeFileSync(canary, 'it lives')
  refused.find(j => j.bytes === null).bytes = manyEntries()
  const before = snapshot(T)

  // What a stream is cut by is followed by zeros, which are the rest of that file.
  const cutToo = largeRefused.filter(j => !j.name.endsWith('cut'))
  run('refused', home, [...refused, ...refusedLinks, ...largeRefused, ...asStream([...refused, ...cutToo])], judgeRefused)
  const left = storeFiles(home)
  result('what was refused left nothing in the store', left.length && left.join('\n'))
  result('the store is whole', verify(home))

  run('accepted', home, [...accepted, ...acceptedLinks, ...asStream(accepted)], judgeAccepted)
  bothWays()
  result('the store is whole with what was accepted', verify(home))

  const small = plain(dir('package/d'), entry('package/d/f', 'x'.repeat(700)))
  const jobs = [['cut-npm it 1.0.0', gzip(small)], ['cut-npm it 1.0.0', small], ['cut-tar', small],
    ['cut-npm it 1.0.0', it(pax({ path: 'package/' + 'é'.repeat(100) }), entry('s', 'x'), gnuLong('package/' + 'l'.repeat(150)), entry('s', 'y'))]]
    .map(([how, bytes]) => ({ name: how, how, bytes }))
  const cutHome = path.join(T, 'home-cut')
  const { answers, problem } = unpack(cutHome, jobs)
  // What is whole without the end mark's second block is whole.
  const atLeast = [Infinity, small.length - BLOCK, small.length - BLOCK, Infinity]
  answers.forEach((a, i) => {
    const bad = a.accepted.filter(n => n < atLeast[i])
    result(`cut at each of ${a.size} bytes (${jobs[i].how}, archive ${i})`, bad.length && `accepted when cut at ${bad}`)
  })
  if (problem) result('cut archives', problem)
  result('the store is whole after cut archives', verify(cutHome))

  fs.rmSync(cutHome, { recursive: true, force: true })
  const after = snapshot(T)
  result('nothing was written outside the store', after !== before && `${before}\n---\n${after}`)
}

main()
console.log(`1..${count}`)
process.exitCode = failed ? 1 : 0
