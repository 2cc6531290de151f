// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mdoc(7) to text. A request line is split into words and run from left to right: a word that names
 * a macro changes how the words after it look, a delimiter sticks to its neighbour.
 */
#include "manpage.h"

#include "cmd.h"
#include "options.h"
#include "prim/err.h"

#include <errno.h>

#define WORDS_MAX 64
#define DEPTH_MAX 8

struct man {
	struct buf *to;
	struct buf word;	/* what is glued together so far */
	struct str name;	/* the first .Nm */
	const char *sections;	/* shown, or NULL */
	bool shown;		/* the current section is */
	bool synopsis;
	bool literal;		/* between .Bd and .Ed */
	bool glue;		/* no space before the next word */
	bool blank;		/* a blank line is due before the next text */
	bool titled;		/* nothing came since the section's title */
	unsigned width, column, indent;
	/* Lists: how far their text is in, whether their items stand close, what starts an item. */
	struct list {
		unsigned base, step;
		bool compact, bullet, first;
	} lists[DEPTH_MAX];
	unsigned depth;
	int error;
};

static void note(struct man *m, int r)
{
	if (r < 0 && m->error == 0)
		m->error = r;
}

/* Columns that a text takes: STYLE marks take none. */
static unsigned columns(struct str s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (unsigned char)s.p[i] >= 0x20 && ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void newline(struct man *m)
{
	if (m->column)
		note(m, buf_addc(m->to, '\n'));
	m->column = 0;
}

static void start_line(struct man *m)
{
	if (m->blank && m->to->len && !m->titled)
		note(m, buf_addc(m->to, '\n'));
	m->blank = m->titled = false;
	for (unsigned i = 0; i < m->indent; i++)
		note(m, buf_addc(m->to, ' '));
	m->column = m->indent;
}

/* Puts the word that has gathered, on this line or the next. */
static void end_word(struct man *m)
{
	unsigned n = columns(buf_str(&m->word));

	if (m->word.len == 0)
		return;
	if (m->column > m->indent && m->column + 1 + n > m->width)
		newline(m);
	if (m->column == 0)
		start_line(m);
	else if (m->column > m->indent)
		note(m, buf_addc(m->to, ' ')), m->column++;
	note(m, buf_addstr(m->to, buf_str(&m->word)));
	m->column += n;
	buf_reset(&m->word);
}

static void end_line(struct man *m)
{
	end_word(m);
	newline(m);
	m->glue = false;
}

/* The character that an escape sequence at *i stands for, 0 for none; moves *i past it. */
static char unescape(struct str s, size_t *i)
{
	char c = s.p[(*i)++];

	if (c != '\\' || *i == s.n)
		return c;
	c = s.p[(*i)++];
	if (c == '(' && *i + 2 <= s.n) {
		struct str two = { s.p + *i, 2 };

		*i += 2;
		return str_is(two, "aq") ? '\'' : str_is(two, "ti") ? '~' : str_is(two, "ha") ? '^' : '?';
	}
	return c == '&' ? 0 : c == 'e' ? '\\' : c;
}

static void put_text(struct man *m, struct str s)
{
	for (size_t i = 0; i < s.n;) {
		char c = unescape(s, &i);

		if (c)
			note(m, buf_addc(&m->word, c));
	}
}

/* A word of its own or, after `glue`, more of the last one. */
static void put(struct man *m, const char *style, const char *prefix, struct str s)
{
	if (!m->glue)
		end_word(m);
	m->glue = false;
	if (style)
		note(m, buf_adds(&m->word, style));
	note(m, buf_adds(&m->word, prefix));
	put_text(m, s);
	if (style)
		note(m, buf_adds(&m->word, STYLE_END));
}

/* The words of plain text, each free to go on its own line. */
static void put_words(struct man *m, const char *style, struct str s)
{
	while (s.p) {
		struct str w = str_cut(&s, ' ');

		if (w.n)
			put(m, style, "", w);
	}
}

static bool is_closing(struct str s)
{
	return s.n == 1 && strchr(".,:;)]?!", s.p[0]);
}

static bool is_opening(struct str s)
{
	return s.n == 1 && strchr("([", s.p[0]);
}

/* Macros that change the look of the words after them, and those that put something around them. */
static const struct macro {
	const char *name, *style, *prefix;
	const char *open, *close;
} macros[] = {
	{ "Fl", STYLE_BOLD, "-" }, { "Ar", STYLE_BLUE, "" },  { "Nm", STYLE_BOLD, "" },
	{ "Cm", STYLE_BOLD, "" },  { "Ic", STYLE_BOLD, "" },  { "Sy", STYLE_BOLD, "" },
	{ "Em", STYLE_BLUE, "" },  { "Pa", STYLE_BLUE, "" },  { "Ev", STYLE_BOLD, "" },
	{ "Er", STYLE_BOLD, "" },  { "Li", NULL, "" },	      { "No", NULL, "" },
	{ "Lk", STYLE_BLUE, "" },  { "Va", STYLE_BLUE, "" },  { "Ad", NULL, "" },
	{ "Op", .open = "[", .close = "]" },  { "Pq", .open = "(", .close = ")" },
	{ "Dq", .open = "\"", .close = "\"" }, { "Ql", .open = "'", .close = "'" },
	{ "Sq", .open = "'", .close = "'" },  { "Aq", .open = "<", .close = ">" },
};

static const struct macro *find_macro(struct str s)
{
	if (s.n != 2)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(macros); i++)
		if (str_is(s, macros[i].name))
			return &macros[i];
	return NULL;
}

