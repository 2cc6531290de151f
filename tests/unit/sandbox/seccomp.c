// SPDX-License-Identifier: GPL-2.0-or-later
/* The profiles, by what their compiled programs answer: a small interpreter of the filter machine
 * (the subset that seccomp(2) allows) stands in for the kernel. */
#include "engine/sandbox/seccomp.h"
#include "prim/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/syscall.h>

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static uint32_t interpret(const struct sock_fprog *p, const struct seccomp_data *data)
{
	uint32_t a = 0, k;

	for (size_t i = 0; i < p->len; i++) {
		const struct sock_filter *f = &p->filter[i];
		bool jump = false;

		k = f->k;
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert(k + 4 <= sizeof(*data) && k % 4 == 0);
			memcpy(&a, (const char *)data + k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= k;
			continue;
		case BPF_RET | BPF_K:
			return k;
		case BPF_JMP | BPF_JA:
			i += k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			jump = a == k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			jump = a > k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			jump = a >= k;
			break;
		default:
			cr_assert_fail("instruction %zu: code %#x", i, f->code);
		}
		i += jump ? f->jt : f->jf;
	}
	cr_assert_fail("ran past the end");
	return 0;
}

struct filter {
	struct sock_fprog p[SECCOMP_PROGRAMS];
};

static struct filter load(const char *name)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct seccomp_profile profile;
	struct filter f;

	cr_assert_eq(seccomp_profile_load(&profile, name, &d), 0, "%s %s", buf_text(&d.where),
		buf_text(&d.what));
	cr_assert_eq(seccomp_compile(&profile, f.p, &d), 0, "%s", buf_text(&d.what));
	seccomp_profile_done(&profile);
	return f;
}

static void done(struct filter *f)
{
	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++)
		free(f->p[i].filter);
}

