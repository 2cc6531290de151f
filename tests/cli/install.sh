#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: slow timeout=600
#
# install, add, remove, update and lock on a real project and the real registry: what is written, what
# is left alone, and that the same comes out however it is done.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
no_uring=$BUILD/test/no-uring

project() { # dir
	mkdir -p "$1"
	cat >"$1/cratons.toml" <<'P'
# The app of this test.
[package]
name = "app"   # its name

[dependencies.npm]
# kept
ms = "2.1.2"
debug = "^4.3.4"

[dev-dependencies.npm]
"is-odd" = "3.0.1"
P
}

install() { # dir args...
	local dir=$1
	shift
	cratons -C "$dir" install "$@"
}

# Names, kinds, modes, contents and links of a folder, but for what says who wrote it.
listing() {
	(cd "$1" && find . -mindepth 1 \( -type l -printf '%p -> %l\n' \) -o -type d -printf '%p/\n' \
		-o -type f -printf '%p %m ' -exec sha256sum {} \; | sed "s/ -> \$//; s/ [^ ]*$//" | LC_ALL=C sort)
}

project "$T/p"
exits 13 "--frozen without a lockfile" install p --frozen
has "$err" "no cratons.lock" "... says so"
has "$err" "run 'cratons install'" "... and what to do"
[ ! -e p/cratons.lock ] && ok "... and writes none" || not_ok "... and writes none"

if ! cratons -C p install >"$T/.out" 2>&1; then
	grep -q 'Connect\|resolve host\|Network' "$T/.out" && skip_all "the registry cannot be reached"
	not_ok "a first installation" "$(cat "$T/.out")"
	finish
fi
ok "a first installation"
cp -a p/cratons.lock "$T/lock"
cp -a p/cratons.toml "$T/toml"
succeeds "--frozen with what was locked" install p --frozen
succeeds "again" install p
has "$err$out" "Up to date" "... has nothing to do"

# A stale lockfile
sed -i 's/"2.1.2"/"2.1.3"/' p/cratons.toml
exits 13 "--frozen with another manifest" install p --frozen
has "$err" "made for another" "... says so"
cmp -s p/cratons.lock "$T/lock" && ok "... and leaves the lockfile" || not_ok "... and leaves the lockfile"
cp "$T/toml" p/cratons.toml

# Offline
project "$T/off"
cp "$T/lock" off/cratons.lock
succeeds "--offline with a lockfile and a warm store" install off --offline --frozen
rm off/cratons.lock
succeeds "--offline without a lockfile, from cached metadata" install off --offline
cmp off/cratons.lock "$T/lock" && ok "... gives the same lockfile" || not_ok "... gives the same lockfile"
rm off/cratons.lock
succeeds "--prefer-offline" install off --prefer-offline
exits 20 "--offline in an empty home" env CRATONS_HOME="$T/empty" cratons -C p install --offline
has "$err" "without --offline" "... names the next step"
exits 20 "add --offline of what is not there" cratons -C off add left-pad --offline
cmp -s off/cratons.toml "$T/toml" && ok "... leaves the manifest" || not_ok "... leaves the manifest"

# Determinism
same() { # name args...
	local name=$1
	shift
	rm -rf "$T/h" "$T/d"
	project "$T/d"
	CRATONS_HOME=$T/h "$@" >"$T/.out" 2>&1 || not_ok "$name" "$(cat "$T/.out")"
	if cmp -s d/cratons.lock "$T/lock"; then ok "$name: the same lockfile"; else
		not_ok "$name: the same lockfile" "$(diff d/cratons.lock "$T/lock" | head -n 20)"; fi
}
environment() { # home dir
	CRATONS_HOME=$1 cratons -C "$2" --json install | grep -o '"environment": *"[0-9a-f]*"'
}
wanted=$(environment "$CRATONS_HOME" p)
for how in "--jobs 1" "--jobs 8" "--io plain" "--io uring"; do
	same "$how" cratons -C d install $how
	is "$(environment "$T/h" d)" "$wanted" "$how: the same environment"
