// SPDX-License-Identifier: GPL-2.0-or-later
/* Seccomp, the last wall: from here on the process itself is bound by it. */
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>

int seccomp_prepare(struct plan *p, struct diag *d)
{
	const char *name = p->s->seccomp ? p->s->seccomp : "default";

	if (p->s->seccomp_programs)
		memcpy(p->filters, p->s->seccomp_programs, sizeof(p->filters));
	else if (seccomp_find(name, p->filters) < 0)
		return diag_fail(d, -ERR_CONTAINER, "there is no seccomp profile '%s'", name);
	return 0;
}

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#endif

#define DATA(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define CALL(number, yes) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##number, yes, 0)

/*
 * TCP Fast Open (MSG_FASTOPEN) connects without a connect, which Landlock does not see. Not in the profiles: a
 * condition on calls that every server lives on is for those who limit ports. Both machines store the low
 * half of an argument first.
 */
static struct sock_filter no_fast_open[] = {
	DATA(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 0, 8),
	DATA(nr),
	CALL(sendto, 4),
	CALL(sendmmsg, 3),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendmsg, 0, 4),
	DATA(args[2]),
	BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
	DATA(args[3]),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MSG_FASTOPEN, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
};

static int close_fast_open(void)
{
	static const struct sock_fprog program = { ARRAY_SIZE(no_fast_open), no_fast_open };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}

/* Before the one besides comes ours: it lets a program confine itself further, which that may not. */
int seccomp_enter(struct plan *p)
{
	const struct sock_fprog *besides = &p->s->seccomp_besides;
	int r = p->connect.limited ? close_fast_open() : 0;

	if (r == 0)
		r = seccomp_install(p->filters);
	if (r == 0 && besides->len && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, besides) < 0)
		r = -errno;
	return r;
}
