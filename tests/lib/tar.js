// SPDX-License-Identifier: GPL-2.0-or-later
// Tar archives for tests, block by block: whatever a good writer would not write can be asked for.
'use strict'

const zlib = require('zlib')

const BLOCK = 512
const END = Buffer.alloc(2 * BLOCK)

function octal (n, width) {
  return n.toString(8).padStart(width - 1, '0') + '\0'
}

function put (block, at, room, what) {
  const bytes = Buffer.isBuffer(what) ? what : Buffer.from(String(what))
  if (bytes.length > room) throw new Error(`${bytes.length} bytes in a field of ${room}`)
  bytes.copy(block, at)
}

// A header (pax(1p), "ustar Interchange Format"). A Buffer for a field stands as it is.
function header (h) {
  const b = Buffer.alloc(BLOCK)
  put(b, 0, 100, h.name ?? 'package/file')
  put(b, 100, 8, h.mode instanceof Buffer ? h.mode : octal(h.mode ?? 0o644, 8))
  put(b, 108, 8, octal(0, 8))
  put(b, 116, 8, octal(0, 8))
  put(b, 124, 12, h.size instanceof Buffer ? h.size : octal(h.size ?? 0, 12))
  put(b, 136, 12, octal(0, 12))
  put(b, 156, 1, h.type ?? '0')
  put(b, 157, 100, h.link ?? '')
  put(b, 257, 8, h.magic ?? 'ustar\x0000')
  put(b, 345, 155, h.prefix ?? '')
  b.fill(' ', 148, 156)
  let sum = 0
  for (const byte of b) sum += byte
  put(b, 148, 8, h.checksum ?? octal(sum, 7) + ' ')
  return b
}

function pad (bytes) {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - bytes.length % BLOCK) % BLOCK)])
}

// One entry with its contents; the size is theirs unless it is given.
function entry (name, contents = '', more = {}) {
  const body = Buffer.from(contents)
  return Buffer.concat([header({ name, size: body.length, ...more }), pad(body)])
}

const dir = (name, more) => entry(name, '', { type: '5', mode: 0o755, ...more })
const symlink = (name, link) => entry(name, '', { type: '2', link })
const hardlink = (name, link) => entry(name, '', { type: '1', link })

// "<length> <key>=<value>\n", the length counting itself.
function record (key, value) {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
  let n = rest.length
  while (String(n).length + rest.length !== n) n = String(n).length + rest.length
  return Buffer.concat([Buffer.from(String(n)), rest])
}

// What goes before an entry: { path: …, size: … } or the bytes of the records.
function pax (records, type = 'x') {
  const body = Buffer.isBuffer(records)
    ? records
    : Buffer.concat(Object.entries(records).map(([k, v]) => record(k, v)))
  return entry('PaxHeader/file', body, { type })
}

// GNU's long name (L) or long target (K).
const gnuLong = (name, type = 'L') =>
  entry('././@LongLink', Buffer.concat([Buffer.from(name), Buffer.from('\0')]), { type, magic: 'ustar  \0' })

const tar = (...parts) => Buffer.concat([...parts.flat(), END])

// Without time and name in it, so that the bytes are the same everywhere.
const gzip = bytes => zlib.gzipSync(bytes, { level: 9 })

const packageJson = (more = {}) => JSON.stringify({ name: 'it', version: '1.0.0', ...more })
const manifest = more => entry('package/package.json', packageJson(more))

module.exports = { BLOCK, END, header, pad, entry, dir, symlink, hardlink, record, pax, gnuLong, tar, gzip, packageJson, manifest }
