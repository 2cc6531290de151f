#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: slow timeout=300
// A real private registry: verdaccio on a loopback port, a user with a token, a scoped package that npm
// published, installed by cratons; and refused without the token. Prints TAP.
'use strict'

const fs = require('fs')
const net = require('net')
const path = require('path')
const { spawn, spawnSync } = require('child_process')
const { Person, runCases, check, expect } = require('../lib/registry.js')

const modules = process.env.CRATONS_TEST_MODULES || path.resolve(__dirname, '../../build/test-modules/node_modules')
const verdaccio = path.join(modules, 'verdaccio/bin/verdaccio')
const person = new Person('verdaccio')
let port, url, token, server

if (!fs.existsSync(verdaccio)) {
  console.log(`1..0 # SKIP verdaccio is not in ${modules}`)
  process.exit()
}

// Everybody may read nothing: reading takes a user, and so does publishing. No uplinks.
const config = () => `
storage: ${person.dir}/storage
auth:
  htpasswd:
    file: ${person.dir}/htpasswd
    max_users: 10
packages:
  '@acme/*':
    access: $authenticated
    publish: $authenticated
  '**':
    access: $all
    publish: $authenticated
log: { type: file, path: ${person.dir}/verdaccio.log, level: info }
`

const freePort = () => new Promise(resolve => {
  const s = net.createServer().listen(0, '127.0.0.1', () => { const p = s.address().port; s.close(() => resolve(p)) })
})

// Cases need one another: without a server there is nothing to test.
async function start () {
  port = await freePort()
  url = `http://127.0.0.1:${port}/`
  fs.writeFileSync(path.join(person.dir, 'config.yaml'), config())
  server = spawn(process.execPath, [verdaccio, '--config', path.join(person.dir, 'config.yaml'), '--listen', `127.0.0.1:${port}`], { stdio: 'ignore', cwd: person.dir, env: { PATH: process.env.PATH, HOME: person.home } })
  process.on('exit', () => server.kill('SIGKILL'))
  for (let i = 0; i < 300; i++) {
    try {
      if ((await fetch(url + '-/ping')).ok) return
    } catch { /* not yet */ }
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  console.log('Bail out! verdaccio did not start')
  process.exit(1)
}

async function addUser () {
  const r = await fetch(`${url}-/user/org.couchdb.user:ann`, {
    method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'ann', password: 'correct horse battery', type: 'user' })
  })
  token = (await r.json()).token
  check(r.status === 201 && token, `no token: ${r.status}`)
}

// As npm does it, with the token from the environment.
function publish (name, version, more, files) {
  const dir = person.project({ 'package.json': JSON.stringify({ name, version, ...more }), '.npmrc': rc(), ...files })
  const r = spawnSync('npm', ['publish', `--registry=${url}`, '--loglevel=error'], { cwd: dir, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: person.home, TOKEN: token } })
  check(r.status === 0, `npm publish: ${r.stdout}${r.stderr}`)
}

const rc = (auth = `//127.0.0.1:${port}/:_authToken=\${TOKEN}\n`) => `@acme:registry=${url}\n${auth}`
const toml = '[package]\nname = "app"\n\n[dependencies.npm]\n"@acme/private" = "^1.0.0"\n'

function project (auth) {
  return person.project({ 'cratons.toml': toml, '.npmrc': rc(auth), 'index.js': 'console.log(require("@acme/private"))\n' })
}

const run = (dir, args, more = {}) => person.cratons(dir, args, { env: { TOKEN: token }, ...more })

