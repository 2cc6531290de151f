#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/run itself: it counts right, and nothing that goes wrong passes for success.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

mkdir -p fake/tests/cli fake/tests/lib fake/build
cp "$SRC/tests/run" fake/tests/
cp "$SRC/tests/lib/fuse-mode.sh" fake/tests/lib/

# with NAME TEXT: a test program in sh.
with() {
	printf '#!/bin/sh\n%s\n' "$2" >"fake/tests/cli/$1.sh"
	chmod +x "fake/tests/cli/$1.sh"
}
# The last line that it prints, and its exit status.
outcome() {
	rm -rf fake/build
	fake/tests/run "$@" >log 2>&1
	echo "$? $(tail -n 1 log)"
}
alone() { # NAME TEXT: only this one
	rm -f fake/tests/cli/*
	with "$1" "$2"
	outcome
}

is "$(outcome)" "1 0 passed, 0 failed, 0 skipped" "no test at all is a failure"
is "$(alone good 'echo ok 1 - a; echo "ok 2 - b # SKIP no luck"; echo 1..2')" \
	"0 1 passed, 0 failed, 1 skipped" "passed and skipped"
has "$(cat log)" "good.sh: b # no luck" "the reason is printed"
is "$(alone bad 'echo "not ok 1 - broken"; echo "# why"; echo 1..1')" "1 0 passed, 1 failed, 0 skipped" "failed"
has "$(cat log)" "# why" "with the end of its log"
is "$(alone status 'echo ok 1 - a; echo 1..1; exit 3')" "1 1 passed, 1 failed, 0 skipped" "an exit status"
is "$(alone crash 'echo ok 1 - a; echo 1..1; kill -SEGV $$')" "1 1 passed, 1 failed, 0 skipped" "a crash"
is "$(alone few 'echo ok 1 - a; echo 1..2')" "1 1 passed, 1 failed, 0 skipped" "fewer than planned"
is "$(alone noplan 'echo ok 1 - a')" "1 1 passed, 1 failed, 0 skipped" "no plan"
is "$(alone silent 'true')" "1 0 passed, 1 failed, 0 skipped" "no word"
is "$(alone bail 'echo ok 1 - a; echo "Bail out! fire"; echo 1..1')" "1 1 passed, 1 failed, 0 skipped" "bail out"
is "$(alone none 'echo "1..0 # SKIP no fuse"')" "1 0 passed, 0 failed, 1 skipped" "all skipped is no success"
is "$(alone seventyseven 'exit 77')" "1 0 passed, 0 failed, 1 skipped" "exit status 77"
is "$(alone slow '# test: timeout=1
sleep 60; echo ok 1 - a; echo 1..1')" "1 0 passed, 1 failed, 0 skipped" "too slow"
has "$(cat log)" "timed out after 1 s" "says so"
alone leaves 'sleep 1234 & echo ok 1 - a; echo 1..1' >/dev/null
sleep 0.2
is "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -c 'sleep 123[4] ')" 0 "what it leaves behind is ended"

rm -f fake/tests/cli/*
with quick 'echo ok 1 - a; echo 1..1'
with long '# test: slow alone
echo ok 1 - a; echo 1..1'
is "$(outcome)" "0 2 passed, 0 failed, 0 skipped" "all"
is "$(outcome --quick)" "0 1 passed, 0 failed, 0 skipped" "only the quick ones"
is "$(outcome long)" "0 1 passed, 0 failed, 0 skipped" "only what is named"
printf '#!/bin/sh\nprintf "ok - a::b (0.00s)\\nok - a::c  # SKIP no\\n1..2\\n" >"${1#--tap=}"\n' >unit
chmod +x unit && mkdir -p fake/other/test && mv unit fake/other/test/unit-x
is "$(outcome --build fake/other unit-x)" "1 0 passed, 0 failed, 0 skipped" "a build that is not there"
is "$(cd fake && tests/run --build other unit-x | tail -n 1)" "1 passed, 0 failed, 1 skipped" "Criterion's programs"
exits 2 "a mistake in the call" fake/tests/run --qick
finish
