#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Effective settings, their origin, and no secrets among them.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY no_proxy NO_PROXY

succeeds "outside a project" cratons config list
has "$out" "install.layout = isolated  (default)" "defaults"
has "$out" "home = $CRATONS_HOME  (CRATONS_HOME)" "where the home is from"
succeeds "the default registry" cratons config get registries.npm.default
is "$out" "https://registry.npmjs.org/" "is npm's"
succeeds "nothing is made by asking" test ! -e "$CRATONS_HOME"

cat >cratons.toml <<'END'
[package]
name = "x"
[install]
layout = "hoisted"
minimum-age = "36h"
allow-scripts = ["esbuild"]
[registries.npm]
"@acme" = "https://npm.acme.example/"
END
cat >"$HOME/.npmrc" <<'END'
registry = https://mirror.example/npm
//mirror.example/npm/:_authToken=s3cr3t-token
@other:registry=https://other.example
proxy=http://me:p4ss@proxy.example:3128/
END
succeeds "in a project" cratons config list
has "$out" "install.layout = hoisted  (cratons.toml:4)" "the line that says so"
has "$out" "install.minimum-age = 36h" "units"
has "$out" "install.allow-scripts = npm:esbuild" "lists"
has "$out" "registries.npm.default = https://mirror.example/npm/  (.npmrc)" ".npmrc"
has "$out" "registries.npm.@other = https://other.example/  (.npmrc)" "a scope of .npmrc"
has "$out" "registries.npm.@acme = https://npm.acme.example/  (cratons.toml:8)" "a scope of the manifest"
has_not "$out" "s3cr3t" "no token"
has_not "$out" "p4ss" "no password"
succeeds "get --json" cratons config get install.layout --json
is "$out" '"hoisted"' "a JSON value"
succeeds "list --json" cratons config list --json
is "$(node -pe 'JSON.parse(process.argv[1])["install.layout"].origin' "$out")" "cratons.toml:4" "with origins"
has_not "$out" "s3cr3t" "no token there"
exits 40 "an unknown key" cratons config get install.layot
has "$err" "did you mean 'install.layout'" "suggests"
exits 2 "get without a key" cratons config get
exits 2 "list with one" cratons config list home
exits 40 "a home that is no absolute path" env CRATONS_HOME=relative cratons config list
succeeds "without HOME" env -u HOME -u CRATONS_HOME cratons config list
has "$out" "home = $(getent passwd "$(id -u)" | cut -d: -f6)/.cratons" "it is that of the user database"
echo 'nonsense' >>cratons.toml
exits 14 "a broken manifest is told" cratons config list
finish