/* The errno that a call gives, 0 when it is allowed: the stricter answer of the two. */
static int answer(const struct filter *f, uint32_t arch, int nr, uint64_t a0, uint64_t a1,
	uint64_t a2)
{
	struct seccomp_data data = { .nr = nr, .arch = arch, .args = { a0, a1, a2 } };

	for (size_t i = 0; i < SECCOMP_PROGRAMS; i++) {
		uint32_t r = interpret(&f->p[i], &data);

		if ((r & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
			return (int)(r & SECCOMP_RET_DATA);
		cr_assert_eq(r, SECCOMP_RET_ALLOW);
	}
	return 0;
}

#define CALL(nr, ...) answer(&f, NATIVE, nr, ##__VA_ARGS__)

Test(seccomp, default_allows_work_and_refuses_by_reason)
{
	struct filter f = load("default");

	cr_assert_eq(CALL(SYS_read, 0, 0, 0), 0);
	cr_assert_eq(CALL(SYS_execve, 0, 0, 0), 0);
	cr_assert_eq(CALL(SYS_ptrace, 0, 0, 0), 0);
	cr_assert_eq(CALL(SYS_clone3, 0, 0, 0), ENOSYS);
	cr_assert_eq(CALL(SYS_io_uring_setup, 0, 0, 0), ENOSYS);
	cr_assert_eq(CALL(SYS_mount, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_open_tree, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_setns, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_bpf, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_keyctl, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_kexec_load, 0, 0, 0), EPERM);
	done(&f);
}

Test(seccomp, fetch_starts_threads_and_nothing_else)
{
	struct filter f = load("fetch");

	cr_assert_eq(CALL(SYS_openat, 0, 0, 0), 0);
	cr_assert_eq(CALL(SYS_connect, 0, 0, 0), 0);
	cr_assert_eq(CALL(SYS_execve, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_execveat, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_clone, 0x3d0f00, 0, 0), 0, "glibc's threads");
	cr_assert_eq(CALL(SYS_clone, 17 /* SIGCHLD */, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_clone, 0x10000000 | 0x3d0f00, 0, 0), EPERM, "a user namespace");
	cr_assert_eq(CALL(SYS_socket, 2, 0x80001, 6), 0);
	cr_assert_eq(CALL(SYS_socket, 2, 0x80001, 262), EPROTONOSUPPORT, "MPTCP");
	cr_assert_eq(CALL(SYS_socket, 2, 3, 0), EPERM, "raw");
	cr_assert_eq(CALL(SYS_socket, 16, 0x80003, 0), 0, "routes");
	cr_assert_eq(CALL(SYS_mprotect, 0, 0, 4), EACCES);
	cr_assert_eq(CALL(SYS_mmap, 0, 0, 7), EACCES);
	cr_assert_eq(CALL(SYS_mmap, 0, 0, 5), 0, "a library's code");
	cr_assert_eq(CALL(SYS_io_uring_setup, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_io_uring_register, 0, 6, 0), 0);
	cr_assert_eq(CALL(SYS_io_uring_register, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_utimensat, 0, 0, 0), 0);
	cr_assert_eq(CALL(SYS_utimensat, 0, 0x1000, 0), EPERM);
	cr_assert_eq(CALL(SYS_ptrace, 0, 0, 0), EPERM);
	cr_assert_eq(CALL(SYS_setsid, 0, 0, 0), ENOSYS, "what is not listed");
	done(&f);
}

Test(seccomp, what_nobody_knows_does_not_exist)
{
	struct filter f = load("default");

	for (int nr = 480; nr < 600; nr++)
		cr_assert_eq(CALL(nr, 0, 0, 0), ENOSYS, "%d", nr);
	cr_assert_eq(CALL(-1, 0, 0, 0), ENOSYS);
	done(&f);
}

#ifdef __x86_64__
Test(seccomp, other_entries_of_the_kernel_are_closed)
{
	struct filter f = load("default");

	for (int nr = 0; nr < 500; nr++) {
		cr_assert_eq(answer(&f, AUDIT_ARCH_I386, nr, 0, 0, 0), ENOSYS, "32-bit %d", nr);
		cr_assert_eq(CALL(nr | 0x40000000, 0, 0, 0), ENOSYS, "x32 %d", nr);
	}
	done(&f);
}
#endif

Test(seccomp, clone_without_namespaces_only)
{
	struct filter f = load("default");
	const uint64_t thread = 0x3d0f00, vfork = 0x4111;

	cr_assert_eq(CALL(SYS_clone, thread, 0, 0), 0);
	cr_assert_eq(CALL(SYS_clone, vfork, 0, 0), 0);
	for (int bit = 25; bit <= 30; bit++) {
		cr_assert_eq(CALL(SYS_clone, thread | 1u << bit, 0, 0), EPERM, "bit %d", bit);
		cr_assert_eq(CALL(SYS_unshare, 1u << bit, 0, 0), EPERM, "bit %d", bit);
	}
	cr_assert_eq(CALL(SYS_clone, 0x20000, 0, 0), EPERM, "NEWNS");
	cr_assert_eq(CALL(SYS_unshare, 0x80, 0, 0), EPERM, "NEWTIME");
	cr_assert_eq(CALL(SYS_unshare, 0x400, 0, 0), 0, "CLONE_FILES");
	done(&f);
}

Test(seccomp, terminals_cannot_be_typed_into_whatever_the_high_bits)
{
	struct filter f = load("default");

	for (uint64_t high = 0; high < 4; high++) {
		cr_assert_eq(CALL(SYS_ioctl, 0, 0x5412 | high << 32, 0), EPERM);
		cr_assert_eq(CALL(SYS_ioctl, 0, 0x541c | high << 40, 0), EPERM);
	}
	for (uint64_t request = 0x5400; request < 0x5480; request++)
		if (request != 0x5412 && request != 0x541c && request != 0x5423)
			cr_assert_eq(CALL(SYS_ioctl, 0, request, 0), 0, "%#lx", (long)request);
	done(&f);
}

/* Every family up to 100, the first beyond each power of two, and garbage above 32 bits. */
Test(seccomp, only_four_families_of_sockets)
{
	struct filter f = load("default");

	for (uint64_t family = 0; family < 100; family++) {
		bool known = family == 1 || family == 2 || family == 10 || family == 16;

		cr_assert_eq(CALL(SYS_socket, family, 1, 0), known ? 0 : EAFNOSUPPORT, "%lu",
			(long)family);
		cr_assert_eq(CALL(SYS_socket, family | 7ULL << 33, 1, 0), known ? 0 : EAFNOSUPPORT);
	}
	for (int bit = 7; bit < 32; bit++)
		cr_assert_eq(CALL(SYS_socket, 1ULL << bit, 1, 0), EAFNOSUPPORT);
	for (uint64_t protocol = 0; protocol < 40; protocol++)
		cr_assert_eq(CALL(SYS_socket, 16, 3, protocol), protocol ? EPROTONOSUPPORT : 0);
	cr_assert_eq(CALL(SYS_socket, 2, 1, 6), 0, "TCP");
	done(&f);
}

/* Which protocol a socket speaks is told by its type, too, when the protocol is 0. */
Test(seccomp, ip_is_tcp_udp_icmp_and_raw)
{
	struct filter f = load("default");
	static const int known[] = { 0, 1, 6, 17, 58, 255 }, families[] = { 2, 10 };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		for (int protocol = 0; protocol < 300; protocol++) {
			bool allowed = false;

			for (size_t j = 0; j < ARRAY_SIZE(known); j++)
				allowed |= known[j] == protocol;
			cr_assert_eq(CALL(SYS_socket, families[i], 0x80801, protocol),
				allowed ? 0 : EPROTONOSUPPORT, "%d", protocol);
		}
		for (int type = 1; type < 16; type++)
			cr_assert_eq(CALL(SYS_socket, families[i], 0x80000 | type, 0),
				type < 4 ? 0 : EPROTONOSUPPORT, "type %d", type);
	}
	cr_assert_eq(CALL(SYS_socket, 1, 5, 0), 0, "unix SEQPACKET");
	done(&f);
}

Test(seccomp, pairs_are_unix)
{
	struct filter f = load("default");

	for (int family = 0; family < 60; family++)
		cr_assert_eq(CALL(SYS_socketpair, family, 1, 0), family == 1 ? 0 : EAFNOSUPPORT);
	done(&f);
}

Test(seccomp, protocols_on_tcp_are_refused)
{
	struct filter f = load("default");

	cr_assert_eq(CALL(SYS_setsockopt, 3, 6, 31), ENOPROTOOPT, "TCP_ULP");
	cr_assert_eq(CALL(SYS_setsockopt, 3, 6, 1), 0, "TCP_NODELAY");
	cr_assert_eq(CALL(SYS_setsockopt, 3, 1, 31), 0, "another level");
	done(&f);
}

Test(seccomp, prctl_without_what_is_about_others)
{
	struct filter f = load("default");

	for (int option = 0; option < 100; option++) {
		bool refused = option == 35 || option == 57 || option == 62 || option == 67;

		cr_assert_eq(CALL(SYS_prctl, option, 0, 0), refused ? EPERM : 0, "%d", option);
	}
	done(&f);
}

Test(seccomp, filters_without_a_listener)
{
	struct filter f = load("default");

	cr_assert_eq(CALL(SYS_seccomp, 1, 0, 0), 0);
	cr_assert_eq(CALL(SYS_seccomp, 1, 1, 0), 0, "TSYNC");
	cr_assert_eq(CALL(SYS_seccomp, 1, 8, 0), EPERM, "NEW_LISTENER");
	cr_assert_eq(CALL(SYS_seccomp, 1, 9, 0), EPERM);
	cr_assert_eq(CALL(SYS_seccomp, 3, 0, 0), 0, "GET_NOTIF_SIZES");
	done(&f);
}

/* Nothing is refused for having been forgotten: each call of the table has a rule and so a reason. */
Test(seccomp, each_call_is_decided)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct seccomp_profile p;

	cr_assert_eq(seccomp_profile_load(&p, "default", &d), 0);
	for (int nr = 0; nr <= 470; nr++) {
		char name[SECCOMP_NAME_MAX];

		if (seccomp_call_name(&p, nr, name))
			cr_assert(seccomp_verdict(&p, str_from(name)), "%d: %s", nr, name);
	}
	seccomp_profile_done(&p);
}