struct words {
	struct str v[WORDS_MAX];
	bool quoted[WORDS_MAX];
	size_t n;
};

static void split(struct str s, struct words *ret)
{
	ret->n = 0;
	while (s.n && ret->n < WORDS_MAX) {
		size_t from = 0, end;

		while (from < s.n && s.p[from] == ' ')
			from++;
		s = str_slice(s, from, s.n);
		if (!s.n)
			break;
		ret->quoted[ret->n] = s.p[0] == '"';
		if (s.p[0] == '"')
			s = str_slice(s, 1, s.n);
		end = str_find(s, ret->quoted[ret->n] ? '"' : ' ', 0);
		ret->v[ret->n++] = str_slice(s, 0, end);
		s = str_slice(s, end + 1, s.n);
	}
}

/* Running a line: the macro in force, whether it had a word yet, and the enclosures to close. */
struct run {
	const struct macro *macro;
	bool had_word;
	const char *close[DEPTH_MAX];
	unsigned nclose;
};

/* Some macros stand for something when no word follows them. */
static void end_macro(struct man *m, struct run *r)
{
	if (!r->macro || r->had_word)
		return;
	if (strcmp(r->macro->name, "Nm") == 0)
		put_words(m, r->macro->style, m->name);
	else if (strcmp(r->macro->name, "Ar") == 0)
		put_words(m, r->macro->style, STR("file ..."));
	else if (strcmp(r->macro->name, "Fl") == 0)
		put(m, r->macro->style, "-", STR(""));
}

static void close_one(struct man *m, struct run *r)
{
	m->glue = true;
	put(m, NULL, r->close[--r->nclose], STR(""));
}

static void run_macro(struct man *m, struct run *r, const struct macro *macro)
{
	end_macro(m, r);
	r->macro = macro->open ? NULL : macro;
	r->had_word = false;
	if (!macro->open || r->nclose == DEPTH_MAX)
		return;
	put(m, NULL, macro->open, STR(""));
	m->glue = true;
	r->close[r->nclose++] = macro->close;
}

static void run_word(struct man *m, struct run *r, struct str s)
{
	const struct macro *macro = r->macro;
	bool delimiter = is_closing(s) || is_opening(s) || str_is(s, "|");

	if (is_closing(s))
		m->glue = true;
	if (delimiter || !macro) {
		if (delimiter && macro && !r->had_word) {
			end_macro(m, r);
			r->had_word = true;
			m->glue = m->glue || is_closing(s);
		}
		put(m, NULL, "", s);
	} else {
		put(m, macro->style, macro->prefix, s);
		r->had_word = true;
	}
	if (is_opening(s))
		m->glue = true;
}

