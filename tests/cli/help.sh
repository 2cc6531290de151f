#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What --help and `cratons help` print is what the manual pages say.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"
man=$SRC/userspace/man
command -v mandoc >/dev/null || skip_all "mandoc is not installed"

# The words of a page as mandoc shows it, without its header and footer and with plain quotes.
words_of_mandoc() {
	mandoc -T ascii -O width=1000 "$1" | sed 's/.\x08//g' | sed '1d;$d' | plain
}
plain() {
	tr "\`" "'" | sed "s/''/\"/g" | tr -s ' \n' '\n\n' | sed '/^$/d'
}

for page in "$man"/*.1; do
	name=$(basename "$page" .1)
	verb=${name#cratons-}
	cratons help "$verb" >shown 2>&1
	if cmp -s <(plain <shown) <(words_of_mandoc "$page"); then
		ok "$name: help shows the page"
	else
		not_ok "$name: help shows the page" \
			"$(diff <(plain <shown) <(words_of_mandoc "$page") | head -n 20)"
	fi
	[ "$verb" != cratons ] || continue
	succeeds "$verb --help" cratons "$verb" --help
	# Of a verb with verbs below it each has its own part of the page.
	for below in $(sed -n 's/^\.It Cm \([a-z]*\)$/\1/p' "$page"); do
		[ "$verb" = container ] || break
		shown=$out
		succeeds "$verb $below --help" cratons "$verb" "$below" --help
		is "$out" "$(cratons help "$verb" "$below")" "help $verb $below is the same"
		out+=$shown
	done
	missing=$(mandoc -T ascii -O width=1000 "$page" | sed 's/.\x08//g' |
		sed -n '/^OPTIONS/,/^[A-Z]/p' | grep -oE '^ +-[^ ]+' | while read -r option; do
			grep -qF -- "${option%,}" <<<"$out" || echo "$option"
		done)
	is "$missing" "" "$verb --help has the page's options"
done

for verb in $(cratons --help | sed -n 's/^    \([a-z]\+\)  .*/\1/p'); do
	succeeds "$verb has a page" test -s "$man/cratons-$verb.1"
done
lines=$(cratons --help | awk 'length > 90' | head -n 3)
is "$lines" "" "lines are filled"
succeeds "container stop --help" cratons container stop --help
has "$out" "-t, --time SECONDS
            How long to wait before" "container stop --help has its own options"
has_not "$out" "--bundle" "and not those of others"
has "$out" "    cratons container stop [-t SECONDS] CONTAINER ..." "and its own synopsis"
has_not "$out" "container exec" "and no other"
exits 2 "help of what is no part" cratons help container nosuch
has "$err" "no command of cratons container" "says so"
finish