done
if [ -x "$no_uring" ]; then
	same "io_uring forbidden" "$no_uring" cratons -C d install
	exits 1 "--io uring where it is forbidden" env CRATONS_HOME="$T/cold" "$no_uring" cratons -C d install --io uring
else
	skip "io_uring forbidden" "$no_uring is not built"
fi

# Production
project "$T/prod"
succeeds "--production" install prod --production --materialize=copy
[ -e prod/node_modules/debug ] && [ ! -e prod/node_modules/is-odd ] &&
	ok "... leaves out what is for development" || not_ok "... leaves out what is for development" "$(ls prod/node_modules)"
# The trees of what was not unpacked come with the next installation.
is "$(grep ^id prod/cratons.lock)" "$(grep ^id "$T/lock")" "... but locks all"
succeeds "a whole installation after it" install prod
cmp -s prod/cratons.lock "$T/lock" && ok "... completes the lockfile" || not_ok "... completes the lockfile"

# Ways to write it out
for how in copy hardlink auto; do
	project "$T/m-$how"
	succeeds "--materialize=$how" install "m-$how" --materialize=$how
	listing "m-$how/node_modules" >"$T/list-$how"
done
cmp -s list-copy list-hardlink && cmp -s list-copy list-auto && ok "all ways give the same" ||
	not_ok "all ways give the same" "$(diff list-copy list-hardlink | head; diff list-copy list-auto | head)"
if cratons -C m-copy run -- true 2>"$T/.err"; then
	mkdir "$T/seen"
	# node_modules in the container is the mount, not what was written out.
	cratons -C p run -- sh -c 'cd node_modules && find . -mindepth 1 \( -type l -printf "%p -> %l\n" \) -o -type d -printf "%p/\n" -o -type f -printf "%p " -exec sha256sum {} \;' |
		sed 's/ [^ ]*$//' | LC_ALL=C sort >"$T/list-mount"
	(cd m-copy/node_modules && find . -mindepth 1 \( -type l -printf "%p -> %l\n" \) -o -type d -printf "%p/\n" -o -type f -printf "%p " -exec sha256sum {} \;) |
		sed 's/ [^ ]*$//' | LC_ALL=C sort >"$T/list-files"
	cmp -s list-mount list-files && [ -s list-mount ] && ok "the mount shows the same" ||
		not_ok "the mount shows the same" "$(diff list-mount list-files | head)"
	is "$(cratons -C p run -- sh -c 'find node_modules/ -type f -perm /111 | wc -l')" \
		"$(find m-copy/node_modules/ -type f -perm /111 | wc -l)" "... with the same modes"
else
	skip "the mount shows the same" "no container here: $(head -n 1 "$T/.err")"
fi

# What was there, what was changed
project "$T/foreign"
mkdir -p foreign/node_modules/mine
echo precious >foreign/node_modules/mine/file
exits 11 "a node_modules that something else made is refused" install foreign --materialize=copy
has "$err" "node_modules" "... by name"
is "$(cat foreign/node_modules/mine/file)" precious "... and not touched"
project "$T/linked"
mkdir "$T/outside" && ln -s ../outside linked/node_modules
exits 11 "a node_modules that is a link is refused" install linked --materialize=copy
rm -rf linked/node_modules linked/.cratons && ln -s ../outside linked/.cratons
exits 11 "a .cratons that is a link is refused" install linked --materialize=copy
is "$(ls -A "$T/outside")" "" "... and nothing is written through it"
if cratons -C p run -- true 2>"$T/.err"; then
	rm -rf "$T/canary" && mkdir "$T/canary"
	# What runs may write the project: links that it leaves there must not lead the next run out.
	for place in .cratons/cache/.cache .cratons/cache .cratons; do
		cratons -C p run -- sh -c "rm -rf $place; ln -s '$T/canary' $place" 2>/dev/null
		[ -L p/$place ] || rm -rf p/$place && ln -sfn "$T/canary" p/$place
		cratons -C p run -- sh -c 'echo escaped >node_modules/.cache/out' >"$T/.out" 2>&1
		is "$(find "$T/canary" -mindepth 1)" "" "a run after $place became a link stays in its container"
		rm -rf p/.cratons
	done
	for place in .cratons/overlay/upper .cratons/overlay; do
		cratons -C p run --overlay -- true
		rm -rf p/$place && ln -s "$T/canary" p/$place
		cratons -C p run --overlay -- sh -c 'echo escaped >node_modules/out' >"$T/.out" 2>&1
		is "$(find "$T/canary" -mindepth 1)" "" "an overlay after $place became a link"
		rm -rf p/.cratons
	done
	cratons -C p run --overlay -- sh -c 'echo kept >node_modules/out' &&
		is "$(cratons -C p run --overlay -- cat node_modules/out)" kept "without links an overlay keeps what was written"
