#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: slow timeout=600
// Real packages: what unpacking makes of each is what npm leaves on disk, contents, modes and all.
'use strict'

const fs = require('fs')
const os = require('os')
const path = require('path')
const { spawnSync } = require('child_process')

const build = process.env.BUILD || path.resolve(__dirname, '../../build')
const tool = path.join(build, 'test/unpack-tool')
const ingest = path.join(build, 'test/store-ingest')

// Popular ones, and ones that are special: native code, bundled packages, many files, odd modes, CRLF.
const packages = `
express lodash react react-dom typescript chalk@4 commander debug semver uuid yargs glob rimraf mkdirp
minimist moment async bluebird underscore rxjs ws dotenv cors body-parser jquery vue core-js tslib
esbuild @esbuild/linux-x64 prettier mocha terser acorn postcss zod immer redux left-pad is-odd inherits
ms @types/node @babel/core highlight.js source-map webpack node-gyp nodemon event-stream shelljs npm
request uglify-js jshint less coffee-script bcryptjs`.trim().split(/\s+/)

const bundling = new Set(['npm'])	// their node_modules come with the archive

if (!fs.existsSync(tool)) {
  console.log(`1..0 # SKIP ${tool} is not built`)
  process.exit()
}
const T = fs.mkdtempSync(path.join(os.tmpdir(), 'cratons-unpack-'))
process.on('exit', () => fs.rmSync(T, { recursive: true, force: true }))

function npm (...args) {
  return spawnSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], { cwd: T, encoding: 'utf8', maxBuffer: 1 << 28 })
}

process.umask(0o022)
fs.writeFileSync(path.join(T, 'package.json'), '{"private":true}')
const installed = npm('install', '--ignore-scripts', '--legacy-peer-deps', ...packages)
if (installed.status !== 0) {
  console.log(`1..0 # SKIP npm cannot install here: ${installed.stderr.split('\n')[0]}`)
  process.exit()
}
const wanted = Object.keys(JSON.parse(fs.readFileSync(path.join(T, 'package.json'))).dependencies)
const versionOf = name => JSON.parse(fs.readFileSync(path.join(T, 'node_modules', name, 'package.json'))).version
fs.mkdirSync(path.join(T, 'tgz'))
const packed = npm('pack', '--json', '--ignore-scripts', '--pack-destination', 'tgz', ...wanted.map(n => `${n}@${versionOf(n)}`))
if (packed.status !== 0) {
  console.log(`Bail out! npm pack: ${packed.stderr}`)
  process.exit(1)
}
const files = new Map(JSON.parse(packed.stdout).map(p => [p.name, path.join(T, 'tgz', p.filename)]))
const lines = wanted.map(n => `npm ${n} ${versionOf(n)} ${files.get(n)}\n`).join('')
const r = spawnSync(tool, [path.join(T, 'home')], { input: lines, encoding: 'utf8', maxBuffer: 1 << 30 })
const answers = r.stdout.trim().split('\n').map(l => JSON.parse(l))

// Where the two differ, by path: what npm has is walked, what we have is listed.
function differences (dir, entries) {
  const have = new Map(entries.map(e => [e.path, e]))
  const out = []
  for (const f of fs.readdirSync(dir, { recursive: true })) {
    const s = fs.lstatSync(path.join(dir, f))
    const e = have.get(f)
    have.delete(f)
    if (!e) out.push(`only npm has ${f}`)
    else if (s.isFile() && e.executable !== Boolean(s.mode & 0o100)) out.push(`${f} is ${e.executable ? '' : 'not '}executable`)
    else if (s.isFile() !== (e.kind === 'file')) out.push(`${f} is a ${e.kind}`)
  }
  for (const f of have.keys()) out.push(`npm lacks ${f}`)
  return out.join('\n') || 'contents differ'
}

let failed = 0
wanted.forEach((name, i) => {
  const dir = path.join(T, 'node_modules', name)
  const a = answers[i] || { what: `the tool ended: ${r.signal || r.status} ${r.stderr}` }
  // What npm adds when it puts the dependencies in their place.
  fs.rmSync(path.join(dir, 'node_modules', bundling.has(name) ? '.bin' : ''), { recursive: true, force: true })
  const tree = spawnSync(ingest, [path.join(T, 'home-npm'), dir], { encoding: 'utf8' }).stdout.trim()
  const same = a.accepted && a.tree === tree
  failed += !same
  console.log(`${same ? 'ok' : 'not ok'} ${i + 1} - ${name}@${versionOf(name)}`)
  if (!same) console.log((a.accepted ? differences(dir, a.entries) : a.what).slice(0, 3000).replace(/^/gm, '# '))
})
console.log(`1..${wanted.length}`)
process.exitCode = failed ? 1 : 0