static void run_words(struct man *m, const struct words *w, size_t from)
{
	struct run r = { 0 };
	size_t end = w->n;

	/* Closing delimiters at a line's end stand outside its enclosures. */
	while (end > from && is_closing(w->v[end - 1]) && !w->quoted[end - 1])
		end--;
	for (size_t i = from; i < end; i++) {
		const struct macro *macro = w->quoted[i] ? NULL : find_macro(w->v[i]);

		if (macro) {
			run_macro(m, &r, macro);
		} else if (str_is(w->v[i], "Ns")) {
			end_macro(m, &r);
			r.macro = NULL;
			m->glue = true;
		} else if (str_is(w->v[i], "Xr") && i + 1 < end) {
			put(m, STYLE_BOLD, "", w->v[++i]);
			m->glue = true;
			put(m, NULL, "(", i + 1 < end ? w->v[++i] : STR(""));
			m->glue = true;
			put(m, NULL, ")", STR(""));
		} else if (str_is(w->v[i], "Oo")) {
			put(m, NULL, "[", STR(""));
			m->glue = true;
		} else if (str_is(w->v[i], "Oc")) {
			m->glue = true;
			put(m, NULL, "]", STR(""));
			r.macro = NULL;
		} else {
			run_word(m, &r, w->v[i]);
		}
	}
	end_macro(m, &r);
	while (r.nclose)
		close_one(m, &r);
	r.macro = NULL;
	for (size_t i = end; i < w->n; i++)
		run_word(m, &r, w->v[i]);
}

static bool wanted(const char *sections, struct str title)
{
	struct str words = str_from(sections), word;

	if (!sections)
		return true;
	while (opt_next_word(&words, &word))
		if (str_eq(word, title))
			return true;
	return false;
}

static void section(struct man *m, struct str title)
{
	end_line(m);
	m->indent = 0;
	m->depth = 0;
	m->blank = true;
	m->titled = false;
	m->shown = wanted(m->sections, title);
	m->synopsis = str_is(title, "SYNOPSIS");
	if (!m->shown)
		return;
	put_words(m, STYLE_BOLD, title);
	end_line(m);
	m->titled = true;
	m->indent = 4;
}

static void list_start(struct man *m, const struct words *w)
{
	struct list *l;

	end_line(m);
	if (m->depth == DEPTH_MAX)
		return;
	l = &m->lists[m->depth++];
	*l = (struct list){ .base = m->indent, .step = 8, .first = true };
	for (size_t i = 1; i < w->n; i++) {
		l->compact |= str_is(w->v[i], "-compact");
		l->bullet |= str_is(w->v[i], "-bullet");
		if (str_is(w->v[i], "-width") && i + 1 < w->n && !str_is(w->v[i + 1], "Ds"))
			l->step = columns(w->v[i + 1]) + 2;
	}
	if (l->bullet)
		l->step = 2;
	m->blank = !l->compact;
}

static void list_item(struct man *m, const struct words *w)
{
	struct list *l;
	unsigned text;

	end_line(m);
	if (m->depth == 0)
		return;
	l = &m->lists[m->depth - 1];
	m->blank = m->blank || (!l->compact && !l->first);
	l->first = false;
	m->indent = l->base;
	if (l->bullet)
		put(m, NULL, "-", STR(""));
	else
		run_words(m, w, 1);
	end_word(m);
	m->glue = false;
	text = l->base + l->step;
	/* A short tag has its text beside it. */
	if (m->column && m->column < text) {
		while (m->column < text)
			note(m, buf_addc(m->to, ' ')), m->column++;
	} else {
		newline(m);
	}
	m->indent = text;
}

static void list_end(struct man *m)
{
	end_line(m);
	if (m->depth)
		m->indent = m->lists[--m->depth].base;
}

static void display(struct man *m, bool start)
{
	end_line(m);
	m->literal = start;
	m->blank = m->blank || start;
	m->indent = start ? m->indent + 4 : m->indent - MIN(m->indent, 4u);
}

static void literal_line(struct man *m, struct str line)
{
	start_line(m);
	put_text(m, line);
	note(m, buf_addstr(m->to, buf_str(&m->word)));
	note(m, buf_addc(m->to, '\n'));
	buf_reset(&m->word);
	m->column = 0;
}

