#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
"use strict";
// What people do in an environment, on the mount and with the same node_modules on the disk, both in the
// same container: starting a command, reading everything, tsc, next build. And what an installation
// costs for ten times as many files. RUNS (5) of each; an argument chooses: run read tsc next files.
const { spawnSync, fork } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { build, measure, once, save, src } = require("./lib.js");

const cratons = path.join(build, "bin/cratons");
const work = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cratons-bench.")));
const home = path.join(work, "home");
const remove = (p) => fs.rmSync(p, { recursive: true, force: true });
process.env.CRATONS_HOME = home;
process.env.CRATONS_FUSED = path.join(build, "bin/cratons-fused");
process.on("exit", () => {
  stopServer();
  remove(work);
});

// The server of this home alone, found by what it was started with.
function stopServer() {
  for (const pid of fs.readdirSync("/proc").filter((n) => /^\d+$/.test(n))) {
    let words = [];
    try {
      words = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    } catch { /* it has ended */ }
    if (!words[0]?.endsWith("/cratons-fused") || words[2] !== home) continue;
    process.kill(Number(pid), "SIGKILL");
    while (fs.existsSync(`/proc/${pid}`)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
}

// "First" is a server that knows nothing and a store that is in the page cache.
function storeCached() {
  spawnSync("find", [path.join(home, "store"), "-type", "f", "-exec", "cat", "{}", "+"], { stdio: "ignore" });
}

// The same project twice: `mount` has its environment by the mount, `disk` as files. `fill(dir)` writes it.
function twins(name, fill) {
  const dirs = { mount: path.join(work, name, "mount"), disk: path.join(work, name, "disk") };
  for (const dir of Object.values(dirs)) {
    fs.mkdirSync(dir, { recursive: true });
    fill(dir);
    if (!fs.existsSync(path.join(dir, "cratons.toml"))) once(cratons, ["-q", "init", "--from", "package.json"], { cwd: dir });
  }
  once(cratons, ["-q", "install"], { cwd: dirs.mount });
  fs.copyFileSync(path.join(dirs.mount, "cratons.lock"), path.join(dirs.disk, "cratons.lock"));
  once(cratons, ["-q", "install", "--frozen", "--materialize=copy"], { cwd: dirs.disk });
  return dirs;
}

// Peers that run `command` (a function of the directory) in the container: first and second run on the
// mount, and on the disk, whose tree was read before.
function inContainer(dirs, command, { clean = () => {}, env = [], ms } = {}) {
  const variables = (option) => env.flatMap((e) => [option, e]);
  const onMount = { command: cratons, cwd: dirs.mount, ms,
    args: ["run", ...variables("-e"), "--", ...command(dirs.mount)] };
  const onDisk = { command: path.join(build, "test/sandbox-tool"), cwd: dirs.disk, ms,
    args: ["--net", "host", "--seccomp", "default", "--bind", dirs.disk, "--cwd", dirs.disk, ...variables("--env"),
      "--", ...command(dirs.disk)] };
  const fresh = () => {
    clean(dirs.mount);
    stopServer();
  };

  storeCached();
  for (const p of [onMount, onDisk]) {
    clean(p.cwd);
    once(p.command, p.args, p);
  }
  return {
    "mount, first": { ...onMount, prepare: fresh },
    "mount, second": { ...onMount, prepare: () => clean(dirs.mount) },
    disk: { ...onDisk, prepare: () => clean(dirs.disk) },
  };
}

const compare = (name, peers) => measure(name, peers, { count: false, against: "disk" });
const copies = (from) => (dir) => fs.cpSync(path.join(src, from), dir, { recursive: true });
let app;
const app650 = () => (app ||= twins("app650", copies("tests/bench/app650")));

// cratons run -- true; the table is container.sh's own.
function starting() {
  const dirs = app650();
  const r = spawnSync(path.join(__dirname, "container.sh"), ["--runs", String(Number(process.env.RUNS || 5) * 10),
    "--project", dirs.mount, "--modules", path.join(dirs.disk, "node_modules")], { stdio: "inherit" });
  if (r.status !== 0) throw new Error("container.sh failed");
  console.log("");
  return [];
}

// The walker tells its own milliseconds: the reading alone, then with the command around it.
function reading() {
  const dirs = app650();
  for (const dir of Object.values(dirs)) fs.copyFileSync(path.join(build, "test/tree-walk"), path.join(dir, "tree-walk"));
  const walk = (dir) => [path.join(dir, "tree-walk"), "-r", "", "node_modules"];
  return [
    compare("reading all of app650", inContainer(dirs, walk, { ms: (out) => Number(out.trim().split(/\s+/)[3]) })),
    compare("the same, with starting the command", inContainer(dirs, walk)),
  ];
}

// A project of 200 files that uses types of the size that real ones do.
function typescriptProject(dir) {
  fs.mkdirSync(path.join(dir, "src"));
  fs.writeFileSync(path.join(dir, "package.json"), JSON.stringify({
    name: "bench-tsc", version: "1.0.0", private: true,
    dependencies: { zod: "^3.23.0", react: "^18.3.0" },
    devDependencies: { typescript: "^5.5.0", "@types/node": "^20.0.0", "@types/react": "^18.3.0" },
  }));
  fs.writeFileSync(path.join(dir, "tsconfig.json"), JSON.stringify({
    compilerOptions: { target: "es2022", module: "commonjs", strict: true, outDir: "out", jsx: "react-jsx",
      types: ["node"] },
    include: ["src"],
  }));
  for (let i = 0; i < 200; i++) {
    fs.writeFileSync(path.join(dir, "src", `part${i}.${i % 4 ? "ts" : "tsx"}`), `
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { z } from "zod";
import type { ComponentProps, ReactNode } from "react";
${i ? `import { shape as before } from "./part${i - 1}";` : "const before = z.object({ first: z.boolean() });"}
export const shape = z.object({ id: z.number(), kind: z.enum(["a${i}", "b${i}"]), tags: z.array(z.string()).optional() });
export type Shape = z.infer<typeof shape>;
export type Props = ComponentProps<"button"> & { shape: Shape; children?: ReactNode };
export const earlier = (text: string): boolean => before.safeParse(JSON.parse(text)).success;
export async function load(dir: string): Promise<Shape> {
  return shape.parse(JSON.parse(await readFile(path.join(dir, "part${i}.json"), "utf8")));
}
${i % 4 ? "" : "export const View = ({ shape, ...rest }: Props) => <button {...rest}>{shape.kind}</button>;"}
`);
  }
}

function tsc() {
  return [compare("tsc, 200 files", inContainer(twins("tsc", typescriptProject),
    (dir) => ["node", path.join(dir, "node_modules/typescript/bin/tsc"), "-p", "."],
    { clean: (dir) => remove(path.join(dir, "out")) }))];
}

function next() {
  return [compare("next build", inContainer(twins("next", copies("tests/real/next")),
    (dir) => ["node", path.join(dir, "node_modules/next/dist/bin/next"), "build"],
    { clean: (dir) => remove(path.join(dir, ".next")), env: ["NEXT_TELEMETRY_DISABLED=1", "CI=true"] }))];
}

// Installing 200 packages of 10 files and of 100 files, from a registry of this program's own (below):
// a new checkout of what the store has.
async function files() {
  const registry = fork(__filename, ["--registry"], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const url = await new Promise((resolve) => registry.once("message", resolve));
  const peers = {};
  let checkouts = 0;
  for (const count of [10, 100]) {
    const dir = path.join(work, `files-${count}`);
    const toml = `[package]\nname = "files"\nversion = "1.0.0"\n\n[dependencies.npm]\n` +
      Array.from({ length: 200 }, (_, i) => `files${count}-${i} = "1.0.0"\n`).join("");
    const write = () => fs.writeFileSync(path.join(dir, "cratons.toml"), `# checkout ${++checkouts}\n${toml}`);
    fs.mkdirSync(dir);
    fs.writeFileSync(path.join(dir, ".npmrc"), `registry=${url}\n`);
    write();
    once(cratons, ["-q", "install"], { cwd: dir });
    peers[`${200 * count} files`] = { command: "/bin/sh", cwd: dir, prepare: write, args: ["-c",
      `"$0" -q install --frozen && exec "$0" run -- cat node_modules/files${count}-7/f3.js >/dev/null`, cratons] };
  }
  const installs = Object.fromEntries(Object.entries(peers).map(([name, p]) =>
    [name, { ...p, command: cratons, args: ["-q", "install", "--frozen"] }]));
  const results = [
    measure("warm install, 200 packages", installs, { against: "2000 files" }),
    measure("the same, until a file was read", peers, { count: false, against: "2000 files" }),
  ];
  registry.kill();
  return results;
}

async function serve() {
  const { Registry } = require(path.join(src, "tests/lib/registry.js"));
  const registry = await new Registry().listen();
  for (const count of [10, 100])
    for (let i = 0; i < 200; i++)
      registry.add(`files${count}-${i}`, "1.0.0", { files: Object.fromEntries(Array.from({ length: count }, (_, f) =>
        [`f${f}.js`, `module.exports = "${i}:${f}:${"x".repeat(2000)}"\n`])) });
  process.send(registry.url);
}

async function main() {
  const cases = { run: starting, read: reading, tsc, next, files };
  const chosen = process.argv.slice(2);
  const results = [];
  for (const [name, fn] of Object.entries(cases))
    if (chosen.length === 0 || chosen.includes(name)) results.push(...await fn());
  save("environment.json", results);
}

if (process.argv[2] === "--registry") serve();
else main();
