#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// The npm version scheme against node-semver itself: thousands of generated ranges, versions and
// lists, always the same ones (CRATONS_SEED makes others), asked of both. Prints TAP.
'use strict'

const { execFileSync } = require('child_process')
const path = require('path')

const root = path.resolve(__dirname, '../..')
const cratons = process.env.CRATONS || path.join(process.env.BUILD || path.join(root, 'build'), 'bin/cratons')
const modules = process.env.CRATONS_TEST_MODULES || path.join(root, 'build/test-modules/node_modules')

let tests = 0
let failed = 0

function report (ok, name, details) {
  tests++
  if (!ok) failed++
  console.log(`${ok ? 'ok' : 'not ok'} ${tests} - ${name}`)
  for (const line of details || []) console.log('# ' + line)
}

let semver
try {
  semver = require(path.join(modules, 'semver'))
} catch (e) {
  console.log(`1..0 # SKIP the semver package is not in ${modules}`)
  process.exit(0)
}

const { random, pick } = require('../lib/random.js')(20260101)
const maybe = (one_in, text) => random(one_in) ? '' : text
const many = (n, make) => Array.from({ length: n }, make)

const SAFE = '9007199254740991'
const huge = [SAFE, '9007199254740990', '9007199254740992', '99999999999999999999',
  '999999999999999934463', '999999999999999934464', '999999999999999999999',
  '1000000000000000000000', '9'.repeat(40), '0'.repeat(30) + '1']
const number = () => random(40) ? String(random(4)) : random(2) ? pick(huge) : pick(['00', '01', '012', '10', '100'])
const word = () => pick(['alpha', 'beta', 'rc', '0', '1', '2', '10', 'a', 'x', '-', '--', 'v', 'dev-1',
  '01', '00', 'A', 'a1', '1a', 'x1', SAFE, '9007199254740990', '9007199254740992', '9007199254740993',
  '09007199254740991', '99999999999999999999999'])
const words = () => many(1 + random(3), word).join('.')
const pre = () => pick(['-', '-', '-', '-', '-', '']) + words()
const build = () => '+' + words()
const three = () => `${number()}.${number()}.${number()}`
const space = () => pick(['', '', '', '', '', ' ', '  ', '\t', '\u00a0', '\u2003', '\ufeff', '\r'])

function version () {
  return space() + maybe(20, 'v') + maybe(40, '=') + maybe(60, ' ') + three() + maybe(2, pre()) +
    maybe(6, build()) + maybe(60, pick(['.', '-', '+', '.1', '*', 'x'])) + space()
}
const clean = () => three() + maybe(2, pre()) + maybe(6, build())

const part = () => random(6) ? number() : pick(['x', 'X', '*', 'xx', ''])
function partial () {
  const n = random(4)
  let s = pick(['', '', '', '', '', '', '', 'v', '=', '= ', 'v='])
  if (n === 3) return s + clean()
  s += many(n + 1, part).join('.')
  return s + maybe(8, pre()) + maybe(16, build())
}
const operator = () => pick(['', '', '', '<', '>', '<=', '>=', '=', '^', '^', '~', '~', '~>', '==', '=<', '>>',
  '~=', '^>', '~>=', '||', '-']) + pick(['', '', '', '', '', '', ' ', '  ', '\t'])
function comparator () {
  switch (random(30)) {
    case 0: return pick(['*', '', 'x', '>*', '<*', '<=*', '>=0.0.0', '>=0.0.0-0', '>=v0.0.0', '<0.0.0-0', '<0',
      '>=0', '^0', '~0', '>=*1.2.3', '1.2.3*', '*1', 'latest', 'foo', '+b', '+', '-', '~', '^', '<', '1.2.3 +b 1'])
    case 1: return clean()
    default: return operator() + partial()
  }
}
function set () {
  if (random(6) === 0) {
    return space() + partial() + pick([' - ', ' - ', ' - ', '  -  ', ' -', '- ', '\t-\t', ' - = ']) + partial() + maybe(8, ' ' + comparator())
  }
  return many(1 + random(3), comparator).join(pick([' ', ' ', ' ', '  ', '', ',']))
}
const range = () => many(random(4) ? 1 : 1 + random(4), set).join(pick(['||', ' || ', ' ||', '|| ', '|||', '|']))

// Noise of the characters that ranges are made of finds what no grammar does.
const noise = () => many(random(14), () => pick([...'0123.xX*<>=~^|-+v ab  ..11'])).join('')

// For a range: versions at and around its own numbers, so that true and false are both frequent.
function versionNear (r) {
  const m = r.match(/\d{1,16}/g)
  const n = () => m && random(4) ? String(Math.min(Number(pick(m)) + pick([0, 0, 0, 0, 1, -1]), Number.MAX_SAFE_INTEGER)).replace('-', '') : String(random(4))
  const pres = r.match(/[-a-z][-.a-z0-9]*/gi)
  return `${n()}.${n()}.${n()}` + (random(3) ? '' : '-' + (pres && random(2) ? pick(pres).replace(/^-|\.$/g, '') || '0' : words()))
}

const lineSafe = s => !/\n/.test(s)

function ask (args, lines) {
  const out = execFileSync(cratons, ['version', ...args, '--batch'], {
    input: lines.map(l => l + '\n').join(''), maxBuffer: 1 << 28
  }).toString()
  return out.split('\n').slice(0, -1)
}

