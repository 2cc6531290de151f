#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=240
#
# --secret: the program has it; nothing that it prints, and nothing that is kept of the container, does.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
export TOKEN='tok-4f9a/c+2d&e"7x' PEM=$'-----BEGIN-----\nMIIEpAIBAAKCAQEA\nxx\n-----END-----'
user='' uid=0
as() { if [ "$user" ]; then as_nobody "$@"; else "$@"; fi; }
box() { as cratons container run --rm --secret TOKEN "$@"; }
masked() { # WANTED NAME COMMAND: of a shell
	is "$(box -- sh -c "$3" 2>&1)" "$1" "uid $uid: $2"
}

round() {
	masked "18 ***" "the program has it, and what is printed has not" 'echo "${#TOKEN} $TOKEN"'
	masked "***" "on the other stream" 'echo "$TOKEN" >&2'
	masked "***" "byte by byte" 'printf %s "$TOKEN" | dd bs=1 status=none'
	masked "***" "halves to both streams where they are one" 'printf %s "${TOKEN%f9*}"; printf %s "f9${TOKEN#*f9}" >&2'
	masked "***" "halves by two processes" \
		'(printf %s "${TOKEN%f9*}"; sleep 0.3) & sleep 0.1; sh -c '\''printf %s "f9${TOKEN#*f9}"'\''; wait'
	masked "tok***" "letter by letter, slowly, but for its beginning" \
		'for c in t o k - 4 f 9 a / c + 2 d "&" e \" 7 x; do printf %s "$c"; sleep 0.11; done'
	masked "***" "in base64" 'printf %s "$TOKEN" | base64'
	masked "before=***=after" "quoted in a URL" 'echo "before=tok-4f9a%2Fc%2B2d%26e%227x=after"'
	masked " ***" "in hexadecimal" 'printf %s "$TOKEN" | od -An -v -tx1'
	masked "a beginning: tok-4f" "what only begins like it is printed" 'echo "a beginning: tok-4f"'
	is "$(box -- head -c 3000000 /dev/zero | wc -c)" 3000000 "uid $uid: what is long comes through whole"
	is "$(box -- sh -c 'i=0; while [ $i -lt 20000 ]; do echo "line $i t to tok"; i=$((i+1)); done' | md5sum)" \
		"$(i=0; while [ $i -lt 20000 ]; do echo "line $i t to tok"; i=$((i+1)); done | md5sum)" \
		"uid $uid: and as it was"
	is "$(box -- sh -c 'echo "$TOKEN"; exit 7'; echo $?)" "***
7" "uid $uid: the status comes back"
	box -- yes | head -c 10 >/dev/null
	is "${PIPESTATUS[0]}" 141 "uid $uid: a reader that goes away is the program's loss"
	box -- sh -c 'echo "$TOKEN" >/dev/stdin' </dev/null >"$T/o" 2>&1
	is "$(box -- cat <<<'through')" "through" "uid $uid: standard input"
	: >"$T/rw" && chmod 666 "$T/rw"
	box -- sh -c 'echo "$TOKEN" >&0' <>"$T/rw" >"$T/o" 2>&1
	has_not "$(cat "$T/rw" "$T/o")" "$TOKEN" "uid $uid: standard input cannot be written"
	for out in "$T/plain" /dev/full; do
		box -- sh -c 'echo "$TOKEN"' >"$out" 2>"$T/o"
	done
	is "$(cat "$T/plain")" "***" "uid $uid: into a file"

	is "$(as cratons container run --rm --secret PEM -- sh -c 'echo "$PEM"; echo "$PEM" | sed -n 2p; echo "$PEM" | base64 -w 20')" \
		"$(printf '***\n***\n***Qo=')" "uid $uid: of several lines, each line, and base64 in lines"
	printf '%s\n' "$TOKEN" >"$T/file" && chmod 644 "$T/file"
	is "$(as cratons container run --rm --secret A,file="$T/file" -- sh -c 'echo "${#A} $A"')" "18 ***" \
		"uid $uid: from a file, without the line's end"
	is "$(as cratons container run --rm --secret A,env=TOKEN -- sh -c 'echo "$A:$TOKEN"')" "***:" \
		"uid $uid: from a variable of another name"
	for root in "" --read-only --overlay; do
		is "$(as cratons container run --rm $root --secret a.key,file="$T/file",type=mount -- sh -c \
			'stat -c %a /run/secrets/a.key; wc -c </run/secrets/a.key; cat /run/secrets/*; env | grep -c 4f9a')" \
			"400
19
***
0" "uid $uid: as a file${root:+ with $root}"
	done

	id=$(as cratons container run -d --name kept --secret TOKEN --net no.such.test:443 \
		-- sh -c 'echo "$TOKEN"; echo "$TOKEN" | base64 >&2; sleep 100')
	for i in {1..50}; do [ -n "$(as cratons logs kept 2>/dev/null)" ] && break; sleep 0.1; done
	is "$(as cratons logs kept 2>&1 | grep -v '^$')" "$(printf '***\n***Cg==')" "uid $uid: in the logs of one that is detached"
	has_not "$(as grep -rF 4f9a "$T" --include=* --exclude=file --exclude=rw 2>/dev/null)" 4f9a \
		"uid $uid: in no file that is kept"
	has_not "$(as cratons container inspect kept; as cratons ps --json; as cratons ps -a)" 4f9a "uid $uid: not in inspect and ps"
	has_not "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ')" 4f9a "uid $uid: in no process's arguments"
	has_not "$(as cat "/proc/$(as cratons container inspect kept | sed -n 's/.*"supervisor": *\([0-9]*\).*/\1/p')/environ" |
		tr '\0' '\n')" 4f9a "uid $uid: not in the supervisor's environment"
	is "$(as cratons container exec kept sh -c 'echo "[$TOKEN]"')" "[]" "uid $uid: a further command has it not"
	is "$(as cratons container exec --secret TOKEN kept sh -c 'echo "[$TOKEN]"')" "[***]" "uid $uid: unless it is given it too"
	exits 2 "uid $uid: as a file it comes too late" as cratons container exec --secret TOKEN,type=mount kept true
	as cratons container rm --force kept

	exits 2 "uid $uid: a value in the arguments is refused" box -- echo "$TOKEN"
	has_not "$out$err" 4f9a "uid $uid: without being told"
	exits 2 "uid $uid: one on the command line too" as cratons container run --rm --secret "A=$TOKEN" -- true
	has_not "$out$err" 4f9a "uid $uid: likewise"
	exits 2 "uid $uid: also behind the name" as cratons container run --rm --secret "A,$TOKEN" -- true
	has_not "$out$err" 4f9a "uid $uid: likewise"
	exits 2 "uid $uid: in --env" as cratons container run --rm --secret TOKEN --env "A=x$TOKEN" -- true
	exits 2 "uid $uid: a variable that is not there" as cratons container run --rm --secret NO_SUCH -- true
	exits 2 "uid $uid: a name twice" as cratons container run --rm --secret TOKEN --secret TOKEN,env=PEM -- true
	exits 2 "uid $uid: a name of --env's" as cratons container run --rm --env TOKEN=1 --secret TOKEN -- true
	exits 2 "uid $uid: no variable's name" as cratons container run --rm --secret a.b,env=TOKEN -- true
	exits 2 "uid $uid: a path" as cratons container run --rm --secret ../a,env=TOKEN,type=mount -- true
	exits 2 "uid $uid: too short to be kept out" as env TOKEN=1234567 cratons container run --rm --secret TOKEN -- true
	has "$err" "shorter than 8 bytes" "uid $uid: which is told"
}

round
if nobody_home; then
	user=nobody uid=$NOBODY
	round
else
	skip "as an ordinary user" "this user cannot become another"
fi
finish
