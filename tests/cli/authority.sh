#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What runs in a project can write the project, but not what decides over the next installation or runs
# on the host by itself.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

mkdir p && cd p || exit 1
cratons -q init >/dev/null
git init -q .
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
	touch .cratons/planted
	echo done >written
'
state() {
	cat cratons.toml cratons.lock .npmrc .git/config
	find .git/hooks .cratons | sort
}

before=$(state)
cratons run -- sh -c "$attack" >/dev/null 2>&1
is "$(state)" "$before" "a command in the container changed nothing of it"
is "$(cat written 2>&1)" "done" "and could write the project"

# The same outside succeeds: the attack is one.
cp -r . ../unconfined
(cd ../unconfined && sh -c "$attack" >/dev/null 2>&1)
[ "$(cd ../unconfined && state)" != "$before" ] && ok "unconfined it changes all of it" ||
	not_ok "unconfined it changes all of it"
finish
