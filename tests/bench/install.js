#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// Installing, beside bun and pnpm: whole processes, from the registry, medians of RUNS (5).
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { build, measure, once, save, src } = require("./lib.js");

const modules = path.join(build, "bench-modules/node_modules/.bin");
const cratons = path.join(build, "bin/cratons");
const work = fs.mkdtempSync(path.join(os.tmpdir(), "cratons-bench."));
const remove = (p) => fs.rmSync(p, { recursive: true, force: true });
process.on("exit", () => remove(work));

function project(name) {
  const at = (peer) => path.join(work, name, peer);
  const manifest = path.join(src, "tests/bench", name, "package.json");
  for (const peer of ["cratons", "bun", "pnpm"]) {
    fs.mkdirSync(path.join(at(peer), "app"), { recursive: true });
    fs.copyFileSync(manifest, path.join(at(peer), "app/package.json"));
  }
  once(cratons, ["-q", "init", "--from", "package.json"], { cwd: path.join(at("cratons"), "app") });
  const home = { cratons: path.join(at("cratons"), "home"), bun: path.join(at("bun"), "cache"),
    pnpm: path.join(at("pnpm"), "store") };
  const cwd = (peer) => path.join(at(peer), "app");
  const env = {
    cratons: { CRATONS_HOME: home.cratons },
    bun: { BUN_INSTALL_CACHE_DIR: home.bun },
    pnpm: { PNPM_HOME: home.pnpm, XDG_CACHE_HOME: path.join(at("pnpm"), "cache"), XDG_DATA_HOME: home.pnpm },
  };
  const command = {
    cratons: [cratons, "-q", "install"],
    bun: [path.join(modules, "bun"), "install", "--ignore-scripts", "--silent"],
    pnpm: [path.join(modules, "pnpm"), "install", "--ignore-scripts", "--silent",
      `--store-dir=${home.pnpm}`],
  };
  const lock = { cratons: "cratons.lock", bun: "bun.lock", pnpm: "pnpm-lock.yaml" };
  const frozen = { cratons: "--frozen", bun: "--frozen-lockfile", pnpm: "--frozen-lockfile" };
  const noTree = (peer) => peer === "cratons" || remove(path.join(cwd(peer), "node_modules"));
  const noStore = (peer) => {
    remove(home[peer]);
    if (peer === "pnpm") remove(env.pnpm.XDG_CACHE_HOME);
  };
  const peers = (prepare, extra = []) => Object.fromEntries(["cratons", "bun", "pnpm"].map((peer) =>
    [peer, { cwd: cwd(peer), env: env[peer], command: command[peer][0],
      args: [...command[peer].slice(1), ...extra.map((e) => e[peer])],
      prepare: () => prepare(peer) }]));

  return { cwd, env, lock, frozen, home, noTree, noStore, peers };
}

// A checkout that the store does not remember: the same lockfile, another text of the manifest.
let checkouts = 0;
function newCheckout(p) {
  const file = path.join(p.cwd("cratons"), "cratons.toml");
  const text = fs.readFileSync(file, "utf8").replace(/^# checkout .*\n/, "");
  fs.writeFileSync(file, `# checkout ${++checkouts}\n${text}`);
}

const results = [];
for (const name of ["express", "app650"]) {
  const p = project(name);
  results.push(measure(`${name}: cold, no lockfile`, p.peers((peer) => {
    p.noTree(peer);
    p.noStore(peer);
    remove(path.join(p.cwd(peer), p.lock[peer]));
  })));
  results.push(measure(`${name}: cold, with lockfile`, p.peers((peer) => {
    p.noTree(peer);
    p.noStore(peer);
  }, [p.frozen])));
  results.push(measure(`${name}: warm, a new checkout with lockfile`, p.peers((peer) => {
    p.noTree(peer);
    if (peer === "cratons") newCheckout(p);
  }, [p.frozen])));
  // Until a file of the environment can be read: the mount, the container and the reading included.
  const read = path.join(p.cwd("cratons"), "read.sh");
  fs.writeFileSync(read, `"${cratons}" -q install --frozen && exec "${cratons}" run -- ` +
    "/bin/cat node_modules/express/package.json\n");
  results.push(measure(`${name}: warm, until node_modules can be read`, {
    ...p.peers((peer) => p.noTree(peer), [p.frozen]),
    cratons: { cwd: p.cwd("cratons"), env: p.env.cratons, command: "/bin/sh", args: [read],
      prepare: () => newCheckout(p) },
  }, { count: false }));
  results.push(measure(`${name}: nothing to do`, p.peers(() => {}, [p.frozen])));
}
save("install.json", results);
