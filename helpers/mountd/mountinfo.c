// SPDX-License-Identifier: GPL-2.0-or-later
#include "mountinfo.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>

enum { FIELD_ID, FIELD_PARENT, FIELD_OPTIONAL = 6 };
enum { AFTER_TYPE = 1, AFTER_SOURCE, AFTER_SUPER };

/* Where people keep projects. Not procfs, sysfs and their like, whose files mean something by their
 * place; not FUSE, whose server says who owns what. */
static const char *const plain[] = {
	"9p", "bcachefs", "btrfs", "ceph", "cifs", "ecryptfs", "ext2", "ext3", "ext4", "f2fs", "gfs2", "jfs",
	"nfs", "nfs4", "nilfs2", "ocfs2", "overlay", "ramfs", "reiserfs", "smb3", "tmpfs", "virtiofs", "xfs", "zfs",
};

static enum mount_kind kind_of(struct str type)
{
	if (str_is(type, "fuse.cratons"))
		return MOUNT_CRATONS;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		if (str_is(type, plain[i]))
			return MOUNT_PLAIN;
	return MOUNT_OTHER;
}

static bool is_user(struct str option, uint32_t uid)
{
	struct str key = str_cut(&option, '=');
	uint64_t n;

	return str_is(key, "user_id") && option.p && str_u64(option, &n) == 0 && n == uid;
}

static void take_token(struct mountinfo *m)
{
	struct str token = str_of(m->line.token, m->line.len);

	if (m->line.after == AFTER_TYPE)
		m->line.kind = kind_of(token);
	else if (m->line.after == AFTER_SUPER)
		m->line.of_user |= is_user(token, m->uid);
	else if (m->line.after == 0 && m->line.field == FIELD_ID)
		m->line.bad |= str_u64(token, &m->line.id) < 0;
	else if (m->line.after == 0 && m->line.field == FIELD_PARENT)
		m->line.bad |= str_u64(token, &m->line.parent) < 0;
	m->line.len = 0;
}

static void take_field(struct mountinfo *m)
{
	bool dash = m->line.after == 0 && m->line.field >= FIELD_OPTIONAL &&
		m->line.len == 1 && m->line.token[0] == '-';

	take_token(m);
	m->line.field++;
	if (dash || m->line.after > 0)
		m->line.after++;
}

static void take_line(struct mountinfo *m)
{
	bool whole = !m->line.bad && m->line.after > AFTER_SUPER;
	bool ours = whole && m->line.kind == MOUNT_CRATONS;

	if (whole && m->line.id == m->id) {
		m->found = true;
		m->kind = m->line.kind;
		m->parent = m->line.parent;
		m->of_user = ours && m->line.of_user;
	}
	/* The root of the namespace may be its own parent. */
	m->children += whole && m->line.parent == m->id && m->line.id != m->id;
	m->all += ours;
	m->users += ours && m->line.of_user;
	memset(&m->line, 0, sizeof(m->line));
}

/* Spaces, newlines and backslashes of paths are escaped, so each of these ends what it seems to. */
static void feed(struct mountinfo *m, char c)
{
	if (c == '\n') {
		take_field(m);
		take_line(m);
	} else if (c == ' ') {
		take_field(m);
	} else if (c == ',' && m->line.after == AFTER_SUPER) {
		take_token(m);
	} else if (m->line.len < sizeof(m->line.token)) {
		m->line.token[m->line.len++] = c;
	}
}

void mountinfo_feed(struct mountinfo *m, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		feed(m, bytes[i]);
}

int mountinfo_read(struct mountinfo *m)
{
	_cleanup_fd_ int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char bytes[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		if (n > 0)
			mountinfo_feed(m, bytes, (size_t)n);
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}
