#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: timeout=240
// The process that talks to registries, looked at from outside while a registry keeps it waiting: that
// it is jailed and its caller is not, what it holds, and how the two end. Prints TAP.
'use strict'

const fs = require('fs')
const path = require('path')
const { spawn } = require('child_process')
const { Registry, Person, runCases, check, expect, build } = require('../lib/registry.js')

const person = new Person('jail')
const jailTool = path.join(build, 'test/jail-tool')
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
let r, other

const toml = deps => `[package]\nname = "app"\n\n[dependencies.npm]\n${Object.entries(deps).map(([k, v]) => `"${k}" = "${v}"\n`).join('')}`
const project = (deps, more = '') => person.project({ 'cratons.toml': toml(deps), '.npmrc': `registry=${r.url}\n${more}` })

const status = (pid, thread = pid) => Object.fromEntries(fs.readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
  .split('\n').map(l => l.split(/:\s*/, 2)))
const alive = pid => fs.existsSync(`/proc/${pid}`) && status(pid).State[0] !== 'Z'
async function gone (pid) {
  for (let i = 0; i < 100 && alive(pid); i++) await sleep(20)
  return !alive(pid)
}

// An installation that waits: for metadata at /NAME, or, with `archive`, for the archive. `look` sees the
// caller's pid, the other's, and what lets it go on.
async function held (name, look, { archive = false, wrapper = [], args = ['install'] } = {}) {
  const a = r.add(name, '1.0.0')
  const at = archive ? a.at : `/${name}`
  let release
  const asked = new Promise(resolve => r.routes.set(at, (req, res, n) => {
    if (n) return res.end(archive ? a.bytes : JSON.stringify(a.packument))
    release = () => res.end(archive ? a.bytes : JSON.stringify(a.packument))
    resolve()
  }))
  const home = path.join(person.dir, 'homes', name)
  const dir = project({ [name]: '1' })
  const secret = fs.openSync(path.join(person.dir, 'inherited'), 'w')
  const child = spawn(wrapper[0] || path.join(build, 'bin/cratons'), [...wrapper.slice(1), ...(wrapper.length ? [path.join(build, 'bin/cratons')] : []), ...args], {
    cwd: dir,
    detached: true,
    env: { PATH: process.env.PATH, HOME: person.home, CRATONS_HOME: home, LC_ALL: 'C.UTF-8', ASAN_OPTIONS: process.env.ASAN_OPTIONS || '' },
    stdio: ['ignore', 'pipe', 'pipe', secret]
  })
  let text = ''
  child.stdout.on('data', d => { text += d })
  child.stderr.on('data', d => { text += d })
  const ended = new Promise(resolve => child.on('close', (code, signal) => resolve({ status: signal || code, text })))
  await Promise.race([asked, ended.then(e => { throw new Error(`it ended: ${e.text}`) })])
  const apart = Number(fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim())
  check(apart > 0, 'there is no other process')
  await look(child.pid, apart, release)
  fs.closeSync(secret)
  return { ...await ended, apart, dir, home }
}

function isJailed (caller, apart) {
  const threads = fs.readdirSync(`/proc/${apart}/task`)
  check(threads.length > 1, 'workers')
  for (const t of threads) {
    const s = status(apart, t)
    check(s.Seccomp === '2' && s.NoNewPrivs === '1', `thread ${t}: Seccomp ${s.Seccomp}, NoNewPrivs ${s.NoNewPrivs}`)
    check(/^0+$/.test(s.CapEff) && /^0+$/.test(s.CapPrm), `thread ${t}: capabilities ${s.CapPrm}`)
  }
  check(!fs.readFileSync(`/proc/${apart}/environ`, 'utf8').includes(person.home), 'it has its caller\'s variables')
  const own = status(caller), mine = status('self', fs.readlinkSync('/proc/self'))
  check(own.Seccomp === mine.Seccomp && own.NoNewPrivs === mine.NoNewPrivs, 'the caller is bound too: it could not build')
}

