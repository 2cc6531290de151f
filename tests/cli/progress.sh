#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The live line: on a terminal only, with what is waited for, and gone after a signal.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
command -v script >/dev/null || skip_all "script(1) is not installed"

# A registry that takes connections and never answers.
node -e 'const s = require("net").createServer(c => c.on("error", () => {})).listen(0, "127.0.0.1",
	() => console.log(s.address().port))' >port &
at_end "kill $!"
for _ in $(seq 100); do
	[ -s port ] && break
	sleep 0.05
done
echo "registry=http://127.0.0.1:$(cat port)/" >.npmrc
printf '[package]\nname = "x"\n[dependencies.npm]\nslow = "1"\n' >cratons.toml

# interrupted SIGNAL OPTION...: what cratons lock left on a terminal (of 60 columns) when a signal came.
interrupted() {
	local signal=$1
	shift
	cat >child <<END
stty cols 60
cratons $* lock &
sleep 0.7
kill -$signal \$!
wait \$!
echo "status \$?"
END
	TERM=xterm script -qec "bash ./child" /dev/null </dev/null 2>&1
}
shown=$(interrupted TERM)
has "$shown" "waiting for http://127.0.0.1" "a live line tells what it waits for"
has "$shown" $'\r\e[Jstatus 143' "after a signal the line is gone, and the signal ended it"
longest=$(tr '\r' '\n' <<<"$shown" | sed 's/\x1b\[[0-9]*[A-Za-z]//g' | awk 'length > n { n = length } END { print n }')
if [ "$longest" -lt 60 ]; then ok "it fits"; else not_ok "it fits" "$longest columns"; fi
count=$(grep -o "Resolving" <<<"$shown" | wc -l)
if [ "$count" -ge 2 ] && [ "$count" -le 16 ]; then ok "drawn again, at most 20 times a second"
else not_ok "drawn again, at most 20 times a second" "$count times"; fi
has_not "$(interrupted TERM --no-progress)" Resolving "--no-progress"
has_not "$(interrupted TERM -q)" Resolving "-q"
has_not "$(TERM=dumb interrupted TERM --no-progress)" $'\e[J' "no codes without a line"
timeout 1 cratons lock >plain 2>&1
has_not "$(cat plain)" $'\e' "no codes where there is no terminal"
finish
