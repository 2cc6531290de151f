#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: slow timeout=600
// A registry that lies, fails and attacks. Each refusal has its exit status, a sentence that names the
// thing and its place, and a next step where there is one; no token is ever shown or kept, and what a
// person wrote is never lost. Prints TAP. An argument runs only the cases whose name contains it.
'use strict'

const { once } = require('events')
const fs = require('fs')
const path = require('path')
const zlib = require('zlib')
const { Registry, Person, runCases, check, expect, below, tarball, sri, sha1 } = require('../lib/registry.js')

const person = new Person('registry')
const TOKEN = 'npm_tokenThatNobodyMaySee0123456789'
let r, other	// two registries: two origins

const toml = (deps, rest = '') =>
  `# mine\n[package]\nname = "app"\n\n[dependencies.npm]\n${Object.entries(deps).map(([k, v]) => `"${k}" = "${v}"\n`).join('')}${rest}`
// Both are named, for a port that nothing names is not connected to.
const npmrc = (more = '') => `registry=${r.url}\n@files:registry=${other.url}\n//127.0.0.1:${r.port}/:_authToken=\${TOKEN}\n${more}`

function project (deps, rest, rc) {
  return person.project({ 'cratons.toml': toml(deps, rest), '.npmrc': rc || npmrc() })
}

const run = (dir, ...args) => person.cratons(dir, args, { env: { TOKEN } })
const again = (dir, home, ...args) => person.cratons(dir, args, { env: { TOKEN }, home })
const install = (...p) => run(project(...p), 'install')
const read = (dir, f) => fs.readFileSync(path.join(dir, f), 'utf8')
const has = (dir, f) => fs.existsSync(path.join(dir, f))

// Until the reader has taken what was written, or has gone.
const room = res => Promise.race([once(res, 'drain'), res.gone ||= once(res, 'close')])

// Of two answers to one path, the first n times the one.
const first = (n, one, two) => (req, res, k) => k < n ? one(req, res) : two(req, res)
const status = (code, headers = {}) => (req, res) => { res.writeHead(code, headers); res.end('{"error":"said the registry"}') }

