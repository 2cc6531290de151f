#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// The syntax of .npmrc against the "ini" package, with which npm reads it: thousands of generated
// files, always the same ones (CRATONS_SEED makes others). Prints TAP.
'use strict'

const fs = require('fs')
const os = require('os')
const path = require('path')
const { execFileSync } = require('child_process')

const build = process.env.BUILD || path.resolve(__dirname, '../../build')
const tool = path.join(build, 'test/npmrc-tool')
const modules = process.env.CRATONS_TEST_MODULES || path.join(build, 'test-modules/node_modules')

let ini
try {
  ini = require(path.join(modules, 'ini'))
} catch (e) {
  console.log(`ok 1 - .npmrc as npm's ini reads it # SKIP the ini package is not in ${modules}\n1..1`)
  process.exit(0)
}

const { random, pick } = require('../lib/random.js')(20260102)

const pieces = ['registry', '@a:registry', '//h/:_authToken', 'ca[]', 'ca', 'x', ' ', '  ', '\t', '=', '=', '=', ' = ', '"', '"',
  "'", "'", '\\', '\\\\', '\\;', '\\#', ';', '#', '[', ']', '[]', '[s]', 'true', 'false', 'null', '\\n', '\\u0041', '\\ud83d\\ude00',
  '\\x', 'value', 'https://h/', '${A}', 'é', '1', '{', '}', ',', '/']
const newlines = ['\n', '\n', '\n', '\r\n', '\r', '\n\n']

function generate () {
  let text = ''
  for (let lines = random(6) + 1; lines > 0; lines--) {
    const kind = random(4)
    if (kind === 0) text += pick(['registry', 'ca[]', 'k', '"k"', "'k'", ' k ']) + pick(['=', ' = ', '']) + pick(['v', '"v"', "'v'", '"a\\nb"', 'a;b', 'a\\;b', "'\"v\"'", '"v', "v'", '']) + pick(['', ' ', ' ; c', '#c'])
    else for (let n = random(7); n > 0; n--) text += pick(pieces)
    text += pick(newlines)
  }
  return text
}

// What npm's reader makes of the keys of a file without sections; null where it throws, or makes
// arrays and objects of JSON in single quotes, which no setting of ours is.
function theirs (text) {
  if (/'\s*[[{\d]/.test(text)) return null
  let out
  try { out = ini.decode(text) } catch (e) { return null }
  const flat = {}
  for (const k of Object.keys(out)) {
    if (out[k] !== null && typeof out[k] === 'object' && !Array.isArray(out[k])) return null
    flat[k] = Array.isArray(out[k]) ? out[k].map(String) : String(out[k])
  }
  return flat
}

// The same from our lines: a list once is a list for good.
function ours (lines) {
  const out = {}
  for (const [key, value, list] of lines) {
    if (key === '__proto__') continue
    if (list && !Array.isArray(out[key])) out[key] = key in out ? [out[key]] : []
    if (Array.isArray(out[key])) out[key].push(value)
    else out[key] = value
  }
  return out
}

const sorted = o => JSON.stringify(Object.fromEntries(Object.entries(o).sort(([a], [b]) => a < b ? -1 : 1)))

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'cratons-npmrc-'))
const texts = []
while (texts.length < 4000) {
  const text = generate()
  if (theirs(text)) texts.push(text)
}
const files = texts.map((text, i) => {
  const file = path.join(scratch, String(i))
  fs.writeFileSync(file, text)
  return file
})
const answers = execFileSync(tool, files, { maxBuffer: 1 << 28 }).toString().trim().split('\n').map(l => JSON.parse(l))
fs.rmSync(scratch, { recursive: true })

let wrong = 0
texts.forEach((text, i) => {
  const want = sorted(theirs(text))
  const have = answers[i] && sorted(ours(answers[i]))
  if (want === have || wrong++ > 10) return
  console.log(`# ${JSON.stringify(text)}\n#   npm     ${want}\n#   cratons ${have}`)
})
console.log(`${wrong ? 'not ok' : 'ok'} 1 - ${texts.length} files are read as npm's ini reads them${wrong ? ` (${wrong} are not)` : ''}\n1..1`)
process.exitCode = wrong ? 1 : 0