else
	skip "links in .cratons" "no container here: $(head -n 1 "$T/.err")"
fi
f=$(find -H m-copy/node_modules/ms/ -name index.js | head -n 1)
cp "$f" "$T/index.js"
chmod u+w "$f" && echo 'evil()' >>"$f"
mkdir -p m-copy/node_modules/planted && echo x >m-copy/node_modules/planted/x
rm -rf m-copy/node_modules/debug
succeeds "--materialize again" install m-copy --materialize=copy
cmp -s "$f" "$T/index.js" && ok "... repairs an edited file" || not_ok "... repairs an edited file"
listing m-copy/node_modules | cmp -s - "$T/list-copy" && ok "... and all else" ||
	not_ok "... and all else" "$(listing m-copy/node_modules | diff - "$T/list-copy" | head)"

# add and remove keep what a person wrote
project "$T/a"
succeeds "add" cratons -C a add left-pad@1.3.0
is "$(diff "$T/toml" a/cratons.toml)" '8a9
> left-pad = "1.3.0"' "... changes one line"
succeeds "remove" cratons -C a remove left-pad
cmp -s a/cratons.toml "$T/toml" && ok "... takes it back" || not_ok "... takes it back" "$(diff "$T/toml" a/cratons.toml)"
cmp -s a/cratons.lock "$T/lock" && ok "... in the lockfile too" || not_ok "... in the lockfile too" "$(diff "$T/lock" a/cratons.lock)"
exits 12 "add of what does not exist" cratons -C a add this-name-is-nobodys-i-hope-12345
cmp -s a/cratons.toml "$T/toml" && cmp -s a/cratons.lock "$T/lock" && ok "... changes nothing" || not_ok "... changes nothing"
exits 12 "add of a version that does not exist" cratons -C a add ms@99.99.99
cmp -s a/cratons.toml "$T/toml" && ok "... changes nothing" || not_ok "... changes nothing"
exits 12 "remove of what is not there" cratons -C a remove nothing-here

# update
project "$T/u"
cp "$T/lock" u/cratons.lock
succeeds "update" cratons -C u update
cmp -s u/cratons.toml "$T/toml" && ok "... leaves the manifest" || not_ok "... leaves the manifest"
exits 12 "update of what nothing depends on" cratons -C u update mss
has "$err" "'mss' is not in cratons.lock" "... says so"
has "$err" "did you mean 'ms'" "... and what may have been meant"
succeeds "update --latest of one" cratons -C u update --latest ms
has_not "$(cat u/cratons.toml)" 'ms = "2.1.2"' "... raises its requirement"
has "$(cat u/cratons.toml)" 'debug = "^4.3.4"' "... and no other"
has "$(cat u/cratons.toml)" '# kept' "... and keeps comments"

