// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"
#include "prim/err.h"

#include <criterion/criterion.h>

static bool flag, verbose;
static const char *text, *choice;
static uint64_t number;
static struct opt_list list;

static const struct opt table[] = {
	OPT_FLAG("flag", 'f', &flag),
	OPT_FLAG("verbose", 'v', &verbose),
	OPT_TEXT("text", 't', "TEXT", &text),
	OPT_CHOICE("choice", 0, "one|two", &choice),
	OPT_NUMBER("number", 'n', "N", 1, 10, &number),
	OPT_LIST("item", 'i', "ITEM", &list),
	OPT_ARGS("FILE", 1, 2),
	OPT_END,
};

static char *argv[16];
static int argc;
static struct diag d;

/* Splits at spaces, "" for an empty argument is '_'. */
static int parse_as(const char *line, bool stop)
{
	static char copy[256];
	struct opt_parse p = { { table }, .stop_at_argument = stop };

	flag = verbose = false;
	text = choice = NULL;
	number = 0;
	list.n = 0;
	argc = 0;
	diag_done(&d);
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *s = copy, *end; s && *s; s = end) {
		end = strchr(s, ' ');
		if (end)
			*end++ = '\0';
		argv[argc++] = s;
	}
	return opt_parse(&p, &argc, argv, &d);
}

static int parse(const char *line)
{
	return parse_as(line, false);
}

Test(options, every_form)
{
	cr_assert_eq(parse("a --flag -vvf --text=x -n7 b --choice two -t y --item=1 -i2 -i 3"), 0);
	cr_assert(flag);
	cr_assert(verbose);
	cr_assert_str_eq(text, "y");
	cr_assert_str_eq(choice, "two");
	cr_assert_eq(number, 7);
	cr_assert_eq(list.n, 3);
	cr_assert_str_eq(list.v[2], "3");
	cr_assert_eq(argc, 2);
	cr_assert_str_eq(argv[0], "a");
	cr_assert_str_eq(argv[1], "b");
}

Test(options, two_dashes_end_them_and_one_is_an_argument)
{
	cr_assert_eq(parse("- -f -- --flag -- x"), 0);
	cr_assert_eq(argc, 4);
	cr_assert_str_eq(argv[0], "-");
	cr_assert_str_eq(argv[1], "--flag");
	cr_assert_str_eq(argv[2], "--");
}

Test(options, stop_at_the_first_argument)
{
	cr_assert_eq(parse_as("-f run --text x -- -v", true), 0);
	cr_assert(flag);
	cr_assert_eq(argc, 5);
	cr_assert_null(text);
	cr_assert_str_eq(argv[3], "--");
}

Test(options, an_empty_value_is_a_value)
{
	cr_assert_eq(parse("--text="), 0);
	cr_assert_str_eq(text, "");
}

Test(options, refusals)
{
	static const struct {
		const char *line, *what, *hint;
	} cases[] = {
		{ "--flagg", "unknown option '--flagg'", "did you mean '--flag'?" },
		{ "--zzzzzz", "unknown option '--zzzzzz'", "" },
		{ "-x", "unknown option '-x'", "" },
		{ "--flag=1", "--flag takes no value", "" },
		{ "--text", "--text needs a value: TEXT", "" },
		{ "-t", "--text needs a value: TEXT", "" },
		{ "--choice three", "--choice takes one of one|two, not 'three'", "" },
		{ "--choice tow", "--choice takes one of one|two, not 'tow'", "did you mean 'two'?" },
		{ "-n 0", "--number takes a number from 1 to 10", "" },
		{ "-n 11", "--number takes a number from 1 to 10", "" },
		{ "-n -1", "--number takes a whole number, not '-1'", "" },
		{ "-n 1x", "--number takes a whole number, not '1x'", "" },
		{ "-n 99999999999999999999", "--number takes a whole number, not "
					     "'99999999999999999999'", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cr_assert_eq(parse(cases[i].line), -ERR_USAGE, "%s", cases[i].line);
		cr_assert_str_eq(buf_text(&d.what), cases[i].what);
		cr_assert_str_eq(buf_text(&d.hint), cases[i].hint, "%s", cases[i].line);
	}
}

Test(options, numbers_of_arguments)
{
	static const struct opt action[] = { OPT_ACTION("get|list"), OPT_ARGS("KEY", 0, 1), OPT_END };

	cr_assert_eq(opt_check_args(table, 0, argv, &d), -ERR_USAGE);
	cr_assert_str_eq(buf_text(&d.what), "FILE is missing");
	parse("a b c");
	cr_assert_eq(opt_check_args(table, 2, argv, &d), 0);
	cr_assert_eq(opt_check_args(table, 3, argv, &d), -ERR_USAGE);
	cr_assert_str_eq(buf_text(&d.what), "unexpected argument 'c'");
	parse("get key more");
	cr_assert_eq(opt_check_args(action, 0, argv, &d), -ERR_USAGE);
	cr_assert_eq(opt_check_args(action, 1, argv, &d), 0);
	cr_assert_eq(opt_check_args(action, 2, argv, &d), 0);
	cr_assert_eq(opt_check_args(action, 3, argv, &d), -ERR_USAGE);
	parse("lst");
	cr_assert_eq(opt_check_args(action, 1, argv, &d), -ERR_USAGE);
	cr_assert_str_eq(buf_text(&d.hint), "did you mean 'list'?");
}

Test(options, a_list_has_an_end)
{
	static char *many[2 * OPT_LIST_MAX + 2];
	struct opt_parse p = { { table } };
	int n = 0;

	list.n = 0;
	for (int i = 0; i <= OPT_LIST_MAX; i++) {
		many[n++] = "-i";
		many[n++] = "x";
	}
	cr_assert_eq(opt_parse(&p, &n, many, &d), -ERR_USAGE);
	cr_assert_eq(list.n, OPT_LIST_MAX);
}

Test(suggestion, nearest_and_not_too_far)
{
	struct suggestion s = suggestion_start("instal");

	suggestion_offer(&s, STR("init"));
	suggestion_offer(&s, STR("install"));
	cr_assert(str_is(s.best, "install"));
	s = suggestion_start("qqqq");
	suggestion_offer(&s, STR("install"));
	cr_assert_null(s.best.p);
	s = suggestion_start("");
	suggestion_offer(&s, STR("gc"));
	cr_assert_null(s.best.p);
}
