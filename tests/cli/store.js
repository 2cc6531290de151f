#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: timeout=300
//
// store, gc and doctor: what they print, their JSON, and that gc frees what nothing uses and nothing else.
'use strict'

const fs = require('fs')
const path = require('path')
const { Registry, Person, runCases, check, expect } = require('../lib/registry.js')

const person = new Person('store')
const homes = path.join(person.dir, 'homes', 'home')
let r, one, two

const toml = deps => `[package]\nname = "app"\n\n[dependencies.npm]\n` +
  Object.entries(deps).map(([name, range]) => `${name} = "${range}"\n`).join('')
const project = deps => person.project({ 'cratons.toml': toml(deps) })
const cratons = (dir, ...args) => person.cratons(dir, args, { home: 'home' })
const same = (got, wanted, what) =>
  check(JSON.stringify(got) === JSON.stringify(wanted), `${what}: ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`)

// What `--json` printed, after the status is as it should be.
async function json (dir, status, ...args) {
  const out = await cratons(dir, ...args, '--json')
  check(out.status === status, `status ${out.status}, wanted ${status}: ${out.text}`)
  return JSON.parse(out.out)
}

const usage = ['trees', 'objects', 'packs', 'largeObjects', 'bytes', 'stagingBytes', 'quarantineBytes']
const big = c => ({ 'index.js': `module.exports = '${c}'\n`, large: c.repeat(300000), small: c.repeat(3000) })

// Bytes of the files below a folder.
const size = dir => fs.readdirSync(dir, { recursive: true })
  .map(f => fs.lstatSync(path.join(dir, f))).reduce((n, s) => n + (s.isFile() ? s.size : 0), 0)

