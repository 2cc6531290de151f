// SPDX-License-Identifier: GPL-2.0-or-later
/* What the program says: text, notes, errors, JSON. */
#include "base/progress.h"
#include "cmd.h"
#include "prim/err.h"
#include "signals.h"

#include <errno.h>
#include <unistd.h>

/* The bytes up to STYLE_END are marks for colours: hostile text could at most change a colour until the
 * end of what is printed with it. */
static const char *style(char mark)
{
	static const char *const codes[] = {
		NULL, "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m", "\033[34m", "\033[0m",
	};

	return (unsigned char)mark < ARRAY_SIZE(codes) ? codes[(unsigned char)mark] : NULL;
}

static void put_marked(FILE *to, bool color, struct str text)
{
	bool open = false;
	size_t from = 0;

	for (size_t i = 0; i < text.n; i++) {
		const char *code = style(text.p[i]);

		if (!code)
			continue;
		fwrite(text.p + from, 1, i - from, to);
		if (color)
			fputs(code, to);
		open = text.p[i] != STYLE_END[0];
		from = i + 1;
	}
	fwrite(text.p + from, 1, text.n - from, to);
	if (color && open)
		fputs(style(STYLE_END[0]), to);
}

_printf_(4, 0)
static void put(FILE *to, bool color, const char *prefix, const char *format, va_list ap,
	const char *suffix)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (buf_adds(&b, prefix) < 0 || buf_vaddf(&b, format, ap) < 0 || buf_adds(&b, suffix) < 0)
		return;
	buf_disarm(&b, 0, "\n\t" STYLE_BOLD STYLE_DIM STYLE_RED STYLE_GREEN STYLE_YELLOW STYLE_BLUE STYLE_END);
	put_marked(to, color, buf_str(&b));
}

void cmd_print(struct cmd *c, const char *format, ...)
{
	va_list ap;

	progress_hide(c->progress);
	va_start(ap, format);
	put(stdout, c->color_out, "", format, ap, "");
	va_end(ap);
}

void cmd_print_plain(struct cmd *c, struct str text)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	if (buf_addstr(&b, text) < 0)
		return;
	buf_disarm(&b, 0, "");
	cmd_print(c, "%s", buf_text(&b));
}

void cmd_write(struct cmd *c, struct str bytes)
{
	progress_hide(c->progress);
	fwrite(bytes.p, 1, bytes.n, stdout);
}

void cmd_note(struct cmd *c, const char *format, ...)
{
	va_list ap;

	if (c->quiet)
		return;
	progress_hide(c->progress);
	va_start(ap, format);
	put(stderr, c->color_err, "", format, ap, "\n");
	va_end(ap);
}

void cmd_warn_text(void *data, const char *text)
{
	cmd_warn(data, "%s", text);
}

void cmd_detail(struct cmd *c, const char *format, ...)
{
	va_list ap;

	if (!c->verbose)
		return;
	progress_hide(c->progress);
	va_start(ap, format);
	put(stderr, c->color_err, STYLE_DIM, format, ap, STYLE_END "\n");
	va_end(ap);
}

static void print_text(struct cmd *c, const char *format, ...) _printf_(2, 3);
static void print_text(struct cmd *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	put(stderr, c->color_err, "", format, ap, "");
	va_end(ap);
}

/* The lines of a text, those after the first indented under it. */
static void print_lines(struct cmd *c, const char *head, const char *text, const char *indent)
{
	struct str rest = str_from(text), line;

	while (rest.p) {
		line = str_cut(&rest, '\n');
		print_text(c, "%s%.*s\n", head, STR_ARG(line));
		head = indent;
	}
}

/* Text from outside makes no line that looks like one of ours. */
void cmd_warn(struct cmd *c, const char *format, ...)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	va_list ap;
	int r;

	progress_hide(c->progress);
	va_start(ap, format);
	r = buf_vaddf(&b, format, ap);
	va_end(ap);
	if (r < 0)
		return;
	buf_disarm(&b, 0, "\n\t");
	print_lines(c, STYLE_YELLOW "warning:" STYLE_END " ", buf_text(&b), "         ");
}

static void print_json_error(const struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	struct json_out o;

	json_out_start(&o, &b, false);
	json_out_open(&o, '{');
	json_out_key(&o, "error");
	json_out_open(&o, '{');
	json_out_key(&o, "code");
	json_out_int(&o, err_exit_status(d->code));
	json_out_key(&o, "name");
	json_out_text(&o, err_name(d->code));
	json_out_key(&o, "message");
	json_out_str(&o, buf_str(&d->what));
	json_out_key(&o, "where");
	json_out_text(&o, d->where.len ? buf_text(&d->where) : NULL);
	json_out_key(&o, "hint");
	json_out_text(&o, d->hint.len ? buf_text(&d->hint) : NULL);
	json_out_close(&o, '}');
	json_out_close(&o, '}');
	if (json_out_end(&o) == 0)
		printf("%s\n", buf_text(&b));
}

void cmd_print_error(struct cmd *c)
{
	struct diag *d = &c->diag;

	progress_hide(c->progress);
	fflush(stdout);
	if (c->use_json) {
		print_json_error(d);
		return;
	}
	print_lines(c, STYLE_RED STYLE_BOLD "error:" STYLE_END " ", buf_text(&d->what), "       ");
	if (d->where.len)
		print_lines(c, "  " STYLE_DIM "at" STYLE_END " ", buf_text(&d->where), "     ");
	if (d->hint.len)
		print_lines(c, "  " STYLE_BLUE "next:" STYLE_END " ", buf_text(&d->hint), "        ");
}

int cmd_flush(struct cmd *c)
{
	if (c->json_text.len)
		fprintf(stdout, "%s\n", buf_text(&c->json_text));
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return -(errno ? errno : EIO);
}

static bool live_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && (!term || strcmp(term, "dumb") != 0);
}

struct progress *cmd_progress(struct cmd *c)
{
	struct progress_options o = { .fd = STDERR_FILENO, .color = c->color_err };

	if (c->progress || c->quiet || c->no_progress)
		return c->progress;
	o.live = live_terminal();
	if (progress_new(&c->progress, &o) == 0 && o.live)
		signals_clear_line();
	return c->progress;
}
