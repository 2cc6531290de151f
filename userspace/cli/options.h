/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command line options, driven by tables: one for the program, one a verb. A table ends with
 * OPT_END; each entry names where its value goes, so that a verb reads its arg_* variables and never
 * an argument vector. The last entries may say what arguments follow. What an option means is in the
 * verb's man page, from which --help and the completions take it.
 */
#ifndef CRATONS_CLI_OPTIONS_H
#define CRATONS_CLI_OPTIONS_H

#include "prim/diag.h"

enum opt_kind {
	OPT_KIND_END,
	OPT_KIND_FLAG,		/* no value */
	OPT_KIND_TEXT,
	OPT_KIND_NUMBER,	/* whole, in [min, max] */
	OPT_KIND_CHOICE,	/* one of the words of `value`, "a|b|c" */
	OPT_KIND_LIST,		/* may be repeated */
	OPT_KIND_ARGS,		/* between min and max arguments called `value` */
	OPT_KIND_ACTION,	/* a first argument: one of the words of `value` */
};

#define OPT_LIST_MAX 256
struct opt_list {
	const char *v[OPT_LIST_MAX];
	size_t n;
};

struct opt {
	enum opt_kind kind;
	char letter;		/* 0: only the long form */
	const char *name;	/* without dashes; NULL: only the letter */
	const char *value;	/* what the value is called, or the choices */
	uint64_t min, max;
	union {
		bool *flag;
		const char **text;
		uint64_t *number;
		struct opt_list *list;
	} to;
};

#define OPT_FLAG(n, l, p)	     { OPT_KIND_FLAG, l, n, .to.flag = (p) }
#define OPT_TEXT(n, l, v, p)	     { OPT_KIND_TEXT, l, n, v, .to.text = (p) }
#define OPT_NUMBER(n, l, v, a, b, p) { OPT_KIND_NUMBER, l, n, v, a, b, .to.number = (p) }
#define OPT_CHOICE(n, l, v, p)	     { OPT_KIND_CHOICE, l, n, v, .to.text = (p) }
#define OPT_LIST(n, l, v, p)	     { OPT_KIND_LIST, l, n, v, .to.list = (p) }
#define OPT_ARGS(v, a, b)	     { OPT_KIND_ARGS, .value = v, .min = a, .max = b }
#define OPT_ACTION(v)		     { OPT_KIND_ACTION, .value = v }
#define OPT_END			     { OPT_KIND_END }
#define OPT_ANY_NUMBER		     UINT64_MAX

#define opt_foreach(o, table) for (const struct opt *o = (table); o->kind != OPT_KIND_END; o++)

/* Whether it is an option rather than a description of arguments. */
static inline bool opt_is_option(const struct opt *o)
{
	return o->kind >= OPT_KIND_FLAG && o->kind <= OPT_KIND_LIST;
}

static inline bool opt_takes_value(const struct opt *o)
{
	return o->kind >= OPT_KIND_TEXT && o->kind <= OPT_KIND_LIST;
}

/* An option of other tools, long or a letter, and what there is for it; a table ends without a name. */
struct opt_foreign {
	const char *theirs, *ours;
};

struct opt_parse {
	const struct opt *tables[2];	/* the first wins; the second may be NULL */
	/* Stop at the first argument and leave it and the rest alone: for the program's own options
	 * before the verb, and for verbs that hand a command on. */
	bool stop_at_argument;
	const struct opt_foreign *foreign;	/* or NULL */
	const char *elsewhere;		/* hint for an unknown option, or NULL */
};

/*
 * Takes the options out of argv[0..*argc) and leaves the arguments, in order, in argv[0..*argc).
 * "--" ends the options and is dropped. With stop_at_argument what follows stays as it was.
 * -ERR_USAGE with a suggestion where a known name is near.
 */
int opt_parse(const struct opt_parse *p, int *argc, char **argv, struct diag *d);

/* Compares the arguments that are left with the table's OPT_ARGS and OPT_ACTION. */
int opt_check_args(const struct opt *table, int argc, char *const *argv, struct diag *d);

/* Walks the words of "a|b|c": false at the end. */
bool opt_next_word(struct str *words, struct str *ret);

/* Remembers the nearest of the candidates that it is shown; .best.p stays NULL when none is near
 * enough to be meant. */
struct suggestion {
	struct str typed, best;
	size_t distance;
};
struct suggestion suggestion_start(const char *typed);
void suggestion_offer(struct suggestion *s, struct str candidate);

#endif
