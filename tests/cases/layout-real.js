#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: slow timeout=600
// Real projects in both layouts: from inside the container, every installed package finds a version of
// each of its dependencies that its package.json asks for, by Node's own rules; and the layouts hold the
// same packages.
'use strict'

const fs = require('fs')
const path = require('path')
const { Person, runCases, check, expect } = require('../lib/registry.js')

const root = path.resolve(__dirname, '../..')
const modules = process.env.CRATONS_TEST_MODULES || path.join(root, 'build/test-modules/node_modules')
const person = new Person('layout-real')
const least = { express: 50, eslint: 150 }
const packages = {}

const cratons = (dir, args) => person.cratons(dir, args, { home: 'home', env: { CRATONS_FUSED_IDLE: '5' } })

// Runs inside, in the project's directory.
function inside () {
  const fs = require('fs')
  const path = require('path')
  const { createRequire } = require('module')
  const semver = require('./semver')
  const found = new Map() // real directory → package.json
  const bad = []
  let edges = 0

  function packagesIn (dir) {
    for (const name of fs.existsSync(dir) ? fs.readdirSync(dir) : []) {
      const at = path.join(dir, name)
      if (name === '.cratons') for (const cell of fs.readdirSync(at)) packagesIn(path.join(at, cell, 'node_modules'))
      else if (name.startsWith('@')) packagesIn(at)
      else if (!name.startsWith('.')) add(at)
    }
  }
  function add (at) {
    const real = fs.realpathSync(at)
    if (found.has(real) || !fs.existsSync(path.join(real, 'package.json'))) return
    found.set(real, JSON.parse(fs.readFileSync(path.join(real, 'package.json'))))
    packagesIn(path.join(real, 'node_modules'))
  }
  // The package.json that require(name) in `dir` would lead to.
  function lookup (dir, name) {
    for (const p of createRequire(path.join(dir, 'x.js')).resolve.paths(name + '/x')) {
      const at = path.join(p, name, 'package.json')
      if (fs.existsSync(at)) return JSON.parse(fs.readFileSync(at))
    }
  }
  function edge (p, dir, name, range, optional) {
    const alias = /^npm:(.*?)(?:@([^/]*))?$/.exec(range)
    const there = lookup(dir, name)
    edges++
    if (!there) return optional || bad.push(`${p.name}@${p.version} does not find ${name}`)
    if (alias) range = alias[2] || '*'
    if (semver.validRange(range) !== null && !semver.satisfies(there.version, range, true)) bad.push(`${p.name}@${p.version} needs ${name}@${range} and finds ${there.version}`)
  }

  packagesIn('node_modules')
  for (const [dir, p] of found) {
    const bundled = [].concat(p.bundledDependencies || p.bundleDependencies || [])
    for (const [n, range] of Object.entries(p.dependencies || {})) if (!bundled.includes(n)) edge(p, dir, n, range, n in (p.optionalDependencies || {}))
    for (const [n, range] of Object.entries(p.optionalDependencies || {})) edge(p, dir, n, range, true)
    for (const [n, range] of Object.entries(p.peerDependencies || {})) edge(p, dir, n, range, p.peerDependenciesMeta?.[n]?.optional)
  }
  console.log(JSON.stringify({ edges, bad, packages: [...new Set([...found.values()].map(p => `${p.name}@${p.version}`))].sort() }))
}

async function walk (name, layout) {
  const dir = path.join(person.dir, `${name}-${layout}`)
  fs.cpSync(path.join(root, 'tests/real', name), dir, { recursive: true })
  fs.cpSync(path.join(modules, 'semver'), path.join(dir, 'semver'), { recursive: true })
  if (fs.existsSync(path.join(modules, 'lru-cache'))) fs.cpSync(path.join(modules, 'lru-cache'), path.join(dir, 'semver/node_modules/lru-cache'), { recursive: true })
  fs.writeFileSync(path.join(dir, 'check.js'), `${inside}\ninside()\n`)
  expect(await cratons(dir, ['init', '--from', 'package.json']), 0)
  fs.appendFileSync(path.join(dir, 'cratons.toml'), `\n[install]\nlayout = "${layout}"\n`)
  const installed = await cratons(dir, ['install'])
  if (/resolve host|Could not connect|network request/i.test(installed.err)) return 'the registry cannot be reached'
  expect(installed, 0)
  const got = await cratons(dir, ['run', '--net', 'none', '--', 'node', 'check.js'])
  expect(got, 0)
  const said = JSON.parse(got.out)
  check(said.packages.length >= least[name], `only ${said.packages.length} packages`)
  check(said.edges >= said.packages.length, `only ${said.edges} edges`)
  check(said.bad.length === 0, said.bad.join('\n'))
  packages[`${name} ${layout}`] = said.packages.join('\n')
}

if (!fs.existsSync('/dev/fuse')) {
  console.log('1..0 # SKIP there is no /dev/fuse')
} else if (!fs.existsSync(path.join(modules, 'semver'))) {
  console.log('1..0 # SKIP tests/npm/setup has not installed semver')
} else {
  const cases = {}
  for (const name of Object.keys(least)) {
    for (const layout of ['isolated', 'hoisted']) cases[`${name}, ${layout}: each dependency is one that is asked for`] = () => walk(name, layout)
    cases[`${name}: both layouts hold the same packages`] = () => {
      if (!packages[`${name} hoisted`]) return 'not installed'
      check(packages[`${name} isolated`] === packages[`${name} hoisted`], 'they differ')
    }
  }
  runCases(cases)
}
