#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The completion scripts load in their shells and complete.
. "${SRC:-$(dirname "$0")/../..}/tests/lib.sh"

for shell in bash zsh fish; do
	succeeds "for $shell" cratons completions $shell
	printf '%s\n' "$out" >$shell
done
exits 2 "for no shell" cratons completions
exits 2 "for another" cratons completions fsh
has "$err" "did you mean 'fish'" "with a suggestion"

# complete WORDS...: what bash offers for the last of them.
complete_bash() {
	bash --norc -c '. ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cratons; echo "${COMPREPLY[*]}"' \
		bash "$@"
}
succeeds "bash reads its" bash -n bash
is "$(complete_bash cratons compl)" completions "bash: a verb"
is "$(complete_bash cratons completions f)" fish "bash: an action"
is "$(complete_bash cratons --color al)" always "bash: a value"
is "$(complete_bash cratons --color = n)" never "bash: a value after ="
is "$(complete_bash cratons init --f)" --from "bash: a verb's option"
is "$(complete_bash cratons -C . init --nam)" --name "bash: after the program's options"
is "$(complete_bash cratons init --no-p)" --no-progress "bash: the program's options"

is "$(complete_bash cratons container sto)" stop "bash: a verb below"
is "$(complete_bash cratons container stop --t)" --time "bash: its own options"
is "$(complete_bash cratons container stop --b)" "" "bash: and not another's"
is "$(complete_bash cratons container run --b)" "--bundle --bind --best-effort" "bash: those of run"
cratons container run --name left -- true 2>/dev/null && have=left || have=
if [ -n "$have" ]; then
	is "$(complete_bash cratons container rm le)" left "bash: a container"
	is "$(complete_bash cratons logs le)" left "bash: for a short form too"
	is "$(cratons ps -aq)" left "ps --quiet"
else
	skip "bash: a container" "no containers here"
fi

if command -v zsh >/dev/null; then
	succeeds "zsh reads its" zsh -n zsh
	exits 0 "zsh loads it" zsh -f -c 'autoload -U compinit; compinit -u -D -d ./dump; . ./zsh; [[ ${_comps[cratons]} = _cratons ]]'
	is "$err" "" "without a word"
else
	skip "zsh loads it" "zsh is not installed"
fi
if command -v fish >/dev/null; then
	complete_fish() { fish --no-config -c ". ./fish; complete -C '$*'" | cut -f 1 | tr '\n' ' '; }
	succeeds "fish reads its" fish --no-execute fish
	is "$(complete_fish cratons compl)" "completions " "fish: a verb"
	is "$(complete_fish cratons completions f)" "fish " "fish: an action"
	is "$(complete_fish cratons init --fr)" "--from " "fish: an option"
	is "$(complete_fish cratons container sto)" "stop " "fish: a verb below"
	is "$(complete_fish cratons container stop --ti)" "--time " "fish: its own options"
	is "$(complete_fish cratons container stop --bu)" "" "fish: and not another's"
	is "$(complete_fish cratons run --bu)" "" "fish: nor of one that is called the same"
	[ -z "$have" ] || is "$(complete_fish cratons container rm le)" "left " "fish: a container"
	is "$(complete_fish cratons --color al)" "always " "fish: a value"
else
	skip "fish loads it" "fish is not installed"
fi
finish
