#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=120
#
# A further command where the seccomp programs are the container's own: it is bound by those very ones, or
# there is none. As root and as an ordinary user. Bundles' are in oci.py.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
chmod 755 "$T"
cat >"$T/own.toml" <<-'END'
	version = 1
	base = "default"
	[[refuse]]
	why = "nobody needs it"
	error = "EACCES"
	calls = ["mkdir", "mkdirat"]
END
chmod 644 "$T/own.toml"
refused='mkdir /tmp/x 2>&1 | grep -c "Permission denied"; grep ^Seccomp /proc/self/status'

changed() { # WHAT: the file as it is now gives no further command
	exits 50 "$who: $1" c container exec box true
	has "$err" "seccomp filters of container $id cannot be read" "$who: and says so"
	rm -rf "$file"
	cp -p "$T/filters" "$file"
}

try() { # WHO STATE, with c as the command
	who=$1
	id=$(c container run -d --name box --seccomp "$T/own.toml" -- sleep 100)
	file=$2/$id.box/filters
	is "$(c container exec box sh -c "$refused")" "$(c container run --rm --seccomp "$T/own.toml" -- sh -c "$refused")" \
		"$who: the same filters"
	has "$(c container exec box sh -c "$refused")" "1
" "$who: which refuse what they did"
	sed -i 's/mkdir/rmdir/g' "$T/own.toml"
	has "$(c container exec box sh -c "$refused")" "1
" "$who: also when the profile's file says something else by now"
	sed -i 's/rmdir/mkdir/g' "$T/own.toml"
	is "$(stat -c %a "$file")" 600 "$who: they are the owner's"

	cp -p "$file" "$T/filters"
	head -c -8 "$T/filters" >"$file"
	changed "cut"
	cat "$T/filters" "$T/filters" >"$file"
	changed "longer"
	printf '\0' | dd of="$file" bs=1 seek=100 conv=notrunc status=none
	printf '\1' | dd of="$file" bs=1 seek=101 conv=notrunc status=none
	changed "another instruction"
	: >"$file"
	changed "empty"
	head -c 1000000 /dev/zero >"$file"
	changed "too long for any"
	rm "$file"
	changed "missing"
	rm "$file" && ln -s "$T/filters" "$file"
	changed "a link"
	rm "$file" && mkfifo "$file"
	changed "a pipe"
	succeeds "$who: the file as it was" c container exec box true

	record=$2/$id.box/metadata.json
	cp -p "$record" "$T/record"
	sed 's/"filters":"[0-9a-f]\{4\}/"filters":"0123/' "$T/record" | tee "$record" >/dev/null
	exits 50 "$who: another digest" c container exec box true
	sed 's/"filters":"[0-9a-f]*"/"filters":"x"/' "$T/record" | tee "$record" >/dev/null
	exits 50 "$who: no digest" c container exec box true
	succeeds "$who: it is removed" c container rm --force box
	is "$(ls -A "$2")" lock "$who: with all there was"
}

c() { cratons "$@"; }
try "uid $(id -u)" "$CRATONS_HOME/containers"
if nobody_home; then
	c() { as_nobody cratons "$@"; }
	try "uid $NOBODY" "$T/nobody/.cratons/containers"
else
	skip "as an ordinary user" "only root can become one"
fi
finish
