#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: timeout=300
// The fetcher against servers that misbehave on purpose, on io_uring and where that is refused.
// Prints TAP. An argument runs only the cases whose name contains it.
'use strict'

const fs = require('fs')
const http2 = require('http2')
const os = require('os')
const path = require('path')
const { execFileSync, spawn } = require('child_process')
const { badServer, proxyServer, listener, listen, BIG } = require('../lib/bad-server.js')

const build = process.env.BUILD || path.resolve(__dirname, '../../build')
const tool = path.join(build, 'test/fetch-tool')
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'cratons-fetch-'))
let wrapper = []	// what the tool is run under
let server, other

// Nothing of the environment may decide what a test sees.
const environment = { PATH: process.env.PATH, HOME: scratch, LC_ALL: 'C.UTF-8', ASAN_OPTIONS: process.env.ASAN_OPTIONS || '' }

function check (ok, what) {
  if (!ok) throw new Error(what)
}

function same (have, want, what) {
  check(have === want, `${what}: ${JSON.stringify(have)} is not ${JSON.stringify(want)}`)
}

// Runs the tool: { results by URL's path, stats, text }.
function fetchAll (args, env = {}) {
  return new Promise((resolve, reject) => {
    const [program, ...rest] = [...wrapper, tool, '--stats', '--body', ...args]
    const child = spawn(program, rest, { env: { ...environment, ...env } })
    const started = Date.now()
    let out = ''
    let err = ''
    child.stdout.on('data', d => { out += d })
    child.stderr.on('data', d => { err += d })
    child.on('close', (status, signal) => {
      if (signal || err) return reject(new Error(`the tool ended with ${signal || status}: ${err}`))
      const lines = out.trim().split('\n').map(l => JSON.parse(l))
      resolve({ status, stats: lines.pop(), all: lines, first: lines[0], text: out, ms: Date.now() - started })
    })
  })
}

function fetchOne (route, ...args) {
  return fetchAll([...args, route.includes('://') ? route : server.url + route])
}

function npmrc (text) {
  const file = path.join(scratch, 'npmrc')
  fs.writeFileSync(file, text)
  return '--npmrc=' + file
}

const host = s => s.url.slice('http:'.length)
const requests = route => server.of(route).length

