// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// What the benchmarks share: whole processes timed side by side, medians, a table and JSON.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const src = path.resolve(__dirname, "../..");
const build = path.resolve(process.env.BUILD || path.join(src, "build"));
const runs = Number(process.env.RUNS || 5);

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

// One process: milliseconds of wall time, peak memory in MB. Throws when it fails, with its output.
function once(command, args, { cwd, env = {} } = {}) {
  const report = path.join(cwd || process.cwd(), `.time-${process.pid}`);
  const start = process.hrtime.bigint();
  const r = spawnSync("/usr/bin/time", ["-o", report, "-f", "%M", command, ...args],
    { cwd, env: { ...process.env, ...env }, encoding: "utf8", maxBuffer: 1 << 28 });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (r.status !== 0)
    throw new Error(`${command} ${args.join(" ")}: status ${r.status}\n${r.stdout}\n${r.stderr}`);
  const mb = Number(fs.readFileSync(report, "utf8").trim().split("\n").pop()) / 1024;
  fs.unlinkSync(report);
  return { ms, mb };
}

// The number of system calls that a process and its threads and children make.
function syscalls(command, args, { cwd, env = {} } = {}) {
  const report = path.join(cwd, `.strace-${process.pid}`);
  const r = spawnSync("strace", ["-f", "-c", "-o", report, command, ...args],
    { cwd, env: { ...process.env, ...env }, encoding: "utf8", maxBuffer: 1 << 28 });
  if (r.error || r.status !== 0) return null;
  const total = fs.readFileSync(report, "utf8").split("\n").find((l) => / total$/.test(l));
  fs.unlinkSync(report);
  return total ? Number(total.trim().split(/\s+/)[3]) : null;
}

// Cases: { name, peers: { <peer>: { prepare, command, args, cwd, env } } }. The peers of a case take
// turns, so that what else the machine does hits all of them.
function measure(name, peers, { count = true } = {}) {
  const result = { name, peers: {} };
  for (const peer of Object.keys(peers)) result.peers[peer] = { ms: [], mb: [] };
  for (let i = 0; i < runs; i++) {
    for (const [peer, p] of Object.entries(peers)) {
      p.prepare?.();
      const { ms, mb } = once(p.command, p.args, p);
      result.peers[peer].ms.push(ms);
      result.peers[peer].mb.push(mb);
    }
  }
  for (const [peer, p] of Object.entries(peers)) {
    const r = result.peers[peer];
    if (count) {
      p.prepare?.();
      r.syscalls = syscalls(p.command, p.args, p);
    }
    r.median = median(r.ms);
    r.peak = median(r.mb);
  }
  for (const r of Object.values(result.peers)) r.ratio = result.peers.cratons.median / r.median;
  print(result);
  return result;
}

function print(result) {
  console.log(`\n${result.name}`);
  for (const [peer, r] of Object.entries(result.peers)) {
    const mb = r.peak === undefined ? "" : `${r.peak.toFixed(0).padStart(5)} MB`;
    const calls = r.syscalls ? `${String(r.syscalls).padStart(8)} calls` : "";
    const ratio = peer === "cratons" ? "" : `  cratons takes ${r.ratio.toFixed(2)} of it`;
    console.log(`  ${peer.padEnd(14)} ${r.median.toFixed(1).padStart(9)} ms ${mb} ${calls}${ratio}`);
  }
}

function save(file, results) {
  const target = path.join(build, "bench", file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, JSON.stringify({ runs, results }, null, 2) + "\n");
}

module.exports = { src, build, runs, median, measure, once, print, save, syscalls };