const cases = {
  'verdaccio starts, a user gets a token': async () => {
    await start()
    await addUser()
  },

  'npm publishes scoped packages': async () => {
    publish('@acme/base', '1.0.0', {}, { 'index.js': 'module.exports = "base"\n' })
    publish('@acme/private', '1.0.0', { dependencies: { '@acme/base': '1' }, bin: { private: 'cli.js' } },
      { 'index.js': 'module.exports = "private on " + require("@acme/base")\n', 'cli.js': '#!/usr/bin/env node\nconsole.log("ran")\n' })
    publish('@acme/private', '1.1.0', { dependencies: { '@acme/base': '1' } },
      { 'index.js': 'module.exports = "private 1.1 on " + require("@acme/base")\n' })
  },

  'installed with the scope\'s registry and a token from the environment': async () => {
    const dir = project()
    expect(await run(dir, ['install', '--materialize=copy']), 0)
    const lock = fs.readFileSync(path.join(dir, 'cratons.lock'), 'utf8')
    check(lock.includes('npm:@acme/private@1.1.0') && lock.includes('npm:@acme/base@1.0.0') && lock.includes(url), lock)
    const r = spawnSync(process.execPath, ['index.js'], { cwd: dir, encoding: 'utf8' })
    check(r.stdout === 'private 1.1 on base\n', r.stdout + r.stderr)
  },

  'installed with user and password': async () => {
    const secret = Buffer.from('correct horse battery').toString('base64')
    expect(await run(project(`//127.0.0.1:${port}/:username=ann\n//127.0.0.1:${port}/:_password=${secret}\n`), ['install']), 0)
  },

  'add, update and outdated find it too': async () => {
    const dir = person.project({ 'cratons.toml': '[package]\nname = "app"\n', '.npmrc': rc() })
    expect(await run(dir, ['add', '@acme/private@1.0.0'], { home: 'adds' }), 0)
    const out = await run(dir, ['--json', 'outdated'], { home: 'adds' })
    check(out.text.includes('1.1.0'), out.text)
    expect(await run(dir, ['update', '--latest'], { home: 'adds' }), 0)
    check(fs.readFileSync(path.join(dir, 'cratons.lock'), 'utf8').includes('npm:@acme/private@1.1.0'), 'not updated')
  },

  'refused without a token, with the next step': async () => {
    expect(await run(project(''), ['install']), 21, '401', `${url}@acme%2fprivate`, '_authToken')
  },

  'refused with a wrong token, which is not shown': async () => {
    const wrong = 'wrongTokenThatNobodyMaySee'
    const out = await run(project(), ['install'], { env: { TOKEN: wrong } })
    expect(out, 21, '401', 'renew')
    check(!out.text.includes(wrong), out.text)
  },

  'a variable that is not set is told by its name': async () => {
    const out = await person.cratons(project(), ['install'])
    expect(out, 21)
    check(out.text.includes('TOKEN, which is not set'), out.text)
  },

  'the locked archive needs the token too': async () => {
    const dir = project()
    expect(await run(dir, ['install']), 0)
    fs.writeFileSync(path.join(dir, '.npmrc'), rc(''))
    expect(await run(dir, ['install', '--frozen']), 21, 'npm:@acme/', '_authToken')
  },

  'the scope is not looked for elsewhere': async () => {
    // "@acme" is somebody's on the public registry, too; what is locked came from the private one alone.
    const dir = project()
    expect(await run(dir, ['install']), 0)
    const sources = fs.readFileSync(path.join(dir, 'cratons.lock'), 'utf8').match(/source = .*/g)
    check(sources.length === 2 && sources.every(s => s.includes(url)), sources.join())
  },

  'the token is never printed, nor in any file but .npmrc': async () => {
    const dir = project()
    for (const args of [['-vv', 'install'], ['-vv', 'update'], ['--json', '-vv', 'install'], ['config'], ['--json', 'config'], ['--json', 'list'], ['-vv', 'outdated']]) {
      const out = await run(dir, args, { home: 'quiet' })
      check(!out.text.includes(token), `${args.join(' ')}: ${out.text}`)
    }
    const files = person.filesWith(token).filter(f => !/^(storage|verdaccio|htpasswd|home\/\.npm\/)/.test(f))
    check(files.length === 0, files.join(' '))
  }
}

runCases(cases).then(() => { server?.kill('SIGKILL') })
