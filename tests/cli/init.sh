#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cratons init: new projects, and npm projects taken over.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

mkdir "My App" && cd "My App"
succeeds "a new project" cratons init
has "$(cat cratons.toml)" 'name = "my-app"' "is called after its directory"
cp cratons.toml before
exits 14 "a second time" cratons init
has "$err" "already" "says why"
succeeds "and changes nothing" cmp cratons.toml before
exits 14 "nor through a link" bash -c 'mkdir ../l && cd ../l && ln -s nowhere cratons.toml && cratons init'
is "$(readlink ../l/cratons.toml)" nowhere "which stays"

mkdir ../named && cd ../named
succeeds "--json" cratons init --name chosen --json
is "$out" '{"created":"cratons.toml","name":"chosen","dependencies":0,"scripts":0}' "its report"
mkdir ../bad && cd ../bad
exits 14 "a name that is none" cratons init --name "../x"
succeeds "leaves no file" test ! -e cratons.toml

mkdir ../npm && cd ../npm
cat >package.json <<'END'
{ "name": "demo", "version": "1.2.3", "engines": { "node": ">=18" },
  "scripts": { "build": "tsc -p .", "test": "echo \"x\" && exit 1" },
  "dependencies": { "express": "^4.18.0", "socket.io": "~4.1", "git-thing": "github:a/b",
    "loc": "file:./lib", "up": "file:../x", "ali": "npm:lodash@4", "empty": "", "@s/x": "latest" },
  "devDependencies": { "typescript": "5", "express": "3" },
  "peerDependencies": { "react": ">=17", "typescript": "*" },
  "optionalDependencies": { "fsevents": "^2" },
  "overrides": { "a": "1", "b": { ".": "2", "c": "$express" } },
  "pnpm": { "onlyBuiltDependencies": ["esbuild"] } }
END
touch .npmrc
succeeds "an npm project" cratons init --from package.json
text=$(cat cratons.toml)
has "$err" ".npmrc stays in use" "tells of .npmrc"
has "$err" "left out git-thing" "tells what it left out"
has "$text" '# git-thing = "github:a/b"' "and leaves it as a comment"
has "$text" '# up = ' "so too a path that leaves the project"
has "$text" 'express = "^4.18.0"' "a dependency"
has_not "$text" 'express = "3"' "once: normal wins over development"
has "$text" '"socket.io" = "~4.1"' "a name that needs quotes"
has "$text" 'empty = "*"' "an empty version is any"
has "$text" 'loc = { path = "./lib" }' "a directory"
has "$text" 'react = ">=17"' "a peer"
has "$text" '[optional-dependencies.npm]
fsevents = "^2"' "an optional one"
has "$text" 'b = { "." = "2", c = "$express" }' "nested overrides"
has "$text" 'test = "echo \"x\" && exit 1"' "scripts"
has "$text" 'allow-scripts = ["esbuild"]' "whose scripts may run"
has "$text" '# node = ">=18"' "engines as a proposal"
rm cratons.toml

echo '{ "name": "x", "dependencies": { "a\n[scripts]\nevil": "1", "b": "1\nevil = \"2\"" } }' >package.json
succeeds "names with newlines" cratons init --from package.json
has_not "$(grep -v '^#' cratons.toml)" evil "put no line of their own in"
rm cratons.toml
echo '{ "name": ' >package.json
exits 1 "a broken package.json" cratons init --from package.json
has "$err" "package.json" "is named"
echo '[]' >package.json
exits 14 "one that is no object" cratons init --from package.json
exits 1 "one that is not there" cratons init --from nosuch.json
finish
