// SPDX-License-Identifier: GPL-2.0-or-later
// A registry's host on its worst day: an HTTP server on a loopback port whose paths misbehave in one
// way each. Every request is kept, so that a test can see what arrived.
'use strict'

const http = require('http')
const net = require('net')
const zlib = require('zlib')

const BIG = Buffer.alloc(400000, 'The quick brown fox jumps over the lazy dog. ')
const BOMB = zlib.gzipSync(Buffer.alloc(50 << 20))

function cut (res, bytes) {
  res.write(bytes, () => setTimeout(() => res.socket.destroy(), 50))
}

function part (res, from, etag, bytes = BIG) {
  res.writeHead(206, {
    ...(etag && { etag }),
    'content-length': bytes.length - from,
    'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}`
  })
  res.end(bytes.subarray(from))
}

// Each is called with how often its URL was asked for before.
const routes = {
  ok: (req, res) => res.end('hello'),
  again: (req, res) => res.end('hello'),
  empty: (req, res) => res.end(),
  echo: (req, res) => res.end(JSON.stringify(req.headers)),
  big: (req, res) => res.end(BIG),
  status: (req, res, n, arg) => { res.writeHead(Number(arg)); res.end('an error page') },
  'status-once': (req, res, n, arg) => n ? res.end('hello') : routes.status(req, res, n, arg),
  'big-error': (req, res) => { res.writeHead(404); res.end(BIG) },
  'retry-seconds': (req, res, n) => {
    if (n) return res.end('hello')
    res.writeHead(503, { 'retry-after': '2' })
    res.end()
  },
  'retry-date': (req, res, n) => {
    if (n) return res.end('hello')
    res.writeHead(429, { 'retry-after': new Date(Date.now() + 3000).toUTCString() })
    res.end()
  },
  'retry-hour': (req, res) => { res.writeHead(503, { 'retry-after': '3600' }); res.end() },

  // cut transfers
  'cut-once': (req, res, n) => {
    if (n && req.headers.range) return part(res, Number(/bytes=(\d+)-/.exec(req.headers.range)[1]), '"v1"')
    res.writeHead(200, { etag: '"v1"', 'content-length': BIG.length })
    n ? res.end(BIG) : cut(res, BIG.subarray(0, 250000))
  },
  'cut-dated': (req, res, n) => {
    const date = 'Wed, 21 Oct 2020 07:28:00 GMT'
    if (n && req.headers['if-range'] === date) return part(res, Number(/bytes=(\d+)-/.exec(req.headers.range)[1]))
    res.writeHead(200, { 'last-modified': date, etag: 'W/"weak"', 'content-length': BIG.length })
    n ? res.end(BIG) : cut(res, BIG.subarray(0, 250000))
  },
  'cut-changed': (req, res, n) => {
    res.writeHead(200, { etag: `"v${n}"`, 'content-length': BIG.length })
    n ? res.end(Buffer.alloc(BIG.length, 'new')) : cut(res, BIG.subarray(0, 250000))
  },
  'cut-untagged': (req, res, n) => {
    res.writeHead(200, { 'content-length': BIG.length })
    n ? res.end(BIG) : cut(res, BIG.subarray(0, 250000))
  },
  'cut-chunked': (req, res, n) => n ? res.end(BIG) : cut(res, BIG.subarray(0, 250000)),
  'cut-always': (req, res) => {
    res.writeHead(200, { 'content-length': BIG.length })
    cut(res, 'x')
  },
  'cut-wrong-part': (req, res, n) => {
    if (n) return part(res, 5, '"v1"')
    res.writeHead(200, { etag: '"v1"', 'content-length': BIG.length })
    cut(res, BIG.subarray(0, 250000))
  },
  'cut-then-416': (req, res, n) => {
    if (n === 1) { res.writeHead(416); return res.end() }
    res.writeHead(200, { etag: '"v1"', 'content-length': BIG.length })
    n ? res.end(BIG) : cut(res, BIG.subarray(0, 250000))
  },
  'cut-then-503': (req, res, n) => {
    if (n === 1) { res.writeHead(503); return res.end('a long error page '.repeat(100)) }
    routes['cut-once'](req, res, n)
  },
  'unasked-part': (req, res) => part(res, 0, '"v1"'),
  hangup: (req, res, n) => n ? res.end('hello') : res.socket.destroy(),

  // slow ones
  stall: (req, res, n) => {
    if (n) return res.end('hello')
    res.writeHead(200, { 'content-length': 5 })
    res.write('he')
  },
  silent: () => {},
  drip: (req, res) => {
    res.writeHead(200, { 'content-length': 1000 })
    const timer = setInterval(() => res.write('x'), 100)
    res.on('close', () => clearInterval(timer))
  },
  slow: (req, res) => setTimeout(() => res.end('hello'), 100),

  // redirects; the target is percent-encoded behind the name
  to: (req, res, n, arg) => { res.writeHead(302, { location: decodeURIComponent(arg) }); res.end('gone that way') },
  loop: (req, res, n, arg) => { res.writeHead(301, { location: `/loop/${Number(arg) + 1}` }); res.end() },
  hops: (req, res, n, arg) => {
    if (Number(arg) === 0) return res.end('hello')
    res.writeHead(307, { location: `/hops/${Number(arg) - 1}` })
    res.end()
  },
  nowhere: (req, res) => { res.writeHead(302); res.end() },

  // sizes and encodings
  chunked: (req, res) => { for (let i = 0; i < 40; i++) res.write(BIG); res.end() },
  'claims-more': (req, res) => {
    res.socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort')
  },
  'claims-huge': (req, res) => {
    res.socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\nshort')
  },
  'claims-less': (req, res) => {
    res.socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhello')
  },
  'claims-twice': (req, res) => {
    res.socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\nhello')
  },
  gzip: (req, res) => { res.writeHead(200, { 'content-encoding': 'gzip' }); res.end(zlib.gzipSync(BIG)) },
  br: (req, res) => { res.writeHead(200, { 'content-encoding': 'br' }); res.end(zlib.brotliCompressSync(BIG)) },
  deflate: (req, res) => { res.writeHead(200, { 'content-encoding': 'deflate' }); res.end(zlib.deflateSync(BIG)) },
  bomb: (req, res) => { res.writeHead(200, { 'content-encoding': 'gzip' }); res.end(BOMB) },
  'bad-gzip': (req, res) => { res.writeHead(200, { 'content-encoding': 'gzip' }); res.end('this is not gzip') },
  'cut-gzip': (req, res) => { res.writeHead(200, { 'content-encoding': 'gzip' }); res.end(zlib.gzipSync(BIG).subarray(0, 100)) },
  'many-encodings': (req, res) => {
    res.writeHead(200, { 'content-encoding': Array(20).fill('gzip').join(', ') })
    res.end('x')
  },
  tagged: (req, res) => {
    if (req.headers['if-none-match'] === '"v1"') { res.writeHead(304, { etag: '"v1"' }); return res.end() }
    res.writeHead(200, { etag: '"v1"' })
    res.end('hello')
  },
  'unasked-304': (req, res) => { res.writeHead(304); res.end() },

  // malformed answers
  garbage: (req, res) => res.socket.end('\x00\x01\x02 what?\r\n\r\n'),
  'no-version': (req, res) => res.socket.end('hello there\n'),
  'bad-status': (req, res) => res.socket.end('HTTP/1.1 abc OK\r\n\r\n'),
  'bad-header': (req, res) => res.socket.end('HTTP/1.1 200 OK\r\nno colon here\r\ncontent-length: 5\r\n\r\nhello'),
  'bad-chunk': (req, res) => res.socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nhello\r\n'),
  'long-header': (req, res) => res.socket.end('HTTP/1.1 200 OK\r\nx: ' + 'y'.repeat(2 << 20) + '\r\n\r\n'),
  'many-headers': (req, res) => res.socket.end('HTTP/1.1 200 OK\r\n' + 'x: y\r\n'.repeat(200000) + '\r\n'),
  'long-etag': (req, res) => {
    res.writeHead(200, { etag: '"' + 'x'.repeat(20000) + '"' })
    res.end('hello')
  },
  escapes: (req, res) => res.socket.end('HTTP/1.1 302 Found\r\nlocation: http://h\x1b[2Jx/\x1b]0;title\x07\r\ncontent-length: 0\r\n\r\n')
}

