#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
// test: slow timeout=900
// Real projects against npm itself, with the registry that npm is configured for: every edge is right
// (resolve_check, in resolve-tool), there are at most 5 % more packages than npm has, and the result
// resolves to itself. Prints TAP; arguments choose projects.
'use strict'

const { spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')

const build = process.env.BUILD || path.resolve(__dirname, '../../build')
const tool = path.join(build, 'test/resolve-tool')

const react = { react: '^18.3.0', 'react-dom': '^18.3.0' }
const projects = {
  express: { express: '^4.19.0' },
  next: { next: '^14.2.0', ...react },
  vite: {
    ...react, vite: '^5.3.0', '@vitejs/plugin-react': '^4.3.0', typescript: '^5.5.0',
    '@types/react': '^18.3.0', '@types/react-dom': '^18.3.0'
  },
  eslint: {
    eslint: '^8.57.0', 'eslint-config-airbnb': '^19.0.4', 'eslint-plugin-import': '^2.29.0',
    'eslint-plugin-jsx-a11y': '^6.8.0', 'eslint-plugin-react': '^7.34.0',
    'eslint-plugin-react-hooks': '^4.6.0', 'eslint-config-prettier': '^9.1.0',
    'eslint-plugin-prettier': '^5.1.0', prettier: '^3.3.0', typescript: '^5.4.0',
    '@typescript-eslint/eslint-plugin': '^7.0.0', '@typescript-eslint/parser': '^7.0.0'
  },
  jest: {
    jest: '^29.7.0', 'ts-jest': '^29.1.0', typescript: '^5.5.0', '@types/jest': '^29.5.0',
    '@babel/core': '^7.24.0', '@babel/preset-env': '^7.24.0', 'babel-jest': '^29.7.0',
    '@babel/preset-react': '^7.24.0', '@babel/preset-typescript': '^7.24.0',
    'jest-environment-jsdom': '^29.7.0', '@testing-library/react': '^16.0.0'
  },
  storybook: {
    ...react, storybook: '^8.2.0', '@storybook/react': '^8.2.0',
    '@storybook/react-webpack5': '^8.2.0', '@storybook/addon-essentials': '^8.2.0',
    '@storybook/addon-interactions': '^8.2.0', '@storybook/blocks': '^8.2.0',
    '@storybook/test': '^8.2.0'
  },
  mui: {
    ...react, '@mui/material': '^5.16.0', '@mui/x-data-grid': '^7.0.0',
    '@emotion/react': '^11.11.0', '@emotion/styled': '^11.11.0', 'react-redux': '^9.1.0',
    '@reduxjs/toolkit': '^2.2.0', 'styled-components': '^6.1.0', formik: '^2.4.0'
  },
  app: {
    next: '^14.2.0', ...react, express: '^4.19.0', lodash: '^4.17.21', axios: '^1.7.0',
    '@tanstack/react-query': '^5.0.0', zod: '^3.23.0', prisma: '^5.0.0',
    '@aws-sdk/client-s3': '^3.600.0', typescript: '^5.5.0', eslint: '^8.57.0', jest: '^29.7.0',
    webpack: '^5.90.0', 'webpack-cli': '^5.1.0', vite: '^5.3.0', '@babel/core': '^7.24.0',
    '@babel/preset-env': '^7.24.0', prettier: '^3.3.0', 'ts-node': '^10.9.0', mocha: '^10.4.0',
    rollup: '^4.18.0', '@types/node': '^20.0.0'
  }
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'cratons-real-'))
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }))
const saved = path.join(scratch, 'packuments')
fs.mkdirSync(saved)

let tests = 0
let failed = 0
function report (ok, name, detail) {
  tests++
  if (!ok) failed++
  console.log(`${ok ? 'ok' : 'not ok'} ${tests} - ${name}`)
  if (!ok && detail) console.log(detail.trimEnd().replace(/^/gm, '# '))
}

function run (command, args, cwd) {
  return spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 })
}

async function save (registry, name) {
  const file = path.join(saved, name.replace('/', '%2f'))
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await fetch(registry + name.replace('/', '%2f'))
      if (!answer.ok && answer.status !== 404) throw new Error(`${name}: HTTP ${answer.status}`)
      fs.writeFileSync(file, answer.ok ? Buffer.from(await answer.arrayBuffer()) : '')
      return
    } catch (e) {
      if (attempt === 3) throw e
    }
  }
}

async function saveAll (registry, names) {
  const queue = [...new Set(names)]
  const worker = async () => {
    for (let name; (name = queue.pop());) await save(registry, name)
  }
  await Promise.all(Array.from({ length: 12 }, worker))
}

// Each turn knows of one level more.
async function resolve (registry, file, lock) {
  for (;;) {
    const r = run(tool, [saved, file, ...(lock ? [lock] : [])])
    if (r.status !== 3) return r
    await saveAll(registry, r.stdout.split('\n').filter(Boolean))
  }
}

function npmCount (dir) {
  const r = run('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit',
    '--no-fund'], dir)
  if (r.status !== 0) throw new Error('npm: ' + r.stderr)
  const { packages } = JSON.parse(fs.readFileSync(path.join(dir, 'package-lock.json')))
  const distinct = new Set()
  for (const [where, p] of Object.entries(packages)) {
    if (where) distinct.add((p.name || where.replace(/.*node_modules\//, '')) + '@' + p.version)
  }
  return distinct.size
}

async function compare (registry, name) {
  const dir = path.join(scratch, name)
  const file = path.join(dir, 'package.json')
  fs.mkdirSync(dir)
  fs.writeFileSync(file, JSON.stringify({ name: 'app', version: '1.0.0', dependencies: projects[name] }))
  const ours = await resolve(registry, file)
  const figures = /(\d+) packages, .*\n$/.exec(ours.stderr)
  if (ours.status !== 0 || !figures) return report(false, name + ' resolves', ours.stderr)
  const npms = npmCount(dir)
  report(figures[1] <= npms * 1.05, `${name}: ${figures[1]} packages, npm has ${npms}`, ours.stderr)
  const lock = path.join(dir, 'cratons.lock')
  fs.writeFileSync(lock, ours.stdout)
  const again = await resolve(registry, file, lock)
  report(again.stdout === ours.stdout, name + ' resolves to itself', again.stderr)
}

async function main () {
  const registry = run('npm', ['config', 'get', 'registry']).stdout.trim().replace(/\/*$/, '/')
  try {
    await save(registry, 'express')
  } catch (e) {
    console.log('1..0 # SKIP the registry cannot be reached: ' + (e.cause || e).message)
    return
  }
  for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(projects)) {
    try {
      await compare(registry, name)
    } catch (e) {
      report(false, name, String(e.message))
    }
  }
  console.log('1..' + tests)
  process.exitCode = failed ? 1 : 0
}

main()