const cases = {
  'a body arrives whole': async () => {
    const r = await fetchOne('/big')
    same(r.first.status, 200, 'status')
    same(r.first.body, BIG.toString(), 'body')
    same(r.stats.loop, wrapper.length ? 'epoll' : 'io_uring', 'backend')
    same((await fetchOne('/empty')).first.bytes, 0, 'an empty body')
  },

  'the request says who asks and nothing more': async () => {
    const r = await fetchOne('/echo')
    const headers = JSON.parse(r.first.body)
    check(/^cratons\/\d/.test(headers['user-agent']), headers['user-agent'])
    same(headers.authorization, undefined, 'authorization')
    same(headers['accept-encoding'], undefined, 'encodings of an archive')
    const m = JSON.parse((await fetchOne('/echo', '--metadata')).first.body)
    check(/gzip/.test(m['accept-encoding']) && /br/.test(m['accept-encoding']), 'encodings of metadata')
  },

  'errors that deserve it are tried again': async () => {
    for (const status of [408, 425, 429, 500, 502, 503, 504]) {
      const route = `/status-once/${status}`
      const r = await fetchOne(route)
      same(r.first.body, 'hello', route)
      same(requests(route), 2, `requests for ${status}`)
    }
  },

  'and the others are not': async () => {
    for (const [status, exit] of [[400, 20], [401, 21], [403, 21], [404, 20], [410, 20], [418, 20], [501, 20], [505, 20]]) {
      const route = `/status/${status}`
      const r = await fetchOne(route)
      same(r.first.status, status, 'status')
      same(r.first.exit, exit, `exit status for ${status}`)
      same(requests(route), 1, `requests for ${status}`)
      check(r.first.what.includes(String(status)), r.first.what)
      same(r.first.where, server.url + route, 'where')
    }
  },

  'tries end': async () => {
    const r = await fetchOne('/status/503', '--retries=2')
    same(r.first.exit, 20, 'exit status')
    same(requests('/status/503'), 3, 'requests')
    check(r.first.what.includes('3 tries'), r.first.what)
  },

  'a long error page is not read to its end': async () => {
    same((await fetchOne('/big-error')).first.status, 404, 'status')
  },

  'Retry-After in seconds and as a date': async () => {
    const [a, b] = await Promise.all([fetchOne('/retry-seconds'), fetchOne('/retry-date')])
    same(a.first.body, 'hello', 'seconds')
    check(a.ms >= 2000, `came back after ${a.ms} ms`)
    same(b.first.body, 'hello', 'date')
    check(b.ms >= 1900, `came back after ${b.ms} ms`)
  },

  'a Retry-After beyond the time there is fails at once': async () => {
    const r = await fetchOne('/retry-hour', '--total=5')
    same(r.first.exit, 20, 'exit status')
    same(requests('/retry-hour'), 1, 'requests')
    check(r.ms < 4000, `took ${r.ms} ms`)
  },

  'a cut transfer is resumed under its ETag': async () => {
    const r = await fetchOne('/cut-once')
    same(r.first.body, BIG.toString(), 'body')
    same(r.first.status, 200, 'status')
    const second = server.of('/cut-once')[1].headers
    check(/^bytes=[1-9]\d+-$/.test(second.range), `range ${second.range}`)
    same(second['if-range'], '"v1"', 'if-range')
  },

  'or under its date, when the ETag is a weak one': async () => {
    const r = await fetchOne('/cut-dated')
    same(r.first.body, BIG.toString(), 'body')
    check(server.of('/cut-dated')[1].headers.range, 'no range was asked for')
  },

  'what changed meanwhile is fetched whole': async () => {
    const r = await fetchOne('/cut-changed')
    same(r.first.body, Buffer.alloc(BIG.length, 'new').toString(), 'body')
  },

  'what has no ETag is fetched whole': async () => {
    for (const route of ['/cut-untagged', '/cut-chunked']) {
      const r = await fetchOne(route)
      same(r.first.body, BIG.toString(), route)
      same(server.of(route)[1].headers.range, undefined, 'range')
    }
  },

  'resuming survives an error page and a 416': async () => {
    for (const route of ['/cut-then-503', '/cut-then-416']) {
      const r = await fetchOne(route)
      same(r.first.body, BIG.toString(), route)
      same(requests(route), 3, 'requests')
    }
  },

  'parts that were not asked for are refused': async () => {
    same((await fetchOne('/cut-wrong-part')).first.exit, 20, 'another part')
    same((await fetchOne('/unasked-part')).first.exit, 20, 'a part of nothing')
  },

  'a transfer that is always cut fails': async () => {
    const r = await fetchOne('/cut-always', '--retries=1')
    same(r.first.exit, 20, 'exit status')
    same(requests('/cut-always'), 2, 'requests')
  },

  'a connection closed without an answer is tried again': async () => {
    same((await fetchOne('/hangup')).first.body, 'hello', 'body')
  },

  'a refused connection and an unknown name': async () => {
    const r = await fetchAll(['--retries=1', 'http://127.0.0.1:9/x', 'http://name.invalid/x'])
    for (const one of r.all) {
      same(one.exit, 20, 'exit status')
      check(one.what.includes('2 tries') && one.hint, one.what)
    }
  },

  'a stalled transfer is given up and tried again': async () => {
    const r = await fetchOne('/stall', '--stall=1')
    same(r.first.body, 'hello', 'body')
    check(r.ms >= 900, `took ${r.ms} ms`)
  },

  'the time for one request ends': async () => {
    for (const route of ['/drip', '/silent']) {
      const r = await fetchOne(route, '--total=1')
      same(r.first.exit, 20, route)
      check(r.ms < 6000, `took ${r.ms} ms`)
    }
  },

  'redirects are followed, ten at the most': async () => {
    same((await fetchOne('/hops/10')).first.body, 'hello', 'ten')
    const r = await fetchOne('/hops/11')
    same(r.first.exit, 20, 'eleven')
    check(r.first.what.includes('redirects'), r.first.what)
    same((await fetchOne('/loop/0')).first.exit, 20, 'a loop')
    same((await fetchOne('/nowhere')).first.exit, 20, 'one without a target')
  },

  'a token goes to its host and path': async () => {
    const rc = npmrc(`${host(server)}/echo/:_authToken=tok-secret-1\n`)
    const inside = await fetchOne('/echo/x', rc)
    same(JSON.parse(inside.first.body).authorization, 'Bearer tok-secret-1', 'inside')
    const outside = await fetchOne('/echo', rc)
    same(JSON.parse(outside.first.body).authorization, undefined, 'outside')
    const elsewhere = await fetchOne(other.url + '/echo/x', rc)
    same(JSON.parse(elsewhere.first.body).authorization, undefined, 'another port')
  },

  'and never across a redirect to another origin': async () => {
    const rc = npmrc(`${host(server)}/:_authToken=tok-secret-1\n${host(other)}/:_authToken=tok-secret-2\n`)
    const within = await fetchOne('/to/' + encodeURIComponent('/echo'), rc)
    same(JSON.parse(within.first.body).authorization, 'Bearer tok-secret-1', 'the same origin')
    const across = await fetchOne('/to/' + encodeURIComponent(other.url + '/echo'), rc)
    same(JSON.parse(across.first.body).authorization, undefined, 'another origin')
    const back = other.url + '/to/' + encodeURIComponent(server.url + '/echo')
    const there = await fetchOne('/to/' + encodeURIComponent(back), rc)
    same(JSON.parse(there.first.body).authorization, undefined, 'there and back')
  },

  'redirects to other schemes and to credentials are refused': async () => {
    for (const to of ['file:///etc/passwd', 'ftp://127.0.0.1/x', 'http://user:p@127.0.0.1/x', 'gopher://127.0.0.1/', 'http://127.0.0.1:99999/', 'data:,x']) {
      const r = await fetchOne('/to/' + encodeURIComponent(to))
      same(r.first.exit, 20, to)
      check(!r.text.includes('user:p@'), 'credentials in the message')
    }
  },

  'a refused token is not in the message': async () => {
    const rc = npmrc(`${host(server)}/:_authToken=tok-secret-1\n`)
    const r = await fetchOne('/status/401', rc)
    same(r.first.exit, 21, 'exit status')
    check(r.first.hint.includes('renew'), r.first.hint)
    check(!r.text.includes('tok-secret-1'), 'the token is in the output')
    const without = await fetchOne('/status/403')
    check(without.first.hint.includes('_authToken'), without.first.hint)
    const asked = await fetchOne(`http://user:tok-secret-3@127.0.0.1:${server.port}/ok?sig=tok-secret-4`)
    same(asked.first.exit, 40, 'a URL with credentials')
    check(!asked.first.what.includes('secret') && !asked.first.where.includes('secret'), asked.first.where)
  },

  'what is larger than allowed is refused while it comes': async () => {
    for (const route of ['/big', '/chunked', '/claims-huge']) {
      const r = await fetchOne(route, '--max=100000')
      same(r.first.exit, 1, route)
      check(r.first.what.includes('100000'), r.first.what)
      same(requests(route), 1, 'requests')
      check(r.stats.bytes < 1000000, `${r.stats.bytes} bytes were taken`)
    }
    same((await fetchOne('/big', `--max=${BIG.length}`)).first.bytes, BIG.length, 'exactly as large')
  },

  'a bomb of an encoding is refused as it swells': async () => {
    const r = await fetchOne('/bomb', '--metadata', '--max=1000000')
    same(r.first.exit, 1, 'exit status')
    check(r.stats.bytes < 2000000, `${r.stats.bytes} bytes were taken`)
  },

  'encodings of metadata': async () => {
    for (const route of ['/gzip', '/br', '/deflate']) {
      const r = await fetchOne(route, '--metadata')
      same(r.first.body, BIG.toString(), route)
    }
    for (const route of ['/bad-gzip', '/many-encodings']) {
      const r = await fetchOne(route, '--metadata', '--retries=1')
      same(r.first.exit, 20, route)
    }
    // libcurl does not tell that the end is missing: what parses the document does
    const cut = (await fetchOne('/cut-gzip', '--metadata')).first
    check(cut.exit === 20 || BIG.toString().startsWith(cut.body), 'a cut document')
    check((await fetchOne('/gzip')).first.bytes < 10000, 'an archive stays as it was sent')
  },

  'lengths that lie': async () => {
    same((await fetchOne('/claims-more', '--retries=1')).first.exit, 20, 'more than comes')
    same((await fetchOne('/claims-less')).first.body, 'he', 'less than comes')
    const twice = (await fetchOne('/claims-twice', '--retries=0')).first
    check(twice.exit === 20 || twice.body === 'hello', 'two lengths')
  },

  'an unchanged document': async () => {
    const r = await fetchOne('/tagged', '--metadata', '--etag="v1"')
    same(r.first.status, 304, 'status')
    same(r.first.bytes, 0, 'bytes')
    const changed = await fetchOne('/tagged', '--metadata', '--etag="v0"')
    same(changed.first.body, 'hello', 'changed')
    same(changed.first.etag, '"v1"', 'etag')
    same((await fetchOne('/unasked-304')).first.exit, 20, 'a 304 that was not asked for')
    check((await fetchOne('/tagged', '--etag=x\r\nInjected: 1')).first.exit !== 0, 'a tag with a line break')
    check(!server.requests.some(q => q.headers.injected), 'a header was injected')
  },

  'malformed answers are errors and nothing more': async () => {
    for (const route of ['/garbage', '/no-version', '/bad-status', '/bad-chunk', '/long-header', '/many-headers']) {
      const r = await fetchOne(route, '--retries=1')
      same(r.first.exit, 20, route)
    }
    same((await fetchOne('/long-etag')).first.etag, null, 'an ETag of 20 kB')
    const r = await fetchOne('/escapes')
    same(r.first.exit, 20, 'escapes')
    check(!/[\x00-\x09\x0b-\x1f\x7f]|\\u001b/.test(r.text), 'control characters in the message')
  },

  'URLs that are refused unsent': async () => {
    const r = await fetchAll(['ftp://127.0.0.1/', 'file:///etc/passwd', '', 'x', 'https://h\\@evil/', 'https://a b/', '--', '--help'])
    for (const one of r.all) same(one.exit, 40, one.url)
  },

  'offline asks nobody': async () => {
    const before = server.requests.length
    const r = await fetchOne('/ok', '--offline')
    same(r.first.exit, 20, 'exit status')
    check(r.first.hint.includes('--offline'), r.first.hint)
    same(server.requests.length, before, 'requests')
  },

  'no more at once than allowed, on connections that are used again': async () => {
    const urls = Array.from({ length: 40 }, (_, i) => `${server.url}/slow?${i}`)
    const connections = server.connections()
    server.most = 0
    const r = await fetchAll(['--concurrency=5', ...urls])
    same(r.all.filter(one => one.exit === 0).length, 40, 'answers')
    same(server.most, 5, 'at once')
    check(server.connections() - connections <= 5, `${server.connections() - connections} connections`)
    server.most = 0
    await fetchAll(['--per-host=3', ...urls])
    check(server.most <= 3, `${server.most} at once to one host`)
  },

  'the more important go first': async () => {
    const urls = [1, 2, 3, 4].map(i => `${server.url}/ok?${i}`)
    const order = async (...args) => (await fetchAll(['--concurrency=1', ...args, ...urls])).all.map(one => one.url.slice(-1)).join('')
    same(await order(), '1234', 'in order')
    same(await order('--reverse'), '4321', 'by priority')
  },

  'a fetcher can be freed at any time': async () => {
    const urls = ['/ok', '/slow?1', '/silent', '/status/503', '/slow?2', '/drip', '/cut-once'].map(u => server.url + u)
    for (let n = 1; n <= 4; n++) {
      const r = await fetchAll([`--abandon=${n}`, '--concurrency=6', ...urls])
      same(r.all.length >= n, true, 'answers')
    }
  },

  'a proxy, with a password': async () => {
    const proxy = await proxyServer('user:pw-secret')
    const rc = npmrc(`proxy=http://user:pw-secret@127.0.0.1:${proxy.port}/\n`)
    same((await fetchOne('/ok', rc)).first.body, 'hello', 'through the proxy')
    same(proxy.requests.length, 1, 'requests at the proxy')
    const wrong = await fetchOne('/ok', npmrc(`proxy=http://user:pw-wrong@127.0.0.1:${proxy.port}/\n`))
    same(wrong.first.exit, 21, 'a wrong password')
    check(!wrong.text.includes('pw-wrong'), 'the password is in the output')
    const around = await fetchOne('/ok', npmrc(`proxy=http://127.0.0.1:${proxy.port}/\nnoproxy=127.0.0.1\n`))
    same(around.first.body, 'hello', 'around the proxy')
    same(proxy.requests.length, 2, 'requests at the proxy')
    const unread = await fetchAll([server.url + '/ok'], { http_proxy: 'http://127.0.0.1:9/' })
    same(unread.first.body, 'hello', 'the environment is read by the credentials alone')
    proxy.close()
  }
}

