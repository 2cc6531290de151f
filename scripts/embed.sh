#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# embed.sh FILE: assembly that carries FILE's bytes as EMBED_<name>, EMBED_<name>_end, where every
# character of the path that C does not allow in a name is an underscore.
set -eu
name=EMBED_$(printf %s "$1" | tr -c 'A-Za-z0-9' _)
cat <<EOF
	.section .rodata
	.globl $name, ${name}_end
	.hidden $name, ${name}_end
$name:
	.incbin "$1"
${name}_end:
	.byte 0
	.section .note.GNU-stack,"",%progbits
EOF