static void request(struct man *m, struct str line)
{
	struct words w;

	split(line, &w);
	if (w.n == 0)
		return;
	if (str_is(w.v[0], "Nm") && !m->name.p && w.n > 1)
		m->name = str_of(w.v[1].p, (size_t)(line.p + line.n - w.v[1].p));
	if (str_is(w.v[0], "Sh")) {
		section(m, str_trim(str_slice(line, 3, line.n)));
		return;
	}
	if (!m->shown)
		return;
	if (str_is(w.v[0], "Bl")) {
		list_start(m, &w);
	} else if (str_is(w.v[0], "It")) {
		list_item(m, &w);
	} else if (str_is(w.v[0], "El")) {
		list_end(m);
	} else if (str_is(w.v[0], "Pp")) {
		end_line(m);
		m->blank = true;
	} else if (str_is(w.v[0], "Ss")) {
		end_line(m);
		m->blank = true;
		m->indent = 2;
		put_words(m, STYLE_BOLD, str_slice(line, 3, line.n));
		end_line(m);
		m->indent = 4;
	} else if (str_is(w.v[0], "Bd") || str_is(w.v[0], "Ed")) {
		display(m, str_is(w.v[0], "Bd"));
	} else if (str_is(w.v[0], "Dl")) {
		display(m, true);
		literal_line(m, str_slice(line, 3, line.n));
		display(m, false);
	} else if (str_is(w.v[0], "Nd")) {
		put(m, NULL, "-", STR(""));
		put_words(m, NULL, str_slice(line, 3, line.n));
	} else {
		if (m->synopsis && str_is(w.v[0], "Nm"))
			end_line(m);
		run_words(m, &w, 0);
	}
}

int manpage_render(struct buf *ret, const char *mdoc, const char *sections, unsigned width)
{
	struct man m = { .to = ret, .sections = sections, .width = MAX(width, 40u) };
	struct str rest = str_from(mdoc), line;

	while (rest.p) {
		line = str_cut(&rest, '\n');
		if (str_starts(line, STR(".\\\"")) || str_starts(line, STR(".Dd")) ||
				str_starts(line, STR(".Dt")) || str_starts(line, STR(".Os")))
			continue;
		if (m.literal && m.shown && !str_starts(line, STR(".")))
			literal_line(&m, line);
		else if (str_starts(line, STR(".")))
			request(&m, str_slice(line, 1, line.n));
		else if (m.shown)
			put_words(&m, NULL, line);
	}
	end_line(&m);
	buf_done(&m.word);
	return m.error;
}

bool manpage_has(const char *mdoc, const char *section)
{
	struct str rest = str_from(mdoc), line;

	while (rest.p) {
		line = str_cut(&rest, '\n');
		if (str_starts(line, STR(".Sh ")) && str_is(str_slice(line, 4, line.n), section))
			return true;
	}
	return false;
}

/* Whether the words of an .It name the option. */
static bool names(struct str line, const char *name, char letter)
{
	struct words w;

	split(line, &w);
	for (size_t i = 2; i < w.n; i++) {
		if (name && str_starts(w.v[i], STR("-")) &&
				str_is(str_slice(w.v[i], 1, w.v[i].n), name))
			return true;
		if (!name && str_is(w.v[i - 1], "Fl") && w.v[i].n == 1 && w.v[i].p[0] == letter)
			return true;
	}
	return false;
}

/* Cuts a text at the end of its first sentence. */
static void keep_sentence(struct buf *b, size_t from)
{
	struct str s = str_slice(buf_str(b), from, b->len);
	size_t at = 0;

	for (; (at = str_find(s, '.', at)) < s.n; at++)
		if (at + 1 == s.n || s.p[at + 1] == ' ' || s.p[at + 1] == '\n')
			break;
	b->len = from + at;
	b->data[b->len] = '\0';
	while (b->len > from && b->data[b->len - 1] == '\n')
		b->data[--b->len] = '\0';
}

int manpage_option(struct buf *ret, const char *mdoc, const char *name, char letter)
{
	struct man m = { .to = ret, .shown = true, .width = 4096 };
	struct str rest = str_from(mdoc), line;
	size_t from = ret->len;
	bool found = false;

	while (rest.p) {
		line = str_cut(&rest, '\n');
		if (found && (str_starts(line, STR(".It")) || str_starts(line, STR(".El")) ||
				str_starts(line, STR(".Pp")) || str_starts(line, STR(".Bl"))))
			break;
		if (found && str_starts(line, STR(".")))
			request(&m, str_slice(line, 1, line.n));
		else if (found)
			put_words(&m, NULL, line);
		else if (str_starts(line, STR(".It Fl")))
			found = names(line, name, letter);
	}
	end_line(&m);
	buf_done(&m.word);
	if (!found || ret->len == from)
		return -ENOENT;
	keep_sentence(ret, from);
	return m.error;
}
