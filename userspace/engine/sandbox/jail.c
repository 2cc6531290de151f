// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/sandbox/jail.h"

#include "base/fd.h"
#include "confine/landlock.h"
#include "engine/sandbox/seccomp.h"
#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Before ABI 2 (Linux 5.19) a rename into another directory is always denied: the store lives on
 * them. */
#define ABI_FILES 2
#define ABI_PORTS 4
#define ABI_SCOPES 6

#define READ  (LANDLOCK_FILE_READ | LANDLOCK_FILE_LIST)
#define WRITE (READ | LANDLOCK_FILE_WRITE | LANDLOCK_FILE_TRUNCATE | LANDLOCK_FILE_MAKE |          \
	LANDLOCK_FILE_MAKE_DIR | LANDLOCK_FILE_REMOVE | LANDLOCK_FILE_REMOVE_DIR | LANDLOCK_FILE_REFER)
/* All that a rule for something other than a directory may name. */
#define OF_A_FILE (LANDLOCK_FILE_READ | LANDLOCK_FILE_WRITE | LANDLOCK_FILE_TRUNCATE)

/* Libraries that are loaded late (libcurl, the C library's name services), what names and
 * certificates are looked up in, and how many processors there are. Keys under /etc/ssl are not. */
static const char *const system_read[] = {
	"/usr", "/lib", "/lib32", "/lib64", "/libx32",
	"/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d",
	"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
	"/etc/services", "/etc/protocols", "/etc/localtime",
	"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf", "/etc/ca-certificates",
	"/etc/pki/tls/certs", "/etc/pki/tls/openssl.cnf", "/etc/pki/ca-trust/extracted",
	"/etc/crypto-policies",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf",
	"/sys/devices/system/cpu", "/proc/self", "/proc/cpuinfo", "/proc/meminfo",
	"/proc/sys/vm/overcommit_memory", "/proc/sys/crypto/fips_enabled",
	"/proc/sys/kernel/random/boot_id",
	"/dev/urandom", "/dev/random",
};

/* Variables that libraries look at while they work, by their beginnings. */
static const char *const kept[] = { "LANG=", "LC_", "TZ=", "RES_OPTIONS=", "LOCALDOMAIN=", "OPENSSL_",
	"SSL_CERT_", "CRATONS_FAULT_" };

static bool is_kept(const char *variable)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (str_starts(str_from(variable), str_from(kept[i])))
			return true;
	return false;
}

/* A build machine's variables are its secrets: they are overwritten where they lie. */
static void forget_environment(void)
{
	char **to = environ;

	for (char **e = environ; e && *e; e++) {
		if (is_kept(*e))
			*to++ = *e;
		else
			explicit_bzero(*e, strlen(*e));
	}
	if (to)
		*to = NULL;
}

/* Those of root, which could set routes through the one netlink protocol that is left. What is in the
 * store is the user's own and needs none. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct self = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &self, none) < 0 ? -errno : 0;
}

static int allow(int rules, int fd, uint64_t files)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return landlock_allow_below(rules, fd, S_ISDIR(st.st_mode) ? files : files & OF_A_FILE);
}

static int allow_reading(int rules, const char *const *paths, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		_cleanup_fd_ int fd = open(paths[i], O_PATH | O_CLOEXEC);

		if (fd >= 0)
			r = allow(rules, fd, READ);
	}
	return r;
}

static int add_rules(int rules, int abi, const struct jail *j)
{
	_cleanup_fd_ int null = open("/dev/null", O_PATH | O_CLOEXEC);
	int r = allow(rules, j->write, WRITE & landlock_everything(abi).files);

	if (r == 0 && null >= 0)
		r = allow(rules, null, LANDLOCK_FILE_READ | LANDLOCK_FILE_WRITE);
	if (r == 0)
		r = allow_reading(rules, system_read, ARRAY_SIZE(system_read));
	if (r == 0)
		r = allow_reading(rules, j->read, j->nread);
	for (size_t i = 0; i < j->nports && r == 0 && abi >= ABI_PORTS; i++)
		r = landlock_allow_port(rules, j->ports[i], LANDLOCK_TCP_CONNECT);
	return r;
}

/* The ABI in force, 0 when there is none. */
static int enter_landlock(const struct jail *j)
{
	int abi = landlock_abi(), r;
	const struct landlock_handled h = landlock_everything(abi);
	_cleanup_fd_ int rules = -1;

	if (abi < ABI_FILES)
		return 0;
	rules = landlock_new(&h);
	if (rules < 0)
		return rules;
	r = add_rules(rules, abi, j);
	if (r == 0)
		r = landlock_restrict(rules);
	return r < 0 ? r : abi;
}

/* 1 when in force; 0 where the kernel has no filters or one around us refuses to have more. */
static int enter_seccomp(void)
{
	struct sock_fprog programs[SECCOMP_PROGRAMS];
	int r = seccomp_find("fetch", programs);

	if (r == 0)
		r = seccomp_install(programs);
	if (r == -ENOSYS || r == -EINVAL || r == -EPERM || r == -EACCES)
		return 0;
	return r < 0 ? r : 1;
}

static int cannot(struct diag *d, int error, const char *wall)
{
	diag_errno(d, error, "%s for the installation's own process", wall);
	if (d)
		d->code = -ERR_NO_WALL;
	return -ERR_NO_WALL;
}

int jail_enter(const struct jail *j, struct jail_report *ret, struct diag *d)
{
	int landlock, seccomp, r;

	forget_environment();
	r = drop_capabilities();
	if (r < 0)
		return cannot(d, r, "dropping capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return cannot(d, -errno, "no_new_privs");
	landlock = enter_landlock(j);
	if (landlock < 0)
		return cannot(d, landlock, "Landlock");
	seccomp = enter_seccomp();
	if (seccomp < 0)
		return cannot(d, seccomp, "seccomp");
	*ret = (struct jail_report){ landlock, seccomp };
	return 0;
}

int jail_describe(const struct jail_report *r, struct buf *ret)
{
	const char *seccomp = r->seccomp ? "seccomp" : "no seccomp";

	if (!r->landlock)
		return buf_addf(ret, "no Landlock, %s", seccomp);
	return buf_addf(ret, "Landlock ABI %d (files%s%s), %s", r->landlock,
		r->landlock >= ABI_PORTS ? ", ports" : "",
		r->landlock >= ABI_SCOPES ? ", scopes" : "", seccomp);
}
