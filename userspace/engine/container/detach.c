// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A supervisor of its own. It is this program, forked: nobody's child, in a session without a terminal,
 * with no descriptor of the caller's. How its start went comes back through a pipe: a code, then the texts
 * of the diagnostic, or of warnings when there was no failure, each ended by a NUL. A pipe that ends
 * without a word is a supervisor that was killed.
 */
#include "engine/container/container-priv.h"

#include "prim/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TELL_MAX 65536

struct detached {
	int pipe;
	struct buf warnings;	/* each ended by a NUL */
};

void detach_warn(struct detached *t, const char *text)
{
	(void)!buf_add(&t->warnings, text, strlen(text) + 1);
}

void detach_tell(struct detached *t, int code, const struct diag *d)
{
	int32_t value = code;

	(void)!fd_write_all(t->pipe, &value, sizeof(value));
	if (d && code < 0) {
		const struct buf *parts[] = { &d->what, &d->where, &d->hint };

		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			(void)!fd_write_all(t->pipe, buf_text(parts[i]), parts[i]->len + 1);
	} else {
		(void)!fd_write_all(t->pipe, t->warnings.data, t->warnings.len);
	}
	buf_done(&t->warnings);
	fd_closep(&t->pipe);
}

/*
 * Those that were handed to this program: all that it opened itself are close-on-exec, and nothing that
 * came through an exec is.
 */
static void close_inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;
	uint64_t fd;

	while (dir && (e = readdir(dir)))
		if (str_u64(str_from(e->d_name), &fd) == 0 && fd > 2 &&
			!(fcntl((int)fd, F_GETFD) & FD_CLOEXEC))
			close((int)fd);
	if (dir)
		closedir(dir);
}

static int null_stdio(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY), r = 0;

	for (int i = 0; i < 3 && fd >= 0; i++)
		if (dup2(fd, i) < 0)
			r = -errno;
	return fd < 0 ? -errno : r;
}

/* From here on there is no way to tell a person but the pipe. */
static _noreturn_ void supervise(struct supervised *c, int pipe)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct detached t = { .pipe = pipe };
	int status = 0, r = null_stdio();

	close_inherited();
	if (r < 0) {
		detach_tell(&t, diag_errno(&d, r, "cannot detach"), &d);
		_exit(1);
	}
	(void)fault_point("detached");
	umask(077);
	signal(SIGHUP, SIG_IGN);
	(void)!chdir("/");
	c->rec.supervisor = getpid();
	process_start(c->rec.supervisor, &c->rec.supervisor_start);
	r = container_save(c);
	if (r < 0)
		detach_tell(&t, diag_errno(&d, r, "cannot record the container"), &d);
	else
		r = container_supervise(c, &t, &status, &d);
	if (r < 0)
		container_forget(c->all, c->place);
	_exit(r < 0);
}

static int hear(struct supervised *c, int pipe, struct diag *d)
{
	_cleanup_buf_ struct buf said = BUF_INIT;
	struct str rest, part[3];
	int32_t code;
	int r = fd_slurp(pipe, &said, TELL_MAX);

	if (r < 0 || said.len < sizeof(code))
		return diag_fail(d, -ERR_CONTAINER, "the supervisor of container %s ended before its command "
			"ran", c->rec.id);
	memcpy(&code, said.data, sizeof(code));
	rest = str_slice(buf_str(&said), sizeof(code), said.len);
	while (code >= 0 && c->spec->warn && rest.n)
		c->spec->warn(c->spec->warn_data, str_cut(&rest, '\0').p);
	if (code >= 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		part[i] = rest.p ? str_cut(&rest, '\0') : (struct str){ 0 };
	diag_fail(d, code, "%.*s", STR_ARG(part[0]));
	if (part[1].n)
		diag_where(d, "%.*s", STR_ARG(part[1]));
	if (part[2].n)
		diag_hint(d, "%.*s", STR_ARG(part[2]));
	return code;
}

int detach_run(struct supervised *c, int *ret_status, struct diag *d)
{
	_cleanup_fd_ int from = -1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return diag_errno(d, -errno, "cannot detach");
	from = ends[0];
	pid = fork();
	if (pid == 0) {
		/* Twice: a session's leader could get a terminal, its child cannot. */
		if (setsid() < 0 || (pid = fork()) < 0)
			_exit(1);
		if (pid == 0)
			supervise(c, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0)
		return diag_errno(d, -errno, "cannot detach");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	/* Its lock is the supervisor's now; this process holds the same one as long as it is open. */
	fd_closep(&c->lock);
	*ret_status = 0;
	return hear(c, from, d);
}