// TLS and HTTP/2, with an authority made for the occasion.

function openssl (...args) {
  execFileSync('openssl', args, { cwd: scratch, stdio: 'ignore' })
}

function makeCertificates () {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key',
    '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority')
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem', '-out', 'csr.pem',
    '-subj', '/CN=localhost')
  fs.writeFileSync(path.join(scratch, 'ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  openssl('x509', '-req', '-in', 'csr.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'cert.pem',
    '-days', '2', '-extfile', 'ext')
}

async function tlsServer () {
  const seen = listener()
  const server2 = http2.createSecureServer({
    key: fs.readFileSync(path.join(scratch, 'key.pem')), cert: fs.readFileSync(path.join(scratch, 'cert.pem')), allowHTTP1: true
  })
  const sessions = new Set()
  const misbehaved = new Set()
  let connections = 0
  const once = url => !misbehaved.has(url) && misbehaved.add(url)
  server2.on('secureConnection', () => connections++)
  server2.on('session', s => { sessions.add(s); s.on('close', () => sessions.delete(s)); s.on('error', () => {}) })
  server2.on('sessionError', () => {})
  server2.on('request', (req, res) => {
    if (res.stream) res.stream.on('error', () => {})
    if (req.url === '/again/reset' && once(req.url)) return res.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
    if (req.url === '/again/destroy' && once(req.url)) return res.stream.session.destroy()
    if (req.url === '/again/goaway' && once(req.url)) { res.stream.session.goaway(); return res.end('hello') }
    if (req.url === '/again/half' && once(req.url)) {
      res.writeHead(200, { 'content-length': 10 })
      res.write('x')
      return setTimeout(() => res.stream.close(http2.constants.NGHTTP2_CANCEL), 50)
    }
    seen.listener(req, res)
  })
  const port = await listen(server2)
  return Object.assign(seen, {
    port, url: `https://localhost:${port}`, connections: () => connections,
    close: () => { for (const s of sessions) s.destroy(); server2.close() }
  })
}

