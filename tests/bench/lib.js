// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// What the benchmarks share: whole processes timed side by side, medians, a table and JSON. As a program
// it prints the machine's state, for those in other languages.
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const src = path.resolve(__dirname, "../..");
const build = path.resolve(process.env.BUILD || path.join(src, "build"));
const runs = Number(process.env.RUNS || 5);

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

// What the figures have to be read with. The load is that of the last minute.
const machine = () => ({ processors: os.cpus().length, load: Number(os.loadavg()[0].toFixed(1)), kernel: os.release() });
const before = machine();

// One process: milliseconds of wall time, peak memory in MB, what it printed. Throws when it fails.
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
  return { ms, mb, out: r.stdout };
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

// Cases: { name, peers: { <peer>: { prepare, command, args, cwd, env, ms } } }; `ms` takes the time from
// what was printed. The peers of a case take turns, so that what else the machine does hits all of them.
// Ratios are of cratons to each peer, or of each peer to the one named by `against`.
function measure(name, peers, { count = true, against } = {}) {
  const result = { name, peers: {} };
  for (const peer of Object.keys(peers)) result.peers[peer] = { ms: [], mb: [] };
  for (let i = 0; i < runs; i++) {
    for (const [peer, p] of Object.entries(peers)) {
      p.prepare?.();
      const { ms, mb, out } = once(p.command, p.args, p);
      result.peers[peer].ms.push(p.ms ? p.ms(out) : ms);
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
  const base = result.peers[against || "cratons"]?.median;
  for (const r of Object.values(result.peers)) r.ratio = against ? r.median / base : base / r.median;
  result.against = against || null;
  print(result);
  return result;
}

// One table a program: its head comes with the first rows.
let headed = false;
function print(result) {
  if (!headed) console.log(`${"case".padEnd(44)} ${"who".padEnd(20)} ${"ms".padStart(9)} ${"MB".padStart(6)} ${"calls".padStart(8)}  ratio`);
  headed = true;
  for (const [peer, r] of Object.entries(result.peers)) {
    const mb = r.peak === undefined ? "" : r.peak.toFixed(0);
    const base = peer === (result.against || "cratons") || r.ratio === undefined;
    const ratio = base ? "" : `${r.ratio.toFixed(2)} ${result.against ? `of ${result.against}` : "(cratons of it)"}`;
    console.log(`${result.name.padEnd(44)} ${peer.padEnd(20)} ${r.median.toFixed(1).padStart(9)} ${mb.padStart(6)} ` +
      `${String(r.syscalls || "").padStart(8)}  ${ratio}`);
  }
}

function save(file, results) {
  const target = path.join(build, "bench", file);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, JSON.stringify({ machine: { before, after: machine() }, runs, results }, null, 2) + "\n");
}

if (require.main === module) console.log(JSON.stringify(machine()));

module.exports = { src, build, runs, machine, median, measure, once, print, save, syscalls };