// The listener of any node server, with what it saw: { requests, active, most }.
function listener () {
  const seen = { requests: [], active: 0, most: 0 }
  const counts = new Map()
  seen.of = url => seen.requests.filter(r => r.url.split('?')[0] === url)
  seen.listener = (req, res) => {
    const url = req.url.split('?')[0]
    const [, name, arg] = url.split('/')
    const n = counts.get(url) || 0
    counts.set(url, n + 1)
    seen.requests.push({ url: req.url, headers: { ...req.headers } })
    seen.most = Math.max(seen.most, ++seen.active)
    res.on('close', () => seen.active--)
    if (!routes[name]) { res.statusCode = 404; return res.end('no such route') }
    routes[name](req, res, n, arg)
  }
  return seen
}

function listen (server) {
  return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
}

async function badServer () {
  const seen = listener()
  const server = http.createServer(seen.listener)
  let connections = 0
  server.on('connection', () => connections++)
  server.keepAliveTimeout = 60000
  const port = await listen(server)
  return Object.assign(seen, {
    port, url: `http://127.0.0.1:${port}`, connections: () => connections, close: () => { server.closeAllConnections(); server.close() }
  })
}

// An http proxy: forwards, tunnels, and asks for a password when given one.
async function proxyServer (password) {
  const seen = { requests: [], tunnels: [] }
  const allowed = req => !password ||
    req.headers['proxy-authorization'] === 'Basic ' + Buffer.from(password).toString('base64')
  const server = http.createServer((req, res) => {
    seen.requests.push({ url: req.url, headers: { ...req.headers } })
    if (!allowed(req)) { res.writeHead(407, { 'proxy-authenticate': 'Basic realm=x' }); return res.end() }
    req.pipe(http.request(req.url, { headers: req.headers }, back => {
      res.writeHead(back.statusCode, back.headers)
      back.pipe(res)
    }))
  })
  server.on('connect', (req, socket) => {
    seen.tunnels.push(req.url)
    if (!allowed(req)) return socket.end('HTTP/1.1 407 No\r\nproxy-authenticate: Basic realm=x\r\ncontent-length: 0\r\n\r\n')
    // Every name in the tests means this machine, which may know no localhost.
    const port = req.url.split(':')[1]
    const out = net.connect(port, '127.0.0.1', () => { socket.write('HTTP/1.1 200 OK\r\n\r\n'); out.pipe(socket); socket.pipe(out) })
    out.on('error', () => socket.destroy())
    socket.on('error', () => out.destroy())
  })
  const port = await listen(server)
  return Object.assign(seen, { port, close: () => { server.closeAllConnections(); server.close() } })
}

module.exports = { badServer, proxyServer, listener, listen, BIG }
