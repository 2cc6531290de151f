// SPDX-License-Identifier: GPL-2.0-or-later
/* seccomp-compile PROFILE.toml: the profile's programs, as seccomp.h describes them, on stdout. */
#include "base/fd.h"
#include "engine/sandbox/seccomp.h"

#include <fcntl.h>
#include <stdio.h>

#define PROFILE_MAX (1u << 20)

static int compile(const char *path, struct diag *d)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct seccomp_profile profile;
	struct sock_fprog programs[SECCOMP_PROGRAMS];
	struct seccomp_blob head;
	int r = file_slurp(AT_FDCWD, path, &text, PROFILE_MAX);

	if (r < 0)
		return diag_errno(d, r, "cannot read %s", path);
	r = seccomp_profile_parse(&profile, buf_str(&text), path, d);
	if (r < 0)
		return r;
	r = seccomp_compile(&profile, programs, d);
	seccomp_profile_done(&profile);
	if (r < 0)
		return r;
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++)
		head.length[i] = programs[i].len;
	r = fd_write_all(1, &head, sizeof(head));
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++) {
		if (r == 0)
			r = fd_write_all(1, programs[i].filter,
				programs[i].len * sizeof(struct sock_filter));
		free(programs[i].filter);
	}
	return r < 0 ? diag_errno(d, r, "cannot write") : 0;
}

int main(int argc, char **argv)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;

	if (argc != 2) {
		fputs("usage: seccomp-compile PROFILE.toml\n", stderr);
		return 2;
	}
	if (compile(argv[1], &d) == 0)
		return 0;
	fprintf(stderr, "seccomp-compile: %s: %s\n", buf_text(&d.where), buf_text(&d.what));
	return 1;
}