runCases({
  'two projects share a package and have one of their own': async () => {
    r = await new Registry().listen()
    for (const [name, c] of [['shared', 's'], ['only-one', 'o'], ['only-two', 't']]) r.add(name, '1.0.0', { files: big(c) })
    fs.writeFileSync(path.join(person.home, '.npmrc'), `registry=${r.url}\n`)
    one = project({ shared: '1', 'only-one': '1' })
    two = project({ shared: '1', 'only-two': '1' })
    expect(await cratons(one, 'install'), 0)
    expect(await cratons(two, 'install'), 0)
  },

  'store info': async () => {
    const info = await json(one, 0, 'store', 'info')
    same(Object.keys(info), usage, 'keys')
    check(info.largeObjects === 3, `each package has one large file: ${info.largeObjects}`)
    check(info.trees >= 5 && info.objects >= 9 && info.bytes > 900000, JSON.stringify(info))
    const text = await cratons(one, 'store', 'info')
    expect(text, 0, `${homes}/store`, `Trees    ${info.trees}`, `Objects  ${info.objects}: 3 large`)
  },

  'store list names the projects and what they keep': async () => {
    const list = await json(one, 0, 'store', 'list')
    same(list.map(p => p.name).sort(), [one, two].sort(), 'names')
    for (const p of list) check(p.trees.length === 1 && /^[0-9a-f]{64}$/.test(p.trees[0]), JSON.stringify(p))
    const text = await cratons(one, 'store', 'list')
    expect(text, 0, ...list.map(p => `${p.trees[0]}  ${p.name}\n`))
  },

  'store path': async () => {
    expect(await cratons(one, 'store', 'path'), 0, `${homes}/store\n`)
    for (const p of await json(one, 0, 'store', 'list')) {
      const at = await cratons(one, 'store', 'path', p.trees[0])
      expect(at, 0)
      check(fs.statSync(at.out.trim()).isFile(), `${at.out} is there`)
    }
    expect(await cratons(one, 'store', 'path', 'shared'), 2, "'shared'", 'cratons store list')
  },

  'wrong actions are refused': async () => {
    expect(await cratons(one, 'store'), 2, 'info|verify|list|path')
    expect(await cratons(one, 'store', 'verfy'), 2, "did you mean 'verify'")
    expect(await cratons(one, 'gc', 'now'), 2, "'now'", 'cratons gc --help')
    same(Object.keys((await json(one, 2, 'store')).error), ['code', 'name', 'message', 'where', 'hint'], 'keys')
  },

  'store verify finds nothing wrong': async () => {
    const found = await json(one, 0, 'store', 'verify')
    same(found.damaged, [], 'damaged')
    check(found.checked > 10, `${found.checked}`)
  },

  'store verify names what is damaged; with --dry-run it stays': async () => {
    const large = fs.readdirSync(path.join(homes, 'store/objects'), { recursive: true })
      .map(f => path.join(homes, 'store/objects', f)).filter(f => fs.statSync(f).isFile())
    const victim = large.find(f => fs.readFileSync(f)[0] === 's'.charCodeAt(0))
    fs.chmodSync(victim, 0o600)
    const bytes = fs.readFileSync(victim)
    bytes[1000] ^= 1
    fs.writeFileSync(victim, bytes)
    const dry = await json(one, 41, 'store', 'verify', '--dry-run')
    check(dry.damaged.length === 1 && victim.endsWith(dry.damaged[0].path) && dry.damaged[0].reason, JSON.stringify(dry))
    check(fs.existsSync(victim), 'a dry run put it aside')
    expect(await cratons(one, 'store', 'verify'), 41, 'damaged', 'the next installation')
    check(!fs.existsSync(victim), 'it was not put aside')
    // Environments that used it are incomplete, and gc keeps none of such.
    expect(await cratons(one, 'install'), 0)
    expect(await cratons(two, 'install'), 0)
    expect(await cratons(one, 'store', 'verify'), 0, '0 damaged')
  },

  'gc finds nothing while all is used': async () => {
    await cratons(one, 'gc')	// what was put aside
    const n = (await json(one, 0, 'store', 'info')).objects
    same(Object.values(await json(one, 0, 'gc')), usage.map(() => 0), 'freed')
    check((await json(one, 0, 'store', 'info')).objects === n, 'objects went')
  },

  'gc --dry-run tells what a project that is gone leaves, and removes nothing': async () => {
    fs.rmSync(two, { recursive: true })
    const before = await json(one, 0, 'store', 'info')
    const would = await json(one, 0, 'gc', '--dry-run')
    same(Object.keys(would), usage, 'keys')
    check(would.largeObjects === 1 && would.trees >= 2 && would.bytes >= 300000, JSON.stringify(would))
    same(await json(one, 0, 'store', 'info'), before, 'the store')
    check((await json(one, 0, 'store', 'list')).length === 2, 'the root of what is gone')
    expect(await cratons(one, 'gc', '-n'), 0, `Would remove ${would.trees} trees`)
  },

  'gc frees just that': async () => {
    const bytes = size(path.join(homes, 'store'))
    const before = await json(one, 0, 'store', 'info')
    const would = await json(one, 0, 'gc', '-n')
    const freed = await json(one, 0, 'gc')
    for (const key of ['trees', 'largeObjects']) check(freed[key] === would[key], `${key}: ${freed[key]}, announced ${would[key]}`)
    const after = await json(one, 0, 'store', 'info')
    check(after.objects === before.objects - freed.objects, `${after.objects} of ${before.objects} objects, ${freed.objects} freed`)
    check(after.largeObjects === 2, `${after.largeObjects}`)
    check(size(path.join(homes, 'store')) <= bytes - 300000, 'the files are as large as before')
    same((await json(one, 0, 'store', 'list')).map(p => p.name), [one], 'projects')
  },

  'what is left works without the registry': async () => {
    r.close()
    expect(await cratons(one, 'store', 'verify'), 0, '0 damaged')
    fs.rmSync(path.join(one, 'node_modules'), { recursive: true, force: true })
    expect(await cratons(one, 'install', '--offline', '--materialize=copy'), 0)
    for (const name of ['shared', 'only-one']) check(fs.statSync(path.join(one, 'node_modules', name, 'large')).size === 300000, name)
    expect(await cratons(project({ 'only-two': '1' }), 'install', '--offline'), 20, 'only-two')
  },

  'doctor': async () => {
    const out = await cratons(one, 'doctor', '--json')
    const checks = JSON.parse(out.out)
    for (const c of checks) {
      same(Object.keys(c), ['check', 'ok', 'required', 'detail', 'fix'], 'keys')
      check(typeof c.ok === 'boolean' && typeof c.required === 'boolean' && (!c.ok || c.fix === null), JSON.stringify(c))
    }
    const names = checks.map(c => c.check)
    check(new Set(names).size === names.length, `told twice: ${names}`)
    for (const name of ['user namespace', 'seccomp', 'fuse', 'overlay', 'io_uring', 'FUSE mount']) check(names.includes(name), `${name} in ${names}`)
    same(out.status, checks.some(c => c.required && !c.ok) ? 50 : 0, 'status')
    const text = await cratons(one, 'doctor')
    expect(text, out.status, ...names)
    check(!/[ \t]$/m.test(text.out), 'blanks at the end of a line')
  },

  'doctor where io_uring is forbidden: that is no failure': async () => {
    const usual = (await cratons(one, 'doctor')).status
    const out = await person.cratons(one, ['doctor', '--json'],
      { home: 'home', wrapper: [path.join(process.env.BUILD || 'build', 'test/no-uring')] })
    const uring = JSON.parse(out.out).find(c => c.check === 'io_uring')
    check(!uring.ok && !uring.required && uring.fix, JSON.stringify(uring))
    same(out.status, usual, 'status')
  }
})
