// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of verbs, the tables of options and the manual pages tell the same. */
#include "commands.h"
#include "manpage.h"

#include <criterion/criterion.h>

/* main.o, which has the program's options, is not linked here. */
const struct opt global_options[] = { OPT_END };

static const char *page_summary(const char *page)
{
	static char text[128];
	const char *nd = strstr(page, "\n.Nd ");

	cr_assert_not_null(nd);
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(nd + 5, "\n"), nd + 5);
	return text;
}

Test(verbs, summaries_are_the_pages)
{
	for (const struct command *k = commands; k->name; k++)
		cr_expect_str_eq(k->summary, page_summary(k->page), "%s", k->name);
}

Test(verbs, groups_stand_together)
{
	bool over[16] = { false };

	for (const struct command *k = commands; k->name; k++) {
		cr_expect_not(over[k->group], "%s", k->name);
		if (k[1].name && k[1].group != k->group)
			over[k->group] = true;
	}
}

/* `page`: the verb's own, or that of the verb that it is below. */
static void check_options(const struct command *k, const char *page)
{
	struct buf b = BUF_INIT;

	opt_foreach(o, k->options) {
		if (!opt_is_option(o))
			continue;
		buf_reset(&b);
		cr_expect_eq(manpage_option(&b, page, o->name, o->letter), 0, "%s: no word about --%s",
			k->name, o->name);
	}
	buf_done(&b);
}

Test(verbs, every_option_is_in_its_page)
{
	for (const struct command *k = commands; k->name; k++) {
		check_options(k, k->page);
		for (const struct command *b = command_below(k); b && b->name; b++)
			check_options(b, k->page);
	}
}

static bool has_option(const struct opt *table, struct str text)
{
	opt_foreach(o, table) {
		if (!opt_is_option(o))
			continue;
		if (o->name && text.p[0] == '-' && str_is(str_slice(text, 1, text.n), o->name))
			return true;
		if (text.n == 1 && text.p[0] == o->letter)
			return true;
	}
	return false;
}

/* A page tells of the options of the verbs below its own too. */
static bool page_has_option(const struct command *k, struct str text)
{
	bool has = has_option(k->options, text);

	for (const struct command *b = command_below(k); b && b->name; b++)
		has |= has_option(b->options, text);
	return has;
}

/* ".It Fl j , -jobs Ar N": the words up to a macro other than Fl. */
static void check_item(const struct command *k, struct str line)
{
	struct str rest = str_slice(line, 7, line.n);

	while (rest.p) {
		struct str word = str_cut(&rest, ' ');

		if (str_is(word, "Ar") || str_is(word, "Ns") || str_is(word, "Oo"))
			break;
		if (word.n == 0 || str_is(word, ",") || str_is(word, "Fl"))
			continue;
		cr_expect(page_has_option(k, word), "%s: the page has -%.*s, the program not",
			k->name, STR_ARG(word));
	}
}

Test(verbs, every_option_of_a_page_is_there)
{
	for (const struct command *k = commands; k->name; k++) {
		struct str rest = str_from(k->page);

		while (rest.p) {
			struct str line = str_cut(&rest, '\n');

			if (str_starts(line, STR(".It Fl ")))
				check_item(k, line);
		}
	}
}

Test(verbs, options_are_in_the_section_of_that_name)
{
	for (const struct command *k = commands; k->name; k++)
		opt_foreach(o, k->options)
			if (opt_is_option(o))
				cr_expect(manpage_has(k->page, "OPTIONS"), "%s", k->name);
}

Test(verbs, no_option_takes_the_programs_letters)
{
	/* ps --quiet is quieter than others: only names are left. */
	for (const struct command *k = commands; k->name; k++)
		opt_foreach(o, k->options)
			cr_expect(!o->letter || (o->letter == 'q' && strcmp(o->name, "quiet") == 0) || !strchr("CqvVh", o->letter), "%s -%c", k->name, o->letter);
}
