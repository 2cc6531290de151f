#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// Damage in the store while it is mounted: a run gets EIO, the next install puts aside what was hit and
// fetches it again, and the server that found it serves the good bytes without being restarted.
'use strict'

const fs = require('fs')
const path = require('path')
const { Registry, Person, runCases, check, expect } = require('../lib/registry.js')

const person = new Person('mount-heal')
const MARK = 'the bytes that will be hit'
const LARGE = 'x'.repeat(200000)
let r, dir, homes

const cratons = (...args) =>
  person.cratons(dir, args, { home: 'home', env: { CRATONS_FUSED_IDLE: '20' } })
const print = what => cratons('run', '--', 'node', '-p', what)
const server = () => {
  for (const pid of fs.readdirSync('/proc').filter(p => /^\d+$/.test(p))) {
    try {
      const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      if (args[0].endsWith('cratons-fused') && args.includes(homes)) return Number(pid)
    } catch { /* it has ended */ }
  }
  return 0
}

// Flips a bit of each stored file that holds the text.
function hit (text) {
  let n = 0
  for (const f of fs.readdirSync(path.join(homes, 'store'), { recursive: true })) {
    const at = path.join(homes, 'store', f)
    if (!/^(packs|objects)\//.test(f) || !fs.statSync(at).isFile()) continue
    const bytes = fs.readFileSync(at)
    const i = bytes.indexOf(text)
    if (i < 0) continue
    bytes[i + 3] ^= 1
    fs.writeFileSync(at, bytes)
    n++
  }
  return n
}

// Removes each stored file that holds the text.
function lose (kind, text) {
  let n = 0
  for (const f of fs.readdirSync(path.join(homes, 'store', kind), { recursive: true })) {
    const at = path.join(homes, 'store', kind, f)
    if (!fs.statSync(at).isFile() || !fs.readFileSync(at).includes(text)) continue
    fs.unlinkSync(at)
    n++
  }
  return n
}

// The tree of the package itself, and that of the environment, which has its cell.
const trees = { package: 'large.txt', environment: 'hit@1.0.0' }

async function comesBack (damage, { told = true } = {}) {
  stop()
  check(damage() > 0, 'nothing was lost')
  const bad = await print('require("hit")')
  if (told) check(bad.status !== 0, `no error: ${bad.text}`)
  expect(await cratons('install'), 0)
  const after = await print('require("hit")')
  check(after.status === 0 && after.out.trim() === MARK, after.text)
  expect(await cratons('store', 'verify'), 0, ' 0 damaged')
}

const stop = () => { const pid = server(); if (pid) process.kill(pid, 'SIGKILL') }

async function heals (text, what, good) {
  stop()
  check(hit(text) > 0, 'nothing was hit')
  const bad = await print(what)
  check(bad.status !== 0 && /EIO/.test(bad.err), `no EIO: ${bad.status} ${bad.text}`)
  const pid = server()
  expect(await cratons('install'), 0)
  const after = await print(what)
  check(after.status === 0 && after.out.trim() === good, after.text)
  check(pid && server() === pid, 'the server is another one')
}

runCases({
  'a package is installed and read': async () => {
    r = await new Registry().listen()
    homes = path.join(person.dir, 'homes/home')
    r.add('hit', '1.0.0', { files: { 'index.js': `module.exports = '${MARK}'\n`, 'large.txt': LARGE } })
    dir = person.project({
      'cratons.toml': '[package]\nname = "app"\n\n[dependencies.npm]\nhit = "1.0.0"\n',
      '.npmrc': `registry=${r.url}\n`
    })
    expect(await cratons('install'), 0)
    const out = await print('require("hit")')
    if (out.status !== 0 && /\/dev\/fuse|namespace/.test(out.text)) return out.text.split('\n')[0]
    check(out.out.trim() === MARK, out.text)
  },
  'a small file, in a pack': () => heals(MARK, 'require("hit")', MARK),
  'a large file, chunk by chunk': () => heals('x'.repeat(1000),
    'require("fs").readFileSync("node_modules/hit/large.txt").length', String(LARGE.length)),
  'a pack that is gone': () => comesBack(() => lose('packs', MARK)),
  'a large file that is gone': async () => {
    stop()
    check(lose('objects', 'x'.repeat(1000)) > 0, 'nothing was lost')
    check((await print('require("fs").readFileSync("node_modules/hit/large.txt").length')).status !== 0, 'no error')
    expect(await cratons('install'), 0)
    const after = await print('require("fs").readFileSync("node_modules/hit/large.txt").length')
    check(after.out.trim() === String(LARGE.length), after.text)
  },
  'a package\'s tree that is gone': () => comesBack(() => lose('trees', trees.package)),
  'the environment\'s tree that is gone': () => comesBack(() => lose('trees', trees.environment), { told: false }),
  'all trees': () => comesBack(() => lose('trees', '')),
  'the index': () => comesBack(() => {
    fs.rmSync(path.join(homes, 'store/index'), { recursive: true })
    return 1
  }, { told: false }),
  'all of it': () => comesBack(() => {
    fs.rmSync(path.join(homes, 'store'), { recursive: true })
    return 1
  }),
  'the server goes with its test': async () => { stop(); r.close() }
})