Test(seccomp, personality_is_a_short_list)
{
	struct filter f = load("default");

	cr_assert_eq(CALL(SYS_personality, 0xffffffff, 0, 0), 0);
	cr_assert_eq(CALL(SYS_personality, 0, 0, 0), 0);
	cr_assert_eq(CALL(SYS_personality, 0x0040000, 0, 0), 0);
	cr_assert_eq(CALL(SYS_personality, 0x0400000, 0, 0), EPERM, "READ_IMPLIES_EXEC");
	cr_assert_eq(CALL(SYS_personality, 0x0440000, 0, 0), EPERM);
	done(&f);
}

Test(seccomp, script_is_stricter_never_looser)
{
	struct filter f = load("default"), script = load("script");

	for (int nr = 0; nr < 500; nr++)
		if (answer(&f, NATIVE, nr, 0, 0, 0))
			cr_assert_neq(answer(&script, NATIVE, nr, 0, 0, 0), 0, "%d", nr);
	cr_assert_eq(answer(&script, NATIVE, SYS_ptrace, 0, 0, 0), EPERM);
	cr_assert_eq(answer(&script, NATIVE, SYS_shmget, 0, 0, 0), EPERM);
	cr_assert_eq(answer(&script, NATIVE, SYS_openat, 0, 0, 0), 0);
	done(&f);
	done(&script);
}