let tls
const tlsCases = {
  'HTTP/2 carries many requests on one connection': async () => {
    const urls = Array.from({ length: 60 }, (_, i) => `${tls.url}/slow?${i}`)
    const before = tls.connections()
    const r = await fetchAll([npmrc('cafile=~/ca.pem\n'), ...urls])
    same(r.all.filter(one => one.exit === 0).length, 60, 'answers')
    same(tls.connections() - before, 1, 'connections')
    check(r.ms < 4000, `took ${r.ms} ms`)
  },

  'HTTP/1.1 over TLS, where that is asked for': async () => {
    const urls = Array.from({ length: 8 }, (_, i) => `${tls.url}/slow?${i}`)
    const before = tls.connections()
    const r = await fetchAll([npmrc('cafile=~/ca.pem\n'), '--http1', '--per-host=4', ...urls])
    same(r.all.filter(one => one.exit === 0).length, 8, 'answers')
    same(tls.connections() - before, 4, 'connections')
  },

  'broken streams and connections are tried again': async () => {
    for (const route of ['/again/reset', '/again/destroy', '/again/goaway', '/again/half', '/status-once/503']) {
      const r = await fetchOne(tls.url + route, npmrc('cafile=~/ca.pem\n'))
      check(r.first.exit === 0, `${route}: ${r.first.what}`)
    }
  },

  'large bodies over HTTP/2': async () => {
    const urls = Array.from({ length: 20 }, (_, i) => `${tls.url}/big?${i}`)
    const r = await fetchAll([npmrc('cafile=~/ca.pem\n'), ...urls])
    for (const one of r.all) same(one.body, BIG.toString(), 'body')
  },

  'an unknown authority is refused at once': async () => {
    const before = tls.requests.length
    const r = await fetchOne(tls.url + '/ok')
    same(r.first.exit, 20, 'exit status')
    check(r.first.hint.includes('cafile'), r.first.hint)
    same(tls.requests.length, before, 'requests')
    same(r.stats.retries, 0, 'retries')
  },

  'authorities of .npmrc': async () => {
    const pem = fs.readFileSync(path.join(scratch, 'ca.pem'), 'utf8')
    const inline = `ca="${pem.trim().replace(/\n/g, '\\n')}"\n`
    same((await fetchOne(tls.url + '/ok', npmrc(inline))).first.body, 'hello', 'ca')
    same((await fetchOne(tls.url + '/ok', npmrc('strict-ssl=false\n'))).first.body, 'hello', 'strict-ssl=false')
    same((await fetchOne(tls.url + '/ok', npmrc('cafile=/nonexistent\n'))).first.exit, 20, 'a cafile that is not there')
    const name = await fetchOne(tls.url.replace('localhost', '127.0.0.2') + '/ok', npmrc('cafile=~/ca.pem\n'))
    same(name.first.exit, 20, 'another name')
  },

  'no way back from https to http': async () => {
    const r = await fetchOne(tls.url + '/to/' + encodeURIComponent(server.url + '/ok'), npmrc('cafile=~/ca.pem\n'))
    same(r.first.exit, 20, 'exit status')
    check(r.first.what.includes('https to http'), r.first.what)
    const up = await fetchOne('/to/' + encodeURIComponent(tls.url + '/ok'), npmrc('cafile=~/ca.pem\n'))
    same(up.first.body, 'hello', 'from http to https')
  },

  'a tunnel through a proxy': async () => {
    const proxy = await proxyServer('user:pw-secret')
    const rc = npmrc(`cafile=~/ca.pem\nhttps-proxy=http://user:pw-secret@127.0.0.1:${proxy.port}/\nnoproxy=\n`)
    same((await fetchOne(tls.url + '/ok', rc)).first.body, 'hello', 'body')
    same(proxy.tunnels.length, 1, 'tunnels')
    const wrong = await fetchOne(tls.url + '/ok', '--retries=0', npmrc(`https-proxy=http://user:pw-wrong@127.0.0.1:${proxy.port}/\n`))
    same(wrong.first.exit, 21, 'a wrong password')
    check(!wrong.text.includes('pw-wrong'), 'the password is in the output')
    proxy.close()
  }
}

