// SPDX-License-Identifier: GPL-2.0-or-later
// An npm registry for tests that says and sends what it is told to, and a person's home and projects
// that use it. Everything is below one folder, which goes with the process.
'use strict'

const crypto = require('crypto')
const fs = require('fs')
const http = require('http')
const os = require('os')
const path = require('path')
const { spawn } = require('child_process')
const tar = require('./tar.js')

const build = process.env.BUILD || path.resolve(__dirname, '../../build')
const cratonsPath = path.join(build, 'bin/cratons')

const sri = (bytes, how = 'sha512') => `${how}-${crypto.createHash(how).update(bytes).digest('base64')}`
const sha1 = bytes => crypto.createHash('sha1').update(bytes).digest('hex')

// An archive of a package: package.json and files.
function tarball (name, version, more = {}, files = { 'index.js': `module.exports = '${name}@${version}'\n` }) {
  return tar.gzip(tar.tar(
    tar.entry('package/package.json', JSON.stringify({ name, version, ...more })),
    ...Object.entries(files).map(([f, text]) => tar.entry(`package/${f}`, text))))
}

class Registry {
  constructor () {
    this.packages = new Map()	// name → packument, as an object
    this.archives = new Map()	// path → bytes
    this.routes = new Map()	// path → (req, res, n): instead of all that
    this.requests = []
    this.counts = new Map()
  }

  async listen () {
    this.server = http.createServer((req, res) => this.answer(req, res))
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve))
    this.port = this.server.address().port
    this.url = `http://127.0.0.1:${this.port}/`
    return this
  }

  close () {
    this.server.closeAllConnections()
    this.server.close()
  }

  // Publishes a version; `more` goes into package.json and metadata, `dist` changes what is said of
  // the archive (undefined takes a key away), `meta` what is said of the version.
  add (name, version, { more = {}, files, dist = {}, meta = {}, time = '2020-01-01T00:00:00.000Z' } = {}) {
    const bytes = tarball(name, version, more, files)
    const at = `/${name}/-/${name.split('/').pop()}-${version}.tgz`
    const p = this.packages.get(name) || { name, 'dist-tags': {}, versions: {}, time: {} }
    this.archives.set(at, bytes)
    this.packages.set(name, p)
    p['dist-tags'].latest = version
    if (time) p.time[version] = time
    p.versions[version] = {
      name, version, ...more, ...meta,
      dist: { tarball: this.url + at.slice(1), integrity: sri(bytes), shasum: sha1(bytes), ...dist }
    }
    return { at, bytes, packument: p, said: p.versions[version] }
  }

  answer (req, res) {
    const at = decodeURIComponent(req.url)
    const n = this.counts.get(at) || 0
    this.counts.set(at, n + 1)
    this.requests.push({ url: at, headers: { ...req.headers } })
    const route = this.routes.get(at)
    if (route) return route(req, res, n)
    if (this.archives.has(at)) return res.end(this.archives.get(at))
    const p = this.packages.get(at.slice(1))
    if (p) return res.end(JSON.stringify(p))
    res.statusCode = 404
    res.end('{"error":"not found"}')
  }

  asked (at) {
    return this.requests.filter(r => r.url === at)
  }
}

// A home and projects in it.
class Person {
  constructor (tag) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), `cratons-${tag}-`))
    this.home = path.join(this.dir, 'home')
    fs.mkdirSync(this.home, { mode: 0o700 })
    this.projects = 0
    process.on('exit', () => fs.rmSync(this.dir, { recursive: true, force: true }))
  }

  // A folder with these files; names are keys.
  project (files) {
    const dir = path.join(this.dir, `project-${++this.projects}`)
    fs.mkdirSync(dir)
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(dir, name), text)
    return dir
  }

  // { status, out, err, text, peak } of `cratons ARGS` there; each call has a home of its own unless one is named.
  cratons (dir, args, { home = `cratons-${Math.random()}`, env = {}, wrapper = [] } = {}) {
    return new Promise(resolve => {
      const [program, ...rest] = [...wrapper, cratonsPath, ...args]
      const child = spawn(program, rest, {
        cwd: dir,
        env: {
          PATH: process.env.PATH, HOME: this.home, CRATONS_HOME: path.join(this.dir, 'homes', home), LC_ALL: 'C.UTF-8',
          ASAN_OPTIONS: process.env.ASAN_OPTIONS || '', ...env
        },
        stdio: ['ignore', 'pipe', 'pipe']
      })
      let out = ''
      let err = ''
      let peak = 0
      const watch = setInterval(() => {
        try {
          // The process itself, and the one that talks to the registry for it.
          const children = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
          for (const pid of [child.pid, ...children.split(' ').filter(Boolean)]) {
            peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024)
          }
        } catch { /* it has ended */ }
      }, 20)
      child.on('error', e => { clearInterval(watch); resolve({ status: e.code, out: '', err: e.message, text: e.message, peak: 0 }) })
      child.stdout.on('data', d => { out += d })
      child.stderr.on('data', d => { err += d })
      child.on('close', (status, signal) => {
        clearInterval(watch)
        resolve({ status: signal || status, out, err, text: out + err, peak })
      })
    })
  }

  // Files below, but .npmrc, that hold the text.
  filesWith (text) {
    const found = []
    // Not readdirSync's recursive: Node 18 takes a socket for a directory.
    const look = dir => {
      for (const e of fs.readdirSync(path.join(this.dir, dir), { withFileTypes: true })) {
        const f = path.join(dir, e.name)
        if (e.isDirectory()) look(f)
        else if (e.isFile() && e.name !== '.npmrc' && fs.readFileSync(path.join(this.dir, f)).includes(text)) found.push(f)
      }
    }
    look('')
    return found
  }
}

// Runs { name: async function } one after the other and prints TAP; an argument chooses by name.
async function runCases (cases, only = process.argv[2]) {
  let count = 0
  let failed = 0
  for (const [name, fn] of Object.entries(cases)) {
    if (only && !name.includes(only)) continue
    let problem = null
    let skip = null
    try {
      skip = await fn()
    } catch (e) {
      problem = e.stack
    }
    failed += Boolean(problem)
    console.log(`${problem ? 'not ok' : 'ok'} ${++count} - ${name}${skip ? ` # SKIP ${skip}` : ''}`)
    if (problem) console.log(problem.slice(0, 4000).replace(/^/gm, '# '))
  }
  console.log(`1..${count}`)
  process.exitCode = failed ? 1 : 0
}

function check (good, what) {
  if (!good) throw new Error(what)
}

// Status and what the output must say (strings or patterns).
function expect (r, status, ...says) {
  check(r.status === status, `status ${r.status}, wanted ${status}: ${r.text}`)
  for (const s of says) check(s instanceof RegExp ? s.test(r.text) : r.text.includes(s), `no "${s}" in: ${r.text}`)
  check(!/\x1b/.test(r.text), `an escape in: ${JSON.stringify(r.text)}`)
}

// The peak of its memory in MiB; AddressSanitizer keeps what was freed for a while.
function below (r, limit) {
  check(r.peak < (path.basename(build) === 'san' ? 2 : 1) * limit, `${r.peak} MiB`)
}

module.exports = { Registry, Person, runCases, check, expect, below, tarball, sri, sha1, build }
