// SPDX-License-Identifier: GPL-2.0-or-later
/* The program: its own options, the verb, the verb's options, what went wrong. */
#include "commands.h"
#include "help.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static const char *arg_directory;
static const char *arg_color = "auto";
static bool arg_json, arg_quiet, arg_verbose, arg_no_progress, arg_version, arg_help;

const struct opt global_options[] = {
	OPT_TEXT(NULL, 'C', "DIR", &arg_directory),
	OPT_FLAG("json", 0, &arg_json),
	OPT_FLAG("quiet", 'q', &arg_quiet),
	OPT_FLAG("verbose", 'v', &arg_verbose),
	OPT_CHOICE("color", 0, "auto|always|never", &arg_color),
	OPT_FLAG("no-progress", 0, &arg_no_progress),
	OPT_FLAG("version", 'V', &arg_version),
	OPT_FLAG("help", 'h', &arg_help),
	OPT_END,
};

/* A descriptor below 3 that is closed would be reused by the next open, and what is printed would go
 * into that file. */
static int open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd >= 0 && fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) < 0)
			return -errno;
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool standard_descriptor_missing(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return true;
	return false;
}

/* NO_COLOR: https://no-color.org */
static bool wants_color(int fd)
{
	const char *none = getenv("NO_COLOR"), *term;

	if (strcmp(arg_color, "auto") != 0)
		return strcmp(arg_color, "always") == 0;
	if ((none && *none) || !isatty(fd))
		return false;
	term = getenv("TERM");
	return term && strcmp(term, "dumb") != 0;
}

static void settle(struct cmd *c)
{
	c->use_json = arg_json;
	c->quiet = arg_quiet;
	c->verbose = arg_verbose;
	c->no_progress = arg_no_progress;
	c->color_out = wants_color(STDOUT_FILENO);
	c->color_err = wants_color(STDERR_FILENO);
	c->person = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

/* The verb below a verb, if there is one of that name; if not, the options' table says what is wrong. */
static void parse_below(struct cmd *c, int *argc, char ***argv)
{
	const struct command *below = command_below(c->command);

	for (; below && below->name && *argc; below++)
		if (strcmp(command_word(below), (*argv)[0]) == 0) {
			c->command = below;
			++*argv;
			--*argc;
			return;
		}
}

/* The program's options before the verb, then the verb. */
static int parse_verb(struct cmd *c, int *argc, char ***argv)
{
	struct opt_parse before = { { global_options }, .stop_at_argument = true,
		.elsewhere = "options of a command follow it; cratons --help lists the others" };
	int r = opt_parse(&before, argc, *argv, &c->diag);

	if (r < 0 || *argc == 0)
		return r;
	c->command = command_find((*argv)[0]);
	if (!c->command)
		return command_unknown((*argv)[0], &c->diag);
	++*argv;
	--*argc;
	parse_below(c, argc, argv);
	return 0;
}

static int parse_rest(struct cmd *c, int argc, char **argv)
{
	_cleanup_buf_ struct buf hint = BUF_INIT;
	struct opt_parse after = { { c->command->options, global_options },
		.stop_at_argument = c->command->flags & CMD_PASS, .foreign = c->command->foreign };
	int r = buf_addf(&hint, "cratons %s --help lists its options", c->command->name);

	if (r < 0)
		return r;
	after.elsewhere = buf_text(&hint);
	r = opt_parse(&after, &argc, argv, &c->diag);
	if (r < 0 || arg_help || arg_version)
		return r;
	argv[argc] = NULL;
	c->argc = argc;
	c->argv = argv;
	r = opt_check_args(c->command->options, argc, argv, &c->diag);
	if (r < 0)
		return diag_hint(&c->diag, "cratons %s --help shows how it is used",
			c->command->name);
	if (arg_json && !(c->command->flags & CMD_JSON))
		return diag_fail(&c->diag, -ERR_USAGE, "'%s' reports nothing for --json",
			c->command->name);
	return 0;
}

static int enter_directory(struct cmd *c)
{
	if (!arg_directory || chdir(arg_directory) == 0)
		return 0;
	return diag_errno(&c->diag, -errno, "cannot enter %s", arg_directory);
}

static int no_verb(struct cmd *c)
{
	if (arg_help)
		return help_program(c);
	diag_fail(&c->diag, -ERR_USAGE, "a command is missing");
	return diag_hint(&c->diag, "cratons --help lists them");
}

static int run(struct cmd *c, int argc, char **argv)
{
	int r = parse_verb(c, &argc, &argv);

	if (r == 0 && c->command)
		r = parse_rest(c, argc, argv);
	settle(c);
	if (r < 0)
		return r;
	if (arg_version) {
		cmd_print(c, "cratons %s\n", CRATONS_VERSION);
		return 0;
	}
	if (!c->command)
		return no_verb(c);
	if (arg_help)
		return help_command(c, c->command);
	r = enter_directory(c);
	return r < 0 ? r : c->command->run(c);
}

/* A reader that has seen enough (`| head`) is no error of ours. */
static int finish(struct cmd *c, int r)
{
	int flushed;

	if (r < 0) {
		if (c->diag.code == 0)
			diag_fail(&c->diag, r, "%s", err_sentence(r));
		cmd_print_error(c);
		buf_reset(&c->json_text);
	}
	flushed = cmd_flush(c);
	if (r >= 0 && flushed < 0 && flushed != -EPIPE) {
		c->use_json = false;
		diag_errno(&c->diag, flushed, "cannot write the output");
		cmd_print_error(c);
		return EXIT_ERROR;
	}
	return r < 0 ? (int)err_exit_status(r) : r;
}

static void tell_cost(struct cmd *c, const struct timespec *start)
{
	struct timespec end;
	struct rusage used, children;

	if (!c->verbose || getrusage(RUSAGE_SELF, &used) < 0 ||
			getrusage(RUSAGE_CHILDREN, &children) < 0)
		return;
	timeradd(&used.ru_utime, &used.ru_stime, &used.ru_utime);
	timeradd(&children.ru_utime, &children.ru_stime, &children.ru_utime);
	timeradd(&used.ru_utime, &children.ru_utime, &used.ru_utime);
	clock_gettime(CLOCK_MONOTONIC, &end);
	cmd_detail(c, "%.3f s, %.3f s of processor time, %ld MB of memory at most",
		(double)(end.tv_sec - start->tv_sec) + (double)(end.tv_nsec - start->tv_nsec) / 1e9,
		(double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec / 1e6,
		MAX(used.ru_maxrss, children.ru_maxrss) / 1024);
}

/* Archives and documents come and go by the megabyte. glibc would learn from the first ones freed to
 * keep such blocks (up to 32 MiB each) in every thread's heap: 45 MB of peak memory in an installation. */
static void return_large_blocks(void)
{
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

int main(int argc, char **argv)
{
	struct timespec start;
	struct cmd c;
	int r;

	return_large_blocks();
	/* What we make we must be able to open, whatever else is masked. */
	umask(umask(0777) & 077);
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (standard_descriptor_missing() && open_standard_descriptors() < 0)
		return EXIT_ERROR;
	cmd_open(&c);
	r = run(&c, argc - 1, argv + 1);
	r = finish(&c, r);
	tell_cost(&c, &start);
	cmd_close(&c);
	return r;
}
