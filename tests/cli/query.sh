#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# list, tree and why, from a lockfile with an alias, two versions of a name, a cycle and a package
# that is not for this platform.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

digest=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
sri='sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=='
package() { # name@version [dependencies]
	printf '\n[[package]]\nid = "npm:%s"\nsource = "https://example.org/%s.tgz"\nintegrity = "%s"\n' \
		"$1" "$1" "$sri"
	[ $# = 1 ] || printf 'dependencies = { %s }\n' "$2"
}
for verb in list tree "why ms"; do
	exits 14 "$verb without a project" cratons $verb
done
mkdir -p project/src/deep && cd project
cat >cratons.toml <<'END'
[package]
name = "app"
[dependencies.npm]
express = "^4"
al = "npm:debug@2"
[dev-dependencies.npm]
tsc = "1"
END
exits 13 "without a lockfile" cratons list
has "$err" "cratons install" "the next step"
{
	printf 'version = 1\nmanifest = "blake3:%s"\n' $digest
	package accepts@1.3.8 'ms = "npm:ms@2.0.0"'
	package debug@2.6.9 'ms = "npm:ms@2.0.0"'
	package debug@4.0.0 'ms = "npm:ms@2.1.3"'
	package express@4.19.2 'accepts = "npm:accepts@1.3.8", debug = "npm:debug@2.6.9"'
	package ms@2.0.0
	package ms@2.1.3 'tsc = "npm:tsc@1.0.0"'
	package tsc@1.0.0 'debug = "npm:debug@4.0.0"'
	printf 'deprecated = "gone \\u001b[31m"\nplatform = { os = ["win32"] }\n'
	cat <<'END'

[[root]]
name = "app"

[root.dependencies]
al = { id = "npm:debug@2.6.9", requirement = "npm:debug@2" }
express = { id = "npm:express@4.19.2", requirement = "^4" }
tsc = { id = "npm:tsc@1.0.0", requirement = "1", kind = "dev" }
END
} >cratons.lock

succeeds "list" cratons list
has "$err" "cratons.lock is older than cratons.toml" "a stale lockfile is told"
is "$out" "al -> debug 2.6.9  npm:debug@2
express 4.19.2  ^4
tsc 1.0.0  1  dev  not for this platform  deprecated: gone ?[31m" "what it prints"
is "$(cd src/deep && cratons list -q express)" "express 4.19.2  ^4" "from below the project"
is "$(cratons -C src list express)" "express 4.19.2  ^4" "with -C"
is "$(cratons list --all 'd*' 2>/dev/null)" "debug 2.6.9
debug 4.0.0" "a pattern"
is "$(cratons list --all --production 'ms' 2>/dev/null)" "ms 2.0.0" "--production follows the edges"
succeeds "list --json" cratons list --json --all
is "$(node -e 'const l = JSON.parse(process.argv[1]); console.log(l.length, l[0].id, l[0].direct, l[2].kind)' "$out")" \
	"7 npm:debug@2.6.9 true dev" "is JSON"

is "$(cratons tree 2>/dev/null)" "app
├── al -> debug 2.6.9
│   └── ms 2.0.0
├── express 4.19.2
│   ├── accepts 1.3.8
│   │   └── ms 2.0.0
│   └── debug 2.6.9 (*)
└── tsc 1.0.0 (not for this platform) (deprecated) dev
    └── debug 4.0.0
        └── ms 2.1.3
            └── tsc 1.0.0 (not for this platform) (deprecated) (cycle)" "tree"
is "$(cratons tree --production --depth 1 2>/dev/null)" "app
├── al -> debug 2.6.9 …
└── express 4.19.2 …" "tree --depth --production"
has "$(cratons tree --full 2>/dev/null)" "│   └── debug 2.6.9
│       └── ms 2.0.0" "tree --full repeats"
is "$(cratons tree accepts 2>/dev/null)" "accepts 1.3.8
└── ms 2.0.0" "tree of a package"
exits 12 "tree of none" cratons tree expres
has "$err" "did you mean 'express'" "suggests"
is "$(cratons tree --json 2>/dev/null | node -pe 'JSON.parse(require("fs").readFileSync(0)).packages["npm:tsc@1.0.0"].debug')" \
	npm:debug@4.0.0 "tree --json"

is "$(cratons why ms 2>/dev/null)" "ms 2.0.0
    app > express 4.19.2 > accepts 1.3.8 > ms
    app > debug 2.6.9 > ms
ms 2.1.3
    app > tsc 1.0.0 > debug 4.0.0 > ms" "why"
is "$(cratons why debug@2.6.9 2>/dev/null)" "debug 2.6.9
    app asks for it: npm:debug@2
    app > express 4.19.2 > debug" "why a version"
is "$(cratons why debug@4.0.0 --json 2>/dev/null)" \
	'[{"id":"npm:debug@4.0.0","direct":false,"chains":[["npm:tsc@1.0.0","npm:debug@4.0.0"]]}]' "why --json"
exits 12 "why nothing" cratons why nosuch

echo garbage >>cratons.lock
exits 13 "a broken lockfile" cratons list --json
is "$(node -pe 'JSON.parse(process.argv[1]).error.name' "$out")" LOCKFILE "is an error in JSON"

# Another user's project above this directory, as anyone could leave it in /tmp.
if nobody_home; then
	mkdir -p "$T/shared/mine"
	cp cratons.toml "$T/shared/"
	chown 65534 "$T/shared/cratons.toml"
	exits 40 "another user's project" cratons -C "$T/shared/mine" list
	has "$err" "belongs to another user" "is not believed"
	exits 13 "unless it is named" cratons -C "$T/shared" list
else
	skip "another user's project" "needs root, to have another user's files"
fi

# A home where anyone may have put a store of theirs, whose facts would say what a package is.
mkdir "$T/open" && chmod 1777 "$T/open"
exits 40 "a home that everybody may write to" env CRATONS_HOME="$T/open" cratons gc
has "$err" "everybody may write to $T/open" "is not used"
chmod o-w "$T/open"
succeeds "until they may not" env CRATONS_HOME="$T/open" cratons gc
finish
