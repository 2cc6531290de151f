// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A supervisor of its own. It is this program, forked: nobody's child, in a session without a terminal,
 * with no descriptor of the caller's. How its start went comes back through a pipe: a code, then, of a
 * failure, the texts of the diagnostic, each ended by a NUL. A pipe that ends without a word is a
 * supervisor that was killed.
 */
#include "engine/container/container-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TELL_MAX 65536

struct detached {
	int pipe;
};

void detach_tell(struct detached *t, int code, const struct diag *d)
{
	int32_t value = code;

	(void)!fd_write_all(t->pipe, &value, sizeof(value));
	if (d && code < 0) {
		const struct buf *parts[] = { &d->what, &d->where, &d->hint };

		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			(void)!fd_write_all(t->pipe, buf_text(parts[i]), parts[i]->len + 1);
	}
	fd_closep(&t->pipe);
}

/* Moves a descriptor that stays to the end of the row. */
static int keep(int *fd, int to)
{
	if (*fd == to)
		return 0;
	if (dup3(*fd, to, O_CLOEXEC) < 0)
		return -errno;
	*fd = to;
	return 0;
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
	struct detached t = { pipe };
	int *kept[] = { &t.pipe, &c->lock, &c->dir, &c->all };
	int status = 0, r = 0, high = 3;

	/* Above all that may be in use first, so that none is overwritten. */
	for (size_t i = 0; i < ARRAY_SIZE(kept) && r == 0; i++) {
		int fd = fcntl(*kept[i], F_DUPFD_CLOEXEC, 64);

		r = fd < 0 ? -errno : 0;
		*kept[i] = fd;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kept) && r == 0; i++)
		r = keep(kept[i], high++);
	if (r == 0)
		r = null_stdio();
	close_range((unsigned)high, ~0u, 0);
	if (r < 0) {
		detach_tell(&t, diag_errno(&d, r, "cannot detach"), &d);
		_exit(1);
	}
	umask(077);
	signal(SIGHUP, SIG_IGN);
	r = chdir("/") < 0 ? -errno : 0;
	c->rec.supervisor = getpid();
	process_start(c->rec.supervisor, &c->rec.supervisor_start);
	r = container_supervise(c, &t, &status, &d);
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
	if (code >= 0)
		return 0;
	rest = str_slice(buf_str(&said), sizeof(code), said.len);
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