let tests = 0
async function run (all, wants, backend, skip) {
  for (const [name, fn] of Object.entries(all)) {
    if (!name.includes(wants)) continue
    const line = `${++tests} - ${name} (${backend})`
    if (skip) { console.log(`ok ${line} # SKIP ${skip}`); continue }
    server = await badServer()
    other = await badServer()
    try {
      await fn()
      console.log(`ok ${line}`)
    } catch (e) {
      console.log(`not ok ${line}\n# ${e.message.slice(0, 2000).replace(/\n/g, '\n# ')}`)
      process.exitCode = 1
    }
    server.close()
    other.close()
  }
}

async function main () {
  const wants = process.argv[2] || ''
  let noTls = ''
  try {
    makeCertificates()
    tls = await tlsServer()
  } catch (e) {
    noTls = `openssl cannot make certificates: ${e.message}`
  }
  for (const [backend, under] of [['io_uring', []], ['no io_uring', [path.join(build, 'test/no-uring')]]]) {
    wrapper = under
    await run(cases, wants, backend)
    if (tls) { tls.close(); tls = await tlsServer() }
    await run(tlsCases, wants, backend, noTls)
  }
  if (tls) tls.close()
  fs.rmSync(scratch, { recursive: true })
  console.log(`1..${tests}`)
}

main().then(() => process.exit())
