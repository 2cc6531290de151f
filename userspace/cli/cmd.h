/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a verb is handed. Everything in it that costs something is made on first use: the project is
 * looked for by cmd_project, the home is made by cmd_home, so that a verb pays for what it needs.
 *
 * A verb returns 0, a negative code with c->diag filled (main prints it and turns it into the exit
 * status), or a positive exit status to pass on. What it reports goes to stdout (cmd_print, or
 * c->json when c->use_json), what it tells a person to stderr (cmd_note, cmd_warn, cmd_detail).
 */
#ifndef CRATONS_CLI_CMD_H
#define CRATONS_CLI_CMD_H

#include "base/json.h"
#include "prim/diag.h"

struct command;
struct progress;

struct cmd {
	const struct command *command;
	int argc;		/* the arguments that are left, NULL-terminated */
	char **argv;
	struct diag diag;

	bool use_json;
	bool quiet, verbose;
	bool no_progress;
	bool color_out, color_err;
	bool person;		/* stdin and stderr are terminals: advice is welcome */

	/* With use_json the verb writes one value here; main prints it when the verb succeeds. */
	struct json_out json;
	struct buf json_text;

	/* Private: use the functions below. */
	int project_fd, home_fd;
	char *project, *home;
	struct progress *progress;
};

void cmd_open(struct cmd *c);
void cmd_close(struct cmd *c);

/* The project: the nearest directory with a cratons.toml, from the working directory upwards. A
 * borrowed descriptor, or -ERR_NO_MANIFEST. One found above the working directory must belong to
 * the caller or to root: in a shared place like /tmp anyone could leave one. */
int cmd_project(struct cmd *c);
const char *cmd_project_path(struct cmd *c);	/* absolute; after cmd_project succeeded */

/* $CRATONS_HOME, or ~/.cratons, made with mode 0700 if it is not there: a borrowed descriptor, or
 * -ERR_CONFIG. It must belong to the caller. */
int cmd_home(struct cmd *c);
/* Its absolute path, without making it; NULL with a diagnostic when there is none. */
const char *cmd_home_path(struct cmd *c);

/* The progress display, which is silent where nobody wants it: never NULL but for lack of memory,
 * and every progress function takes NULL. */
struct progress *cmd_progress(struct cmd *c);

/*
 * Text for stdout. Control characters in what is printed (names and texts from outside) become '?';
 * the STYLE_ marks become colours where wanted and nothing elsewhere.
 */
#define STYLE_BOLD   "\001"
#define STYLE_DIM    "\002"
#define STYLE_RED    "\003"
#define STYLE_GREEN  "\004"
#define STYLE_YELLOW "\005"
#define STYLE_BLUE   "\006"
#define STYLE_END    "\007"
void cmd_print(struct cmd *c, const char *format, ...) _printf_(2, 3);
/* A text from outside that makes neither a line nor a colour. */
void cmd_print_plain(struct cmd *c, struct str text);
/* Raw bytes that are data by themselves (a file, a script): nothing is replaced. */
void cmd_write(struct cmd *c, struct str bytes);

/* To stderr, with a newline added: a note unless -q, a warning always, a detail with -v. */
void cmd_note(struct cmd *c, const char *format, ...) _printf_(2, 3);
void cmd_warn(struct cmd *c, const char *format, ...) _printf_(2, 3);
/* The same as a callback, of a text; `data` is the struct cmd. */
void cmd_warn_text(void *data, const char *text);
void cmd_detail(struct cmd *c, const char *format, ...) _printf_(2, 3);

/* Prints c->diag, once: "error: …" on stderr, or {"error": …} on stdout with --json. */
void cmd_print_error(struct cmd *c);

/* Writes out what is buffered: -EIO and the like when stdout took it not. */
int cmd_flush(struct cmd *c);

#endif
