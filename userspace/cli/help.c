// SPDX-License-Identifier: GPL-2.0-or-later
#include "help.h"

#include "manpage.h"
#include "prim/err.h"

#include <sys/ioctl.h>
#include <unistd.h>

/* Text is easier to read in lines of no more than 100 columns. */
static unsigned text_width(void)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
		return 80;
	return MIN((unsigned)w.ws_col, 100u);
}

static int show(struct cmd *c, const char *mdoc, const char *sections)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = manpage_render(&b, mdoc, sections, text_width());

	if (r < 0)
		return diag_errno(&c->diag, r, "cannot show the manual page");
	cmd_print(c, "%s", buf_text(&b));
	return 0;
}

int help_page(struct cmd *c, const char *mdoc)
{
	return show(c, mdoc, NULL);
}

/* Of a verb below another what their page says of it, of one with verbs below it which there are. */
int help_command(struct cmd *c, const struct command *command)
{
	struct str rest = str_from(command->name), first = str_cut(&rest, ' ');
	_cleanup_buf_ struct buf own = BUF_INIT;
	const char *page = command->page;
	int r = 0;

	if (rest.p) {
		r = manpage_below(&own, command->page, rest.p);
		page = buf_text(&own);
	}
	if (r < 0)
		return diag_errno(&c->diag, r, "cannot show the manual page");
	cmd_print(c, "cratons %s: %s\n\n", command->name, command->summary);
	r = show(c, page, command_below(command) ? "SYNOPSIS|DESCRIPTION|EXAMPLES" : rest.p ? NULL :
		"SYNOPSIS|OPTIONS|EXAMPLES");
	if (r < 0)
		return r;
	if (command_below(command))
		cmd_print(c, "\nThe options of each: cratons %s COMMAND --help", command->name);
	cmd_print(c, "\nThe whole page: cratons help %.*s\n", STR_ARG(first));
	return 0;
}

int help_program(struct cmd *c)
{
	int group = -1;
	int r;

	r = show(c, global_page(), "SYNOPSIS");
	if (r < 0)
		return r;
	for (const struct command *k = commands; k->name; k++) {
		if ((int)k->group != group)
			cmd_print(c, "\n" STYLE_BOLD "%s" STYLE_END "\n",
				command_group_title(k->group));
		group = (int)k->group;
		cmd_print(c, "    " STYLE_BOLD "%-12s" STYLE_END " %s\n", k->name, k->summary);
	}
	cmd_print(c, "\n");
	r = show(c, global_page(), "OPTIONS");
	if (r < 0)
		return r;
	cmd_print(c, "\nMore: cratons COMMAND --help, cratons help COMMAND, cratons help cratons\n");
	return 0;
}
