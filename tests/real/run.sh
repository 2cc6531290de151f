#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=1500
#
# Real projects, each a folder here with a package.json and a check.sh. check.sh runs in the environment
# that cratons made of them, as root and as an ordinary user, and must print what it prints in a
# node_modules that npm made.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

command -v npm >/dev/null || skip_all "npm is not installed"
export npm_config_cache=$T/npm-cache npm_config_audit=false npm_config_fund=false
export npm_config_update_notifier=false CI=true
# Headers for native code: npm would download them, which works on few test machines.
[ ! -f /usr/include/node/node.h ] || export npm_config_nodedir=/usr
projects=${PROJECTS:-express next vite webpack typescript eslint prettier jest mocha native scripts}

with_npm() { # project
	cp -r "$SRC/tests/real/$1" "$T/npm-$1" && cd "$T/npm-$1" || return 1
	npm install >"$T/npm-$1.log" 2>&1 || return 1
	PATH=$PWD/node_modules/.bin:$PATH sh check.sh 2>&1 | sed "s,$PWD,DIR,g" >"$T/npm-$1.out"
	cd "$T" && rm -rf "$T/npm-$1"
}

with_cratons() { # project who [as_nobody]
	local dir=$T/$2-$1 as=${3:-}
	cp -r "$SRC/tests/real/$1" "$dir" && cd "$dir" || return 1
	cratons -q init --from package.json >"$T/$2-$1.log" 2>&1 || return 1
	[ ! -f cratons.append ] || cat cratons.append >>cratons.toml
	[ -z "$as" ] || chown -R $NOBODY:$NOBODY "$dir"
	$as cratons install >>"$T/$2-$1.log" 2>&1 || return 1
	$as cratons run --net none -e CI -- sh check.sh 2>&1 </dev/null | sed "s,$dir,DIR,g" >"$T/$2-$1.out"
	cd "$T" && rm -rf "$dir"
}

compare() { # project who
	if cmp -s "$T/npm-$1.out" "$T/$2-$1.out"; then
		ok "$1 does its job as $2, as with npm"
	else
		not_ok "$1 does its job as $2, as with npm" "$(tail -n 5 "$T/$2-$1.log"
			diff "$T/npm-$1.out" "$T/$2-$1.out" | head -n 40)"
	fi
}

nobody_home && nobody=y || nobody=
for p in $projects; do
	if ! with_npm "$p"; then
		not_ok "$p installs with npm" "$(tail -n 20 "$T/npm-$p.log")"
		continue
	fi
	[ -s "$T/npm-$p.out" ] || not_ok "$p prints something with npm"
	with_cratons "$p" "$(id -un)"
	compare "$p" "$(id -un)"
	if [ -n "$nobody" ]; then
		with_cratons "$p" nobody as_nobody
		compare "$p" nobody
	else
		skip "$p does its job as an ordinary user" "this needs root, to become one"
	fi
done
finish
