// SPDX-License-Identifier: GPL-2.0-or-later
#include "confine/landlock.h"

#include "prim/attr.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/landlock.h */
enum { RULE_PATH = 1, RULE_PORT = 2 };
enum { CREATE_VERSION = 1 };

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} _packed_;
struct port_rule {
	uint64_t allowed, port;
};
_Static_assert(sizeof(struct path_rule) == 12, "the kernel's");

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

struct landlock_handled landlock_everything(int abi)
{
	return (struct landlock_handled){
		.files = abi < 1 ? 0 : LANDLOCK_FILE_FIRST | (abi >= 2 ? LANDLOCK_FILE_REFER : 0) |
			(abi >= 3 ? LANDLOCK_FILE_TRUNCATE : 0) | (abi >= 5 ? LANDLOCK_FILE_IOCTL : 0),
		.tcp = abi >= 4 ? LANDLOCK_TCP_BIND | LANDLOCK_TCP_CONNECT : 0,
		.scopes = abi >= 6 ? LANDLOCK_SCOPE_ABSTRACT | LANDLOCK_SCOPE_SIGNAL : 0,
	};
}

int landlock_new(const struct landlock_handled *h)
{
	long fd = syscall(SYS_landlock_create_ruleset, h, sizeof(*h), 0);

	return fd < 0 ? -errno : (int)fd;
}

int landlock_allow_below(int ruleset, int fd, uint64_t files)
{
	struct path_rule rule = { .allowed = files, .fd = fd };

	return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0) < 0 ? -errno : 0;
}

int landlock_allow_port(int ruleset, uint16_t port, uint64_t tcp)
{
	struct port_rule rule = { .allowed = tcp, .port = port };

	return syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0) < 0 ? -errno : 0;
}

int landlock_restrict(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
