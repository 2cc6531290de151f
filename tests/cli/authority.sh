#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What runs in a project can write the project, but not what decides over the next installation or runs
# on the host by itself.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

mkdir p && cd p || exit 1
cratons -q init >/dev/null
git init -q .
mkdir -p .husky/_
echo true >.husky/_/pre-commit
echo 'registry=https://registry.npmjs.org/' >.npmrc
succeeds "an empty environment is installed" cratons -q install
succeeds "a run makes what runs need" cratons run -- true

attack='
	echo "allow" >>cratons.toml
	rm -f cratons.lock
	mv cratons.lock other
	echo "registry=http://127.0.0.1:1/" >.npmrc
	ln -sf /etc/passwd .npmrc
	echo "id" >.git/hooks/post-checkout
	git config core.fsmonitor id
	echo "id" >.husky/_/pre-commit
	mkdir evil && printf "[core]\nfsmonitor=id\n" >evil/config && echo ../evil >.git/commondir
	mv .git aside && mkdir .git
	mv .husky aside2
	touch .cratons/planted
	echo done >written
'
state() {
	cat cratons.toml cratons.lock .npmrc .git/config
	find .git .husky .cratons | sort
	cat .husky/_/pre-commit
}

before=$(state)
cratons run -- sh -c "$attack" >/dev/null 2>&1
is "$(state)" "$before" "a command in the container changed nothing of it"
is "$(cat written 2>&1)" "done" "and could write the project"

is "$(cratons run -- git status --short | head -n 1)" "?? .husky/" "git reads it inside"

# A repository that was not there is told of: git would run what its config names.
mkdir ../bare && cp cratons.* ../bare
is "$(cd ../bare && cratons run -- git init -q . 2>&1)" "warning: the command made .git here: git on the host runs what its config and hooks name, so look at them before" "a new repository is told of"
is "$(cd ../bare && cratons run -- true 2>&1)" "" "once"

# The same outside succeeds: the attack is one.
cp -r . ../unconfined
(cd ../unconfined && sh -c "$attack" >/dev/null 2>&1)
[ "$(cd ../unconfined && state)" != "$before" ] && ok "unconfined it changes all of it" ||
	not_ok "unconfined it changes all of it"
finish
