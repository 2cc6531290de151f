// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers that are the same in every run, so that a failure comes again; CRATONS_SEED makes others.
// The generator is mulberry32.
'use strict'

module.exports = function (seed) {
  let state = Number(process.env.CRATONS_SEED || seed) >>> 0
  const random = n => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
  return { random, pick: list => list[random(list.length)] }
}