function compare (name, args, cases, line, expected) {
  const got = ask(args, cases.map(line))
  const wrong = []
  const seen = {}
  cases.forEach((c, i) => {
    const want = expected(c)
    if (want === undefined) return
    seen[want] = (seen[want] || 0) + 1
    if (got[i] !== want) wrong.push(`${JSON.stringify(line(c))}: node-semver says ${want}, cratons ${got[i]}`)
  })
  if (got.length !== cases.length) wrong.push(`${cases.length} lines in, ${got.length} out`)
  const counts = Object.keys(seen).sort().map(k => `${seen[k]} ${k}`).join(', ')
  // A test whose answers are nearly all one word would pass whatever the code does.
  for (const [word, n] of Object.entries(seen)) if (n > cases.length * 0.9) wrong.push(`${n} of ${cases.length} are ${word}`)
  report(wrong.length === 0, `${name}: ${cases.length} cases (${counts})`, wrong.slice(0, 20))
}

function matchExpected (options) {
  return ([r, v]) => {
    if (semver.validRange(r, options) === null || semver.valid(v, options) === null) return 'invalid'
    try {
      return String(semver.satisfies(v, r, options))
    } catch (e) {
      // With pre-releases it reads loose versions a second time, a "-" longer and then too long.
      return undefined
    }
  }
}

function matchCases (n, makeRange) {
  const cases = []
  while (cases.length < n) {
    const r = makeRange()
    if (!lineSafe(r)) continue
    cases.push([r, versionNear(r)], [r, versionNear(r)], [r, version().replace(/[\n\t]/g, ' ')])
  }
  return cases
}

const modes = [
  ['loose', [], { loose: true }],
  ['strict', ['--strict'], {}],
  ['loose with pre-releases', ['--prerelease'], { loose: true, includePrerelease: true }],
  ['strict with pre-releases', ['--strict', '--prerelease'], { includePrerelease: true }]
]
const tidy = () => many(random(3) ? 1 : 2, () => pick(['^', '~', '>=', '<', '', '<=', '>', '=']) + many(1 + random(3), () => random(8) ? String(random(3)) : 'x').join('.') + maybe(4, '.0-' + words())).join(pick([' ', ' || ']))
const size = Number(process.env.CRATONS_CASES || 6000)

console.log(`# semver ${require(path.join(modules, 'semver/package.json')).version}`)
for (const [name, flags, options] of modes) {
  for (const [kind, make] of [['everyday ranges', tidy], ['odd ranges', range], ['noise', noise]]) {
    compare(`match, ${name}, ${kind}`, ['match', 'npm', ...flags], matchCases(size, make), c => c.join('\t'), matchExpected(options))
  }
}

// Lengths around the limits of a version and of its parts.
const long = []
for (const n of [200, 243, 244, 245, 246, 247, 248, 249, 250, 251, 252, 255, 256, 257, 258, 300]) {
  for (const c of ['1', 'a', '1a', '0']) {
    const run = c.repeat(n).slice(0, n)
    for (const p of ['', '^', '~', '>=', '<', '>', '=', 'v', '+x ', '1 - ']) {
      for (const s of [`1.2.3-${run}`, `1.2.${run}`, `${run}`, `${run}.x`, `1.${run}`, `1.2.3${run}`, `1.2.3+${run}`, `1.2.3-a.${run}`, `1.2.3-a+${run}.b`]) {
        long.push([p + s, `1.2.3-${run}`], [p + s, '1.2.3'])
      }
    }
  }
}
for (const [name, flags, options] of modes) {
  compare(`match, ${name}, long parts`, ['match', 'npm', ...flags], long, c => c.join('\t'), matchExpected(options))
}

const pairs = many(size, () => {
  const a = version()
  return [a, random(3) ? version() : a.trim().replace(/\d/, () => String(random(3)))]
}).filter(p => !/[\n\t]/.test(p.join('')))
for (const [name, flags, options] of modes.slice(0, 2)) {
  compare(`cmp, ${name}`, ['cmp', 'npm', ...(options.loose ? ['--loose'] : [])], pairs, c => c.join('\t'), ([a, b]) => {
    if (!semver.valid(a, options) || !semver.valid(b, options)) return 'invalid'
    return '=><'.at(semver.compare(a, b, options))
  })
}

for (const [name, flags, options] of [['strict', [], {}], ['loose', ['--loose'], { loose: true }]]) {
  const wrong = []
  let total = 0
  for (let i = 0; i < 40; i++) {
    const list = many(100, version).concat(many(100, () => three().replace(/\d+/g, d => String(d).slice(0, 1)) + maybe(2, pre()) + maybe(2, build())))
      .filter(v => !/[\r\n\t]/.test(v) && semver.valid(v, options))
    // node-semver's order is not transitive where numbers leave the safe range.
    const sortable = list.filter(v => !/\d{16}/.test(v))
    const want = semver.sort([...sortable], options)
    const got = ask(['sort', 'npm', ...flags], sortable)
    total += sortable.length
    if (JSON.stringify(want) !== JSON.stringify(got)) wrong.push(`list ${i}: ${JSON.stringify(want.find((v, n) => v !== got[n]))}`)
  }
  report(wrong.length === 0, `sort, ${name}: ${total} versions`, wrong)
}

console.log(`1..${tests}`)
process.exit(failed ? 1 : 0)