# Lockfiles edited by hand
edited() { # name status says sed-script
	rm -rf "$T/e"
	project "$T/e"
	sed "$4" "$T/lock" >e/cratons.lock
	cmp -s e/cratons.lock "$T/lock" && not_ok "$1: nothing was edited"
	cp e/cratons.lock "$T/before"
	exits "$2" "lockfile: $1" env CRATONS_HOME="$T/edited-home" cratons -C e install
	has "$err" "$3" "... says what"
	cmp -s e/cratons.lock "$T/before" && ok "... and it stays" || not_ok "... and it stays"
}
edited "an alias that is a path" 13 "cratons.lock:" 's,^name = "ms"\|\<ms = "npm:ms@2,"../../evil" = "npm:ms@2,'
edited "no integrity" 13 "cratons.lock:" '/^integrity/d; /^tree/d'
edited "another integrity" 11 "but should be sha512-AAAA" '0,/^integrity = "sha512-..../s//integrity = "sha512-AAAA/'
edited "another tree" 11 "tree" '0,/^tree = "blake3:......../s//tree = "blake3:00000000/'
edited "a source on another host" 13 "is not its registry" 's,^source = "https://[^/]*,source = "http://127.0.0.1:9,'
edited "a conflict of a merge" 13 "cratons.lock:" '1i <<<<<<< HEAD'
rm -rf "$T/e"
project "$T/e"
{ cat "$T/lock"; sed -n '/^\[\[package\]\]/,/^$/p' "$T/lock" | sed '/^$/q' | sed 's/^id = .*/id = "npm:extra@1.0.0"/; /^dependencies/d; /^optional/d; /^peers/d'; } >e/cratons.lock
exits 13 "lockfile: a package that nobody needs" install e
has "$err" "npm:extra@1.0.0" "... is named"

# Several at once in one home, with gc
export CRATONS_HOME=$T/busy
project "$T/b1"
project "$T/b2"
sed -i 's/^debug.*/left-pad = "1.3.0"/' b2/cratons.toml
install b1 >b1.log 2>&1 &
one=$!
install b2 >b2.log 2>&1 &
two=$!
while kill -0 $one 2>/dev/null || kill -0 $two 2>/dev/null; do
	cratons gc >>gc.log 2>&1 || echo failed >>gc.failed
	sleep 0.05
done
wait $one && ok "an installation beside another and gc" || not_ok "an installation beside another and gc" "$(cat b1.log)"
wait $two && ok "the other" || not_ok "the other" "$(cat b2.log)"
[ ! -e gc.failed ] && ok "gc" || not_ok "gc" "$(tail -n 5 gc.log)"
cmp -s b1/cratons.lock "$T/lock" && ok "the lockfile is the same" || not_ok "the lockfile is the same"
succeeds "nothing of it was lost" install b1 --offline --materialize=copy
succeeds "nor of the other" install b2 --offline --materialize=copy
succeeds "the store is whole" cratons store verify

# kill -9 during a cold installation
healed=0
for ms in 20 40 60 80 120 160 200 300 400 600; do
	rm -rf "$T/k"
	project "$T/k"
	export CRATONS_HOME=$T/killed
	install k >/dev/null 2>&1 &
	victim=$!
	sleep "$(printf '0.%03d' $ms)"
	kill -9 $victim 2>/dev/null
	wait $victim 2>/dev/null
	cratons store verify >"$T/.out" 2>&1 || [ ! -d "$CRATONS_HOME/store" ] || { not_ok "killed after $ms ms: the store" "$(cat "$T/.out")"; continue; }
	[ -e k/cratons.lock ] && ! cmp -s k/cratons.lock "$T/lock" && { not_ok "killed after $ms ms: half a lockfile"; continue; }
	healed=$((healed + 1))
	[ $((ms % 100)) = 0 ] && rm -rf "$CRATONS_HOME"
done
is $healed 10 "kill -9 at ten moments leaves a whole store"
succeeds "the next installation heals" install k --materialize=copy
cmp -s k/cratons.lock "$T/lock" && listing k/node_modules | cmp -s - "$T/list-copy" && ok "... to the same" || not_ok "... to the same"
finish
