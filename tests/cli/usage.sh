#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a person sees who types something wrong, and what a program sees.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

is "$(cratons --version)" "cratons $(cat "$SRC/scripts/version")" "--version"
exits 2 "no command" cratons
has "$err" "a command is missing" "says so"
is "$out" "" "and nothing on stdout"
exits 2 "unknown command" cratons hlep
has "$err" "did you mean 'cratons help'" "suggests the nearest"
exits 2 "a command of another tool" cratons uninstall
has "$err" "cratons remove" "is translated"
exits 2 "unknown option" cratons --colr always help
has "$err" "did you mean '--color'" "is suggested too"
exits 2 "unknown option of a command" cratons help --jsno
has "$err" "did you mean '--json'" "suggests the program's own"
exits 2 "unknown letter" cratons help -z
has "$err" "unknown option '-z'" "is named"
exits 2 "a value where none belongs" cratons --json=yes help
exits 2 "a missing value" cratons -C
exits 2 "not one of the choices" cratons --color sometimes help
has "$err" "auto|always|never" "lists them"
exits 2 "too many arguments" cratons help a b c
has "$err" "unexpected argument 'c'" "names the first"
exits 2 "--json where nothing is reported" cratons --json help
is "$err" "" "the error is on stdout"
is "$(node -e 'const e = JSON.parse(process.argv[1]).error; console.log(e.code, e.name, Object.keys(e).join())' "$out")" \
	"2 USAGE code,name,message,where,hint" "in its shape"
succeeds "options before the command" cratons --color=never -q help
succeeds "options after the command" cratons help --color never -qv
succeeds "a lone -- ends the options" cratons help -- help
exits 1 "a directory that is not there" cratons -C missing help
has "$err" "cannot enter missing: No such file" "says why"
exits 2 "no manual page" cratons help nosuch

succeeds "colour when asked" cratons --color always --help
has "$out" $'\e[1m' "bold"
succeeds "none when not a terminal" cratons --help
has_not "$out" $'\e' "plain"
exits 2 "control characters in what was typed" cratons $'\e[31mx'
has_not "$err" $'\e' "do not reach the terminal"
exits 1 "a full disk" bash -c 'cratons help cratons >/dev/full'
has "$err" "cannot write the output" "is reported"
succeeds "a reader that leaves" bash -c 'set -o pipefail; cratons help cratons | head -n 1; [ ${PIPESTATUS[0]} = 0 ] || [ ${PIPESTATUS[0]} = 141 ]'
succeeds "standard descriptors closed" bash -c 'cratons --version <&- 2>&-'

succeeds "-v" cratons init -v --name x
has "$err" "MB of memory" "tells what it cost"
succeeds "-v list" bash -c 'cratons -v config list'
has "$err" "project: $T" "and which project it is"
finish
