// SPDX-License-Identifier: GPL-2.0-or-later
#include "mount-priv.h"

#include "base/fd.h"
#include "cas/cas-write.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define DAMAGED_MAX ((size_t)1 << 20)

static int put_aside(struct cas_writer *w, struct str line, unsigned *n, struct diag *d)
{
	struct str kind = str_cut(&line, ' ');
	struct digest what;
	int r;

	if ((!str_is(kind, "object") && !str_is(kind, "tree")) || !line.p ||
		digest_parse(&what, line) < 0)
		return 0;
	r = cas_quarantine(w, &what, d);
	if (r == -ERR_STORE_MISSING || r == -ENOENT)
		return 0;
	if (r == 0)
		++*n;
	return r;
}

bool mount_damage_known(int home_fd)
{
	struct stat st;

	return fstatat(home_fd, "run/" FUSED_DAMAGED, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
}

int mount_damage_heal(struct cas_writer *w, int home_fd, unsigned *ret_n, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	_cleanup_fd_ int list = -1;
	struct str rest;
	unsigned n = 0;
	int r = file_slurp(home_fd, "run/" FUSED_DAMAGED, &text, DAMAGED_MAX);

	*ret_n = 0;
	if (r == -ENOENT || (r == 0 && text.len == 0))
		return 0;
	if (r < 0)
		return diag_errno(d, r, "cannot read run/" FUSED_DAMAGED);
	rest = buf_str(&text);
	while (r == 0 && rest.p)
		r = put_aside(w, str_cut(&rest, '\n'), &n, d);
	if (r < 0)
		return r;
	/* A line that a server wrote meanwhile is lost with the list; the damage that it named shows
	 * again at the next read. The file itself stays, as running servers append to it. */
	list = openat(home_fd, "run/" FUSED_DAMAGED, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	if (list < 0)
		return diag_errno(d, -errno, "cannot empty run/" FUSED_DAMAGED);
	*ret_n = n;
	return 0;
}
