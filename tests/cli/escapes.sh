#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test: timeout=120
#
# Texts from outside drive no terminal, and make no line that looks like one of Cratons' own.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
# A title, C1 in both forms, a colour, a direction, a line.
evil=$'\e]0;title\a\x9b31m\xc2\x9b1m\r\x03\xe2\x80\xae\nerror: feigned\nwarning: feigned\n  next: feigned'

tame() { # NAME COMMAND...: what it prints
	local name=$1 text
	shift
	text=$("$@" 2>&1 </dev/null)
	has "$text" feigned "$name: is told" # or there would be nothing to look at
	if LC_ALL=C grep -q $'\e]\|\a\|\x9b\|\r\|\xe2\x80\xae' <<<"$text" || grep -q '^\(error: feigned\|warning: feigned\|  next: feigned\)' <<<"$text"
	then not_ok "$name: and drives nothing" "$(cat -v <<<"$text")"
	else ok "$name: and drives nothing"; fi
}

for color in never always; do
	cratons() { command cratons --color $color "$@"; }
	tame "a command" cratons "$evil"
	tame "an option" cratons install "--$evil"
	tame "a directory" cratons -C "$T/$evil" list
	tame "a command that is not there" cratons container run --rm -- "$evil"
	tame "a directory to start in" cratons container run --rm -w "/$evil" -- true
	tame "a variable" cratons container run --rm --env "x$evil" -- true
	tame "a secret" cratons container run --rm --secret "a,file=/$evil" -- true
	tame "a container" cratons container stop "$evil"
	tame "a grant" cratons container run --rm --net "$evil:1" -- true
	mkdir -p bundle/rootfs project
	python3 - "$evil" >bundle/config.json <<-'END'
		import json, os, sys
		print(json.dumps({"ociVersion": "1.0.2", os.fsencode(sys.argv[1]).decode("latin-1"): 1,
			"process": {"cwd": "/", "args": ["true"], "user": {"uid": 0, "gid": 0}},
			"root": {"path": os.fsencode(sys.argv[1]).decode("latin-1")}}))
	END
	tame "a bundle" cratons container run --rm --bundle bundle
	printf '[package]\nname = "x"\n[scripts]\nx = """%s"""\n' 'echo \u001b]0;x\u0007\nerror: feigned' >project/cratons.toml
	tame "a script" cratons -C project run
	printf '[package]\nname = "x"\n["\\u001b]0;x\\u0007\\nerror: feigned"]\n' >project/cratons.toml
	tame "a manifest" cratons -C project run
done

# What a program asks the door for: any bytes can be a label of a name.
cat >"$T/ask.py" <<'END'
import os, socket, struct, sys
label = os.fsencode(sys.argv[1])
server = [l.split()[1] for l in open("/etc/resolv.conf") if l.startswith("nameserver")][0]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
for l in label[:60], label[-40:]:
    s.sendto(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + bytes([len(l)]) + l + b"\3com\0" + struct.pack(">HH", 1, 1), (server, 53))
    s.recv(512)
END
tame "a name that a program asks for" cratons container run --rm --net good.test:443 --ro-bind "$T/ask.py" -- \
	/usr/bin/python3 "$T/ask.py" "$evil"

finish