static int parse(const char *text, char *where, size_t size)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct seccomp_profile p;
	int r = seccomp_profile_parse(&p, str_from(text), "p.toml", &d);

	snprintf(where, size, "%s", buf_text(&d.where));
	if (r == 0)
		seccomp_profile_done(&p);
	return r;
}

Test(seccomp, a_misspelt_call_is_refused)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct sock_fprog programs[SECCOMP_PROGRAMS];
	struct seccomp_profile p;

	cr_assert_eq(seccomp_profile_parse(&p,
		STR("version = 1\n[[allow]]\nwhy = 'x'\ncalls = ['raed']\n"), "p", &d), 0);
	cr_assert_eq(seccomp_compile(&p, programs, &d), -ERR_CONTAINER);
	cr_assert_not_null(strstr(buf_text(&d.what), "raed"));
	seccomp_profile_done(&p);
}

#define REFUSE "version = 1\n[[refuse]]\nwhy='x'\ncalls=['read']\nerror='EPERM'\n"

Test(seccomp, malformed_profiles_are_refused_with_their_place)
{
	static const char *const bad[] = {
		"version = 2\n",
		"version = 1\nname = 'x'\ncolour = 1\n",
		"version = 1\n[[allow]]\nwhy = 'x'\ncalls = []\n",
		"version = 1\n[[allow]]\ncalls = ['read']\n",
		"version = 1\n[[allow]]\nwhy = 'x'\ncalls = [1]\n",
		"version = 1\n[[allow]]\nwhy = 'x'\ncalls = ['read']\nerror = 'EPERM'\n",
		"version = 1\n[[refuse]]\nwhy = 'x'\ncalls = ['read']\n",
		"version = 1\n[[refuse]]\nwhy = 'x'\ncalls = ['read']\nerror = 'EWHAT'\n",
		REFUSE "when=[{argument=6, any_bit=1}]\n",
		REFUSE "when=[{argument=1}]\n",
		REFUSE "when=[{argument=1, some_bit=1}]\n",
		REFUSE "when=[{argument=1, one_of=[-1]}]\n",
		REFUSE "when=[{argument=1, one_of=0x100000000}]\n",
		REFUSE "when=[{argument=1, one_of=[]}]\n",
		"version = 1\nbase = 'none'\n",
		"version = \n",
	};
	char where[64];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_lt(parse(bad[i], where, sizeof(where)), 0, "%zu was taken", i);
		cr_assert_eq(strncmp(where, "p.toml:", 7), 0, "%zu: '%s'", i, where);
	}
	cr_assert_eq(parse("version = 1\nname = 'x'\n", where, sizeof(where)), 0);
}