const integrity = {
  'an honest package is installed': async () => {
    r.add('honest', '1.0.0')
    const dir = project({ honest: '^1.0.0' })
    expect(await run(dir, 'install'), 0)
    check(read(dir, 'cratons.lock').includes('id = "npm:honest@1.0.0"'), 'lockfile')
    const asked = r.asked('/honest')[0]
    check(asked.headers.authorization === `Bearer ${TOKEN}`, 'the token goes to its registry')
  },

  'changed bytes under a good name': async () => {
    const { at, said } = r.add('changed', '1.0.0')
    r.archives.set(at, tarball('changed', '1.0.0', { scripts: { install: 'evil' } }))
    expect(await install({ changed: '1' }), 11, 'npm:changed@1.0.0', said.dist.tarball, sri(r.archives.get(at)), said.dist.integrity, 'nothing of them was unpacked')
  },

  // The newest is fetched while another package's metadata is awaited, and then is not what is chosen.
  'a guess at what will be needed is fetched early, and missed by nobody': async () => {
    const near = r.add('guess-near', '1.0.0')
    const newest = r.add('guess-near', '1.1.0', { dist: { integrity: sri(Buffer.from('other')) } })
    r.add('guess-far', '1.0.0', { more: { dependencies: { 'guess-near': '^1.0.0' } } })
    const slow = r.add('guess-slow', '1.0.0')
    r.routes.set('/guess-slow', async (req, res) => {
      for (let i = 0; i < 200 && !r.asked(newest.at).length; i++) await new Promise(resolve => setTimeout(resolve, 10))
      res.end(JSON.stringify(slow.packument))
    })
    const dir = project({ 'guess-far': '1', 'guess-near': '1.0.0', 'guess-slow': '1' })
    expect(await run(dir, 'install'), 0)
    check(r.asked(newest.at).length === 1, 'it was not guessed')
    check(r.asked(near.at).length === 1, `it was asked for ${r.asked(near.at).length} times`)
    check(!read(dir, 'cratons.lock').includes('guess-near@1.1.0'), 'lockfile')
  },

  // Unpacked before anybody asked: the two that differ in their peers are that one archive.
  'a guess that is needed twice': async () => {
    r.add('twice-peer', '1.0.0')
    r.add('twice-peer', '2.0.0')
    const plugin = r.add('twice-plugin', '1.0.0', { more: { peerDependencies: { 'twice-peer': '*' } } })
    for (const v of ['1', '2']) r.add(`twice-${v}`, '1.0.0', { more: { dependencies: { 'twice-peer': v, 'twice-plugin': '1' } } })
    const slow = r.add('twice-slow', '1.0.0')
    r.routes.set('/twice-slow', async (req, res) => {
      for (let i = 0; i < 200 && !r.asked(plugin.at).length; i++) await new Promise(resolve => setTimeout(resolve, 10))
      await new Promise(resolve => setTimeout(resolve, 500))
      res.end(JSON.stringify(slow.packument))
    })
    const dir = project({ 'twice-1': '1', 'twice-2': '1', 'twice-slow': '1' })
    expect(await run(dir, 'install'), 0)
    check(r.asked(plugin.at).length === 1, `it was asked for ${r.asked(plugin.at).length} times`)
    const trees = read(dir, 'cratons.lock').match(/id = "npm:twice-plugin@.*\n(.*\n)*?tree = ".*"/g)
    check(trees && trees.length === 2, 'two copies, each with its tree')
  },

  'another package\'s archive under its name': async () => {
    const a = r.add('swapped', '1.0.0')
    const b = r.add('swapped-with', '1.0.0')
    r.archives.set(a.at, b.bytes)
    expect(await install({ swapped: '1' }), 11, 'npm:swapped@1.0.0')
    // … and with the hash to go with it, which only a registry can do.
    a.said.dist.integrity = sri(b.bytes)
    expect(await install({ swapped: '1' }), 11, 'npm:swapped@1.0.0', "holds a package named 'swapped-with'")
  },

  'manifest confusion: package.json says another version': async () => {
    const a = r.add('confused', '1.0.0')
    const bytes = tarball('confused', '6.6.6')
    r.archives.set(a.at, bytes)
    a.said.dist.integrity = sri(bytes)
    expect(await install({ confused: '1' }), 11, 'npm:confused@1.0.0', "version '6.6.6'", a.said.dist.tarball)
  },

  'only SHA-1: taken with a warning': async () => {
    r.add('weak', '1.0.0', { dist: { integrity: undefined } })
    const dir = project({ weak: '1' })
    expect(await run(dir, 'install'), 0, 'npm:weak@1.0.0', 'SHA-1')
    check(/integrity = "sha1-/.test(read(dir, 'cratons.lock')), 'lockfile')
  },

  'only SHA-1, and it is wrong': async () => {
    const a = r.add('weak-wrong', '1.0.0', { dist: { integrity: undefined } })
    r.archives.set(a.at, tarball('weak-wrong', '1.0.0', { x: 1 }))
    expect(await install({ 'weak-wrong': '1' }), 11, 'npm:weak-wrong@1.0.0')
  },

  'a strong hash that is wrong beside a weak one that is right': async () => {
    const a = r.add('mixed', '1.0.0')
    a.said.dist.integrity = `sha1-${Buffer.from(sha1(a.bytes), 'hex').toString('base64')} ${sri(Buffer.from('other'))}`
    expect(await install({ mixed: '1' }), 11, 'npm:mixed@1.0.0')
  },

  'no hash: refused without an allowance, taken with one': async () => {
    r.add('bare', '1.0.0', { dist: { integrity: undefined, shasum: undefined } })
    const dir = project({ bare: '1' })
    expect(await run(dir, 'install'), 11, 'npm:bare@1.0.0', 'allow-missing-integrity')
    check(!has(dir, 'cratons.lock'), 'a lockfile was left')
    const allowed = project({ bare: '1' }, '[install]\nallow-missing-integrity = true\n')
    expect(await run(allowed, 'install'), 0)
    check(/tree = "blake3:/.test(read(allowed, 'cratons.lock')), read(allowed, 'cratons.lock'))
    expect(await run(allowed, 'install', '--frozen'), 0)
    // From then on its tree is what pins it.
    r.archives.set('/bare/-/bare-1.0.0.tgz', tarball('bare', '1.0.0', { changed: true }))
    expect(await run(allowed, 'install', '--frozen'), 11, 'npm:bare@1.0.0', 'tree')
  },

  'a hash of an unknown kind counts as none': async () => {
    r.add('odd-hash', '1.0.0', { dist: { integrity: 'md5-AAAAAAAAAAAAAAAAAAAAAA==', shasum: undefined } })
    expect(await install({ 'odd-hash': '1' }), 11, 'npm:odd-hash@1.0.0')
  },

  'a version that was republished': async () => {
    const a = r.add('again', '1.0.0')
    const dir = project({ again: '1' })
    expect(await run(dir, 'install'), 0)
    const lock = read(dir, 'cratons.lock')
    const bytes = tarball('again', '1.0.0', { scripts: { postinstall: 'evil' } })
    r.archives.set(a.at, bytes)
    a.said.dist.integrity = sri(bytes)
    expect(await run(dir, 'install', '--frozen'), 11, 'npm:again@1.0.0', 'locked')
    expect(await run(dir, 'install'), 11, 'npm:again@1.0.0')
    check(read(dir, 'cratons.lock') === lock, 'the lockfile changed')
  },

  'a republished version is told when the graph is resolved again': async () => {
    const a = r.add('again-two', '1.0.0')
    r.add('again-more', '1.0.0')
    const dir = project({ 'again-two': '1' })
    expect(await run(dir, 'install'), 0)
    const lock = read(dir, 'cratons.lock')
    const bytes = tarball('again-two', '1.0.0', { scripts: { postinstall: 'evil' } })
    r.archives.set(a.at, bytes)
    a.said.dist.integrity = sri(bytes)
    const before = read(dir, 'cratons.toml')
    expect(await run(dir, 'add', 'again-more'), 11, 'npm:again-two@1.0.0', 'another integrity', 'nothing of them was unpacked')
    check(read(dir, 'cratons.lock') === lock && read(dir, 'cratons.toml') === before, 'a file changed')
  }
}

const origins = {
  'an archive from another origin: without the credentials': async () => {
    const a = r.add('elsewhere', '1.0.0')
    other.archives.set('/elsewhere.tgz', a.bytes)
    a.said.dist.tarball = other.url + 'elsewhere.tgz'
    expect(await install({ elsewhere: '1' }), 0)
    check(other.asked('/elsewhere.tgz')[0].headers.authorization === undefined, 'the token went to another origin')
  },

  'a lockfile that leads to another origin: refused before anything is asked': async () => {
    const a = r.add('led-away', '1.0.0')
    const dir = project({ 'led-away': '1' })
    expect(await run(dir, 'install'), 0)
    const lock = read(dir, 'cratons.lock')
    const edited = lock.replace(a.said.dist.tarball, other.url + 'led-away.tgz')
    check(edited !== lock, lock)
    other.archives.set('/led-away.tgz', a.bytes)
    fs.writeFileSync(path.join(dir, 'cratons.lock'), edited)
    for (const how of [['--frozen'], []]) {
      expect(await run(dir, 'install', ...how), 13, 'npm:led-away@1.0.0', other.url, r.url, 'cratons.lock:', 'allow-hosts', 'cratons update')
    }
    check(other.asked('/led-away.tgz').length === 0, 'it was asked for')
    check(read(dir, 'cratons.lock') === edited, 'the lockfile was changed')
    // What it says can be done.
    const manifest = read(dir, 'cratons.toml')
    fs.writeFileSync(path.join(dir, 'cratons.toml'), manifest + `[install]\nallow-hosts = ["127.0.0.1:${other.port}"]\n`)
    expect(await run(dir, 'install', '--frozen'), 0)
    check(other.asked('/led-away.tgz').length === 1, 'it was not asked for')
    fs.writeFileSync(path.join(dir, 'cratons.toml'), manifest + '[install]\nallow-hosts = ["127.0.0.1"]\n')
    expect(await run(dir, 'install', '--frozen'), 13, 'npm:led-away@1.0.0')
    expect(await run(dir, 'update'), 0)
    check(read(dir, 'cratons.lock') === lock, 'update does not lead back')
  },

  'a lockfile that takes a scope\'s package from the public registry: refused': async () => {
    const a = r.add('@own/lib', '1.0.0')
    const dir = project({ '@own/lib': '1' }, '', npmrc())
    expect(await run(dir, 'install'), 0)
    fs.writeFileSync(path.join(dir, '.npmrc'), npmrc(`@own:registry=${other.url}\n`))
    expect(await run(dir, 'install', '--frozen'), 13, 'npm:@own/lib@1.0.0', a.said.dist.tarball, other.url)
  },

  'the registry\'s metadata and the project\'s own tarballs may name another origin': async () => {
    for (const name of ['cdn-one', 'cdn-two']) {
      const a = r.add(name, '1.0.0')
      other.archives.set(`/${name}.tgz`, a.bytes)
      a.said.dist.tarball = `${other.url}${name}.tgz`
    }
    const dir = project({ 'cdn-one': '1', 'cdn-two': '1' })
    const out = await run(dir, 'install')
    expect(out, 0, 'npm:cdn-one@1.0.0', '127.0.0.1', `allow-hosts = ["127.0.0.1:${other.port}"]`)
    check(!out.text.includes('cdn-two@1.0.0 comes'), 'each host is named once')
    expect(await run(dir, 'install', '--frozen'), 13, 'npm:cdn-one@1.0.0')
    const own = r.add('own-tarball', '1.0.0')
    other.archives.set('/own-tarball.tgz', own.bytes)
    const mine = project({}, `own-tarball = { url = "${other.url}own-tarball.tgz", integrity = "${sri(own.bytes)}" }\n`)
    expect(await run(mine, 'install'), 0)
    expect(await run(mine, 'install', '--frozen'), 0)
    // An archive that may call itself what it likes is one that the manifest names, and nothing else.
    fs.writeFileSync(path.join(mine, 'cratons.lock'), read(mine, 'cratons.lock').replaceAll(`${other.url}own-tarball.tgz`, `${r.url}own-tarball/-/own-tarball-1.0.0.tgz`))
    expect(await run(mine, 'install', '--frozen'), 13, 'npm:own-tarball@0.0.0-url-')
  },

  'a redirect to another origin: without the credentials': async () => {
    const a = r.add('moved', '1.0.0')
    other.archives.set('/moved.tgz', a.bytes)
    r.routes.set(a.at, (req, res) => { res.writeHead(302, { location: other.url + 'moved.tgz' }); res.end() })
    r.routes.set('/moved', (req, res) => { res.writeHead(302, { location: other.url + 'moved' }); res.end() })
    other.packages.set('moved', a.packument)
    expect(await install({ moved: '1' }), 0)
    for (const at of ['/moved.tgz', '/moved']) {
      check(other.asked(at)[0].headers.authorization === undefined, `the token went along to ${at}`)
    }
  },

  'a redirect that wants the credentials it does not get': async () => {
    r.routes.set('/wanting', (req, res) => { res.writeHead(307, { location: other.url + 'wanting' }); res.end() })
    other.routes.set('/wanting', status(401))
    expect(await install({ wanting: '1' }), 21, '401', 'redirect', `${r.url}wanting`)
  },

  'a redirect to a file, a socket, another scheme': async () => {
    for (const to of ['file:///etc/passwd', 'gopher://127.0.0.1/', 'ftp://127.0.0.1/x', 'dict://127.0.0.1:11/']) {
      r.routes.set('/schemes', (req, res) => { res.writeHead(302, { location: to }); res.end() })
      expect(await install({ schemes: '1' }), 20, 'schemes')
    }
  },

  'an archive at a place that is no http URL': async () => {
    for (const to of ['file:///etc/passwd', '/etc/passwd', 'javascript:x', 'http://user:password@127.0.0.1/x.tgz', '', 1]) {
      r.add('nowhere', '1.0.0', { dist: { tarball: to } })
      const out = await install({ nowhere: '1' })
      expect(out, 12, 'nowhere')
      check(!out.text.includes('password@'), out.text)
    }
  },

  'a project\'s .npmrc gets no secret of the environment': async () => {
    // Somebody else's project, which names the attacker's registry and a variable of the person's.
    const rc = `registry=${r.url}\u0024{SECRET}/\n`
    const dir = person.project({ 'cratons.toml': toml({ any: '1' }), '.npmrc': rc })
    const out = await person.cratons(dir, ['install'], { env: { SECRET: 'hunter2-secret' } })
    check(out.status !== 0, out.text)
    check(!r.requests.some(q => q.url.includes('hunter2')), 'the secret was sent in a path')
    check(!out.text.includes('hunter2-secret'), out.text)
  }
}

const metadata = {
  'metadata of another package': async () => {
    const a = r.add('imposter', '1.0.0')
    r.routes.set('/victim', (req, res) => res.end(JSON.stringify(a.packument)))
    expect(await install({ victim: '1' }), 12, 'victim', "'imposter'", `${r.url}victim`)
  },

  'versions with names like paths and options are left out': async () => {
    const a = r.add('paths', '1.0.0')
    for (const v of ['../../../etc', '1.0.0/../../x', '-rf', '1.0.0\n', '2.0.0 -x', '\u001b[2J', '', '9'.repeat(5000), '2.0.0\0']) {
      a.packument.versions[v] = { ...a.said, version: v }
      a.packument['dist-tags'][v || 'empty'] = v
    }
    a.packument['dist-tags'].latest = '../../../etc'
    const dir = project({ paths: '>=0' })
    expect(await run(dir, 'install'), 0)
    check(/id = "npm:paths@1.0.0"/.test(read(dir, 'cratons.lock')), read(dir, 'cratons.lock'))
  },

  'dependencies with names like paths': async () => {
    for (const name of ['../../evil', '/etc/passwd', '.bin', 'node_modules', '@x/../y', 'a/b', '-rf', 'a\u001b[2Jb']) {
      r.add('bad-deps', '1.0.0', { meta: { dependencies: { [name]: '*' } } })
      expect(await install({ 'bad-deps': '1' }), 12, 'bad-deps')
    }
  },

  'commands with names and paths that leave': async () => {
    const bin = { '../../evil': 'index.js', '/abs': 'index.js', good: 'index.js', out: '../../../../etc/passwd', '.': 'index.js', '..': 'index.js', '-x': 'index.js', node_modules: 'index.js' }
    r.add('bins', '1.0.0', { more: { bin } })
    const dir = project({ bins: '1' })
    expect(await run(dir, 'install', '--materialize=copy'), 0)
    const there = fs.readdirSync(path.join(dir, 'node_modules/.bin'))
    for (const f of there) {
      const to = path.resolve(dir, 'node_modules/.bin', fs.readlinkSync(path.join(dir, 'node_modules/.bin', f)))
      check(to.startsWith(path.join(dir, 'node_modules') + '/'), `${f} leads to ${to}`)
    }
    check(there.includes('good') && !has(dir, 'evil') && !has(person.dir, 'evil'), there.join(' '))
  },

  'metadata that is not JSON, empty, another kind': async () => {
    for (const body of ['<html>login</html>', '', 'null', '[]', '"x"', '{}', '{"versions":[]}', '{"versions":{}}', '{"name":"not-json","versions":{"1.0.0":null}}', '{"versions":', '{"name":"not-json","versions":{"1.0.0":{"dist":{}}}}', '\xff\xfe']) {
      r.routes.set('/not-json', (req, res) => res.end(Buffer.from(body, 'latin1')))
      expect(await install({ 'not-json': '1' }), 12, 'not-json')
    }
  },

  'metadata nested a million deep': async () => {
    r.routes.set('/deep', (req, res) => res.end('{"name":"deep","versions":' + '{"1.0.0":'.repeat(1e6) + '1' + '}'.repeat(1e6) + '}'))
    expect(await install({ deep: '1' }), 12, 'deep', 'nested', `${r.url}deep`)
  },

  'metadata of ten million keys': async () => {
    r.routes.set('/keys', async (req, res) => {
      res.write('{"name":"keys","time":{"0":"x"')
      for (let i = 0; i < 100 && !res.destroyed; i++) {
        let part = ''
        for (let k = 0; k < 100000; k++) part += `,"${i * 100000 + k}":1`
        if (!res.write(part)) await room(res)
      }
      res.end('},"versions":{}}')
    })
    const out = await install({ keys: '1' })
    expect(out, 12, 'keys')
    below(out, 1500)
  },

  'more versions than can be': async () => {
    const v = { dist: { tarball: `${r.url}x.tgz`, integrity: sri(Buffer.alloc(0)) } }
    const text = JSON.stringify(v)
    r.routes.set('/versions', async (req, res) => {
      res.write('{"name":"versions","versions":{"0.0.0":' + text)
      for (let i = 0; i < 1100 && !res.destroyed; i++) {
        let part = ''
        for (let k = 0; k < 1000; k++) part += `,"0.${i}.${k + 1}":${text}`
        if (!res.write(part)) await room(res)
      }
      res.end('}}')
    })
    const out = await install({ versions: '1' })
    expect(out, 12, 'versions')
    below(out, 1500)
  },

  'a gigabyte of metadata': async () => {
    const part = Buffer.alloc(1 << 20, ' ')
    let sent = 0
    r.routes.set('/giga', async (req, res) => {
      for (sent = 0; sent < 1024 && !res.destroyed; sent++) {
        if (!res.write(part)) await room(res)
      }
      res.end()
    })
    const out = await install({ giga: '1' })
    expect(out, 12, `${r.url}giga`, 'larger than')
    below(out, 600)
    check(sent < 1000, 'it was read to its end')
  },

  'a gigabyte of metadata in a megabyte': async () => {
    const member = zlib.gzipSync(Buffer.alloc(64 << 20, ' '))
    r.routes.set('/giga-gzip', (req, res) => {
      res.writeHead(200, { 'content-encoding': 'gzip' })
      res.end(zlib.gzipSync(Buffer.alloc(1 << 30, ' '), { level: 1 }))
    })
    check(member.length > 0, '')
    const out = await install({ 'giga-gzip': '1' })
    expect(out, 12, `${r.url}giga-gzip`, 'larger than')
    below(out, 600)
  },

  'a length that lies, before a byte is read': async () => {
    r.routes.set('/claims', (req, res) => res.socket.end('HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{'))
    expect(await install({ claims: '1' }), 12, `${r.url}claims`, 'larger than')
  },

  'terminal escapes in what the registry says': async () => {
    r.add('escapes', '1.0.0', { meta: { deprecated: 'use \u001b[31mother\u001b]0;title\u0007 \u009b2J' } })
    const out = await install({ escapes: '1' })
    expect(out, 0, 'deprecated')
    check(!/[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f]/.test(out.text), JSON.stringify(out.text))
  },

  'a deprecated package is told with the registry\'s words': async () => {
    r.add('old-one', '1.0.0', { meta: { deprecated: 'use new-one' } })
    expect(await install({ 'old-one': '1' }), 0, 'old-one', 'use new-one')
  }
}

const failures = {
  'no such package': async () => {
    expect(await install({ 'does-not-exist': '1' }), 12, 'no package does-not-exist', `${r.url}does-not-exist`, 'spelling')
  },

  'no such version': async () => {
    r.add('few', '1.0.0')
    expect(await install({ few: '^9' }), 12, 'few', '^9')
  },

  'no such archive': async () => {
    const a = r.add('lost', '1.0.0')
    r.archives.delete(a.at)
    expect(await install({ lost: '1' }), 20, 'npm:lost@1.0.0', a.said.dist.tarball, '404')
  },

  'not allowed: 401 and 403': async () => {
    for (const code of [401, 403]) {
      r.routes.set('/private', status(code))
      expect(await install({ private: '1' }), 21, String(code), `${r.url}private`, 'renew')
      const out = await person.cratons(person.project({ 'cratons.toml': toml({ private: '1' }), '.npmrc': `registry=${r.url}\n` }), ['install'])
      expect(out, 21, String(code), '_authToken')
    }
  },

  'busy for a while: 429 and 503, then well': async () => {
    const a = r.add('busy', '1.0.0')
    r.routes.set('/busy', first(2, status(503), (req, res) => res.end(JSON.stringify(a.packument))))
    r.routes.set(a.at, first(1, status(429, { 'retry-after': '1' }), (req, res) => res.end(a.bytes)))
    expect(await install({ busy: '1' }), 0)
  },

  'broken for good: 500': async () => {
    r.routes.set('/broken', status(500))
    expect(await install({ broken: '1' }), 20, '500', `${r.url}broken`, 'try again')
  },

  'an archive that is cut, again and again': async () => {
    const a = r.add('cut', '1.0.0')
    r.routes.set(a.at, (req, res) => {
      res.writeHead(200, { 'content-length': a.bytes.length })
      res.write(a.bytes.subarray(0, 100), () => res.destroy())
    })
    expect(await install({ cut: '1' }), 20, 'npm:cut@1.0.0')
  },

  'an archive that is cut without a length': async () => {
    const a = r.add('short', '1.0.0')
    r.routes.set(a.at, (req, res) => res.socket.end(Buffer.concat([Buffer.from('HTTP/1.0 200 OK\r\n\r\n'), a.bytes.subarray(0, 100)])))
    expect(await install({ short: '1' }), 11, 'npm:short@1.0.0')
  },

  'no registry at all': async () => {
    const gone = await new Registry().listen()
    gone.close()
    const dir = person.project({ 'cratons.toml': toml({ any: '1' }), '.npmrc': `registry=${gone.url}\n` })
    expect(await run(dir, 'install'), 20, `${gone.url}any`)
  },

  'a failed add leaves the project as it was': async () => {
    r.add('fine', '1.0.0')
    const a = r.add('bad-add', '1.0.0')
    r.archives.set(a.at, Buffer.from('not what it was'))
    const dir = project({ fine: '1' })
    expect(await run(dir, 'install'), 0)
    const before = ['cratons.toml', 'cratons.lock'].map(f => read(dir, f))
    for (const [name, code] of [['bad-add', 11], ['does-not-exist', 12], ['broken', 20], ['private', 21]]) {
      expect(await run(dir, 'add', name), code, name)
      check(read(dir, 'cratons.toml') === before[0], `${name}: cratons.toml changed`)
      check(read(dir, 'cratons.lock') === before[1], `${name}: cratons.lock changed`)
    }
  },

  'a failed update leaves the project as it was': async () => {
    r.add('grows', '1.0.0')
    const dir = project({ grows: '^1' })
    expect(await run(dir, 'install'), 0)
    const lock = read(dir, 'cratons.lock')
    const a = r.add('grows', '1.1.0')
    r.archives.set(a.at, Buffer.from('not what it was'))
    expect(await run(dir, 'update'), 11, 'npm:grows@1.1.0')
    check(read(dir, 'cratons.lock') === lock, 'the lockfile changed')
  }
}

const ages = {
  'younger than minimum-age: an older one is taken': async () => {
    r.add('aged', '1.0.0')
    r.add('aged', '1.1.0', { time: new Date().toISOString() })
    const dir = project({ aged: '^1' }, '[install]\nminimum-age = "3d"\n')
    expect(await run(dir, 'install'), 0)
    check(read(dir, 'cratons.lock').includes('npm:aged@1.0.0'), read(dir, 'cratons.lock'))
  },

  'younger than minimum-age, and there is no older': async () => {
    r.add('newborn', '1.0.0', { time: new Date().toISOString() })
    expect(await install({ newborn: '1' }, '[install]\nminimum-age = "3d"\n'), 12, 'newborn', 'minimum-age')
  },

  'published in the future': async () => {
    r.add('future', '1.0.0', { time: '2999-01-01T00:00:00.000Z' })
    expect(await install({ future: '1' }, '[install]\nminimum-age = "3d"\n'), 12, 'future', 'minimum-age')
  },

  'without a time, or with nonsense for one': async () => {
    for (const time of [null, 'yesterday', '2020-13-45T99:00:00Z']) {
      r.packages.delete('timeless')
      r.add('timeless', '1.0.0', { time })
      expect(await install({ timeless: '1' }, '[install]\nminimum-age = "3d"\n'), 12, 'timeless', 'time')
      expect(await install({ timeless: '1' }, '[install]\nminimum-age = "3d"\nallow-missing-time = true\n'), 0)
    }
  }
}

const platforms = {
  'an optional dependency for another platform is left out': async () => {
    r.add('for-mars', '1.0.0', { more: { os: ['mars'] } })
    r.add('with-optional', '1.0.0', { more: { optionalDependencies: { 'for-mars': '1' } } })
    const dir = project({ 'with-optional': '1' })
    expect(await run(dir, 'install', '--materialize=copy'), 0)
    check(read(dir, 'cratons.lock').includes('npm:for-mars@1.0.0'), 'it is not locked for others')
    check(!r.requests.some(q => q.url.startsWith('/for-mars/-/')), 'its archive was fetched')
  },

  'a dependency for another platform that is not optional': async () => {
    r.add('for-mars-only', '1.0.0', { more: { os: ['mars'] } })
    expect(await install({ 'for-mars-only': '1' }), 11, 'for-mars-only', 'mars')
  },

  'an optional dependency that does not exist is left out': async () => {
    r.add('hopes', '1.0.0', { more: { optionalDependencies: { 'does-not-exist': '1' } } })
    expect(await install({ hopes: '1' }), 0)
  }
}

const secrets = {
  'a token in a registry\'s URL of a project is refused or hidden': async () => {
    const dir = person.project({ 'cratons.toml': toml({ any: '1' }), '.npmrc': `registry=http://user:${TOKEN}@127.0.0.1:${r.port}/\n` })
    const out = await run(dir, 'install')
    check(!out.text.includes(TOKEN), out.text)
  },

  'an answer that repeats the token does not bring it to the screen': async () => {
    r.routes.set('/echo', (req, res) => { res.writeHead(302, { location: `http://127.0.0.1:1/${encodeURIComponent(req.headers.authorization)}` }); res.end() })
    const out = await install({ echo: '1' })
    check(out.status === 20 && !out.text.includes(TOKEN), out.text)
    const a = r.add('echo-two', '1.0.0', { meta: { deprecated: `token ${TOKEN}` } })
    check(a, '')
  },

  'no token was ever printed or written': async () => {
    const out = []
    for (const args of [['-vv', 'install'], ['--json', 'install'], ['-vv', '--json', 'outdated'], ['config'], ['--json', 'config'], ['-vv', 'doctor']]) {
      const dir = project({ honest: '1' })
      await again(dir, 'shown', 'install')
      out.push((await again(dir, 'shown', ...args)).text)
    }
    for (const text of out) check(!text.includes(TOKEN), text)
    const files = person.filesWith(TOKEN)
    check(files.length === 0, files.join(' '))
  }
}

async function main () {
  r = await new Registry().listen()
  other = await new Registry().listen()
  await runCases({ ...integrity, ...origins, ...metadata, ...failures, ...ages, ...platforms, ...secrets })
  r.close()
  other.close()
}

main()
