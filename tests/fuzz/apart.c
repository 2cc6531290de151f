// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Input: all that the process apart says, as if it were somebody else's. What must hold: the caller takes a
 * result whole or nothing, texts end where they should, and no number from it leaves its bounds.
 */
#include "engine/install/apart.c"

#include <assert.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void apart_child(struct installation *i, int fd, pid_t parent, apart_fn fn, void *data)
{
	abort();
}

static void heard(void *data, const char *text)
{
	assert(strlen(text) <= APART_LINE_MAX);
	++*(unsigned *)data;
}

static void seen(void *data, const struct install_progress *p)
{
	assert(p->phase <= INSTALL_COMPOSE);
	assert(!p->waiting_for || (*p->waiting_for && strlen(p->waiting_for) <= APART_LINE_MAX));
	++*(unsigned *)data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned n = 0;
	const struct install_options o = { .progress = seen, .warn = heard, .detail = heard, .data = &n };
	_cleanup_diag_ struct diag d = DIAG_INIT;
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct installation i = { .options = &o, .diag = &d };
	struct listening l = { .i = &i, .text = &text, .body = { .max = APART_RESULT_MAX + 1 }, .code = 1 };
	_cleanup_fd_ int fd = memfd_create("frames", MFD_CLOEXEC);
	int r;

	assert(fd >= 0 && fd_write_all(fd, data, size) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	r = listen_to(&l, fd);
	assert(r == 0 || r == -EBADMSG || r == -EIO || r == -ENOMEM);
	assert(n <= size / sizeof(struct apart_head));
	assert(r == 0 ? l.code <= 0 && l.code > -ERR_LAST : l.code == 1 && text.len == 0);
	assert(text.len <= size && (l.code == 0 || text.len == 0));
	assert(r < 0 || !d.code || d.code == l.code);
	buf_done(&l.body);
	return 0;
}
