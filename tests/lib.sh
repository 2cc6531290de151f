# SPDX-License-Identifier: GPL-2.0-or-later
#
# Helpers for tests in sh, to be sourced first:
#
#	#!/bin/bash
#	. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
#	is "$(cratons --version)" "cratons 0.1.0" "prints its version"
#	finish
#
# A test runs in an empty directory $T, which is removed at its end, with HOME and CRATONS_HOME below
# it, and prints TAP.
SRC=$(cd "${SRC:-$(dirname "$0")/../..}" && pwd)
BUILD=${BUILD:-$SRC/build}
PATH=$BUILD/bin:$PATH
export SRC BUILD PATH
NOBODY=65534
tap_count=0 tap_failed=0

T=$(mktemp -d "${TMPDIR:-/tmp}/cratons-test.XXXXXX") || exit 1
export HOME=$T/home CRATONS_HOME=$T/home/.cratons
mkdir -m 700 "$HOME"
cd "$T" || exit 1
. "$SRC/tests/lib/fuse-mode.sh"
fuse_mode_open
cleanup_commands=
trap 'tap_cleanup' EXIT
trap 'exit 130' INT TERM HUP

# Commands to run at the end, latest first: at_end "umount '$T/mnt'"
at_end() {
	cleanup_commands="$1
$cleanup_commands"
}

tap_cleanup() {
	eval "$cleanup_commands"
	fuse_mode_close
	cd /
	chmod -R u+rwX "$T" 2>/dev/null
	rm -rf --one-file-system "$T"
}

ok() { # name
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

not_ok() { # name [detail]
	tap_count=$((tap_count + 1)) tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	[ $# -lt 2 ] || printf '%s\n' "$2" | sed 's/^/# /'
}

skip() { # name reason
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

skip_all() { # reason
	echo "1..0 # SKIP $1"
	exit 0
}

is() { # got wanted name
	if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "got:    $1
wanted: $2"; fi
}

has() { # text part name
	case $1 in
	*"$2"*) ok "$3" ;;
	*) not_ok "$3" "not in it: $2
text: $1" ;;
	esac
}

has_not() { # text part name
	case $1 in
	*"$2"*) not_ok "$3" "in it: $2
text: $1" ;;
	*) ok "$3" ;;
	esac
}

# exits STATUS NAME COMMAND...: its output is left in $out (stdout) and $err.
exits() {
	local wanted=$1 name=$2 got
	shift 2
	"$@" >"$T/.out" 2>"$T/.err" </dev/null
	got=$?
	out=$(cat "$T/.out") err=$(cat "$T/.err")
	if [ $got = "$wanted" ]; then ok "$name"; else not_ok "$name" "exit status $got, wanted $wanted: $*
$out
$err"; fi
}

succeeds() { # name command...
	local name=$1
	shift
	exits 0 "$name" "$@"
}

# The same command as an ordinary user with a home of its own; for root only.
as_nobody() {
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups --no-new-privs \
		env HOME="$T/nobody" CRATONS_HOME="$T/nobody/.cratons" "$@"
}

# Makes that home, and $T passable; false when this user cannot drop to another.
nobody_home() {
	[ "$(id -u)" = 0 ] && command -v setpriv >/dev/null || return 1
	chmod 755 "$T"
	mkdir -p -m 700 "$T/nobody"
	chown $NOBODY:$NOBODY "$T/nobody"
}

finish() {
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}