const cases = {
  'while metadata is awaited': async () => {
    const e = await held('meta', (caller, apart, release) => { isJailed(caller, apart); release() })
    expect(e, 0)
    check(await gone(e.apart), 'it stays')
  },

  'while an archive is': async () => {
    expect(await held('archive', (caller, apart, release) => { isJailed(caller, apart); release() }, { archive: true }), 0)
  },

  'while add asks': async () => {
    expect(await held('asking', (caller, apart, release) => { isJailed(caller, apart); release() }, { args: ['add', 'asking'] }), 0)
  },

  'it holds the store, its sockets, and nothing that its caller had': async () => {
    expect(await held('holding', (caller, apart, release) => {
      for (const fd of fs.readdirSync(`/proc/${apart}/fd`)) {
        const to = fs.readlinkSync(`/proc/${apart}/fd/${fd}`)
        check(/^(socket|pipe|anon_inode):|^\/dev\/null$/.test(to) || to.includes('/homes/holding') || to.includes('/project-'), `${fd}: ${to}`)
        check(!to.endsWith('/inherited'), to)
      }
      release()
    }), 0)
  },

  // Else it could change their modes, which Landlock does not watch.
  'of folders beside the store it has the names only': async () => {
    let seen = 0
    expect(await held('naming', (caller, apart, release) => {
      for (const fd of fs.readdirSync(`/proc/${apart}/fd`)) {
        const to = fs.readlinkSync(`/proc/${apart}/fd/${fd}`)
        if (!/^\//.test(to) || to === '/dev/null' || to.includes('/store')) continue
        const flags = parseInt(/^flags:\s*(\d+)/m.exec(fs.readFileSync(`/proc/${apart}/fdinfo/${fd}`, 'utf8'))[1], 8)
        check(flags & 0o10000000, `${fd}: ${to} is open`)
        seen++
      }
      release()
    }), 0)
    check(seen >= 2, `${seen}`)
  },

  'a redirect to a port that nothing names is not followed there': async () => {
    const a = other.add('aside', '1.0.0')
    r.packages.set('aside', a.packument)
    expect(await person.cratons(project({ aside: '1' }), ['install']), 20, other.url, 'port', 'allow-hosts')
    check(other.requests.length === 0, 'the other server was reached')
    expect(await person.cratons(project({ aside: '1' }, `@files:registry=${other.url}\n`), ['install']), 0)
    check(other.asked(a.at).length === 1, 'the allowed twin')
  },

  'allow-hosts opens its port': async () => {
    const a = other.add('beside', '1.0.0')
    r.packages.set('beside', a.packument)
    const dir = person.project({ 'cratons.toml': `${toml({ beside: '1' })}\n[install]\nallow-hosts = ["127.0.0.1:${other.port}"]\n`, '.npmrc': `registry=${r.url}\n` })
    expect(await person.cratons(dir, ['install']), 0)
    check(other.asked(a.at).length === 1, 'the other server was not reached')
  },

  'killed, it is told of, and the next try goes on': async () => {
    const e = await held('killed', (caller, apart) => process.kill(apart, 'SIGKILL'))
    expect(e, 11, 'signal 9')
    expect(await person.cratons(e.dir, ['install'], { home: 'killed' }), 0)
  },

  'its caller killed, it ends': async () => {
    const e = await held('orphan', caller => process.kill(caller, 'SIGKILL'))
    check(e.status === 'SIGKILL', e.status)
    check(await gone(e.apart), 'it stays')
    expect(await person.cratons(e.dir, ['install'], { home: 'orphan' }), 0)
  },

  'Ctrl-C ends both': async () => {
    const e = await held('interrupted', caller => process.kill(-caller, 'SIGINT'))
    check(e.status === 'SIGINT' && e.text === '', `${e.status} ${e.text}`)
    check(await gone(e.apart), 'it stays')
  },

  'it leaves the index as one that is trusted': async () => {
    r.add('first', '1.0.0')
    r.add('second', '1.0.0')
    const index = () => fs.statSync(path.join(person.dir, 'homes', 'index', 'store/index/data.mdb')).ino
    expect(await person.cratons(project({ first: '1' }), ['install'], { home: 'index' }), 0)
    const before = index()
    expect(await person.cratons(project({ second: '1' }), ['install'], { home: 'index' }), 0)
    check(index() === before, 'it was made anew')
  },

  'with nothing to fetch there is none': async () => {
    r.add('there', '1.0.0')
    const dir = project({ there: '1' })
    expect(await person.cratons(dir, ['install'], { home: 'there' }), 0)
    const again = await person.cratons(dir, ['install', '-v'], { home: 'there' })
    expect(again, 0, 'Up to date')
    check(!again.text.includes('apart'), again.text)
  },

  'what is in force is told with -v': async () => {
    r.add('telling', '1.0.0')
    expect(await person.cratons(project({ telling: '1' }), ['install', '-v']), 0, /apart: .*seccomp/)
  },

  'without Landlock it installs, and says so': async () => {
    r.add('bare', '1.0.0')
    expect(await person.cratons(project({ bare: '1' }), ['install', '-v'], { wrapper: [jailTool, '--without', 'landlock'] }), 0, 'no Landlock, seccomp')
  },

  'without seccomp too': async () => {
    r.add('barer', '1.0.0')
    expect(await person.cratons(project({ barer: '1' }), ['install', '-v'], { wrapper: [jailTool, '--without', 'seccomp'] }), 0, 'no seccomp')
  }
}

async function main () {
  r = await new Registry().listen()
  other = await new Registry().listen()
  await runCases(cases)
  r.close()
  other.close()
}

main()
