#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# embed.sh PATH FILE: assembly that carries FILE's bytes as EMBED_<path>, EMBED_<path>_end, where every
# character of PATH that C does not allow in a name is an underscore.
set -eu
name=EMBED_$(printf %s "$1" | tr -c 'A-Za-z0-9' _)
cat <<EOF
	.section .rodata
	.balign 16
	.globl $name, ${name}_end
	.hidden $name, ${name}_end
$name:
	.incbin "$2"
${name}_end:
	.byte 0
	.section .note.GNU-stack,"",%progbits
EOF
