/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The container: an ordered table of steps (steps.c), one file a wall (step_<wall>.c), that turn a
 * struct sandbox into a process that sees only what it names. Nothing here needs privilege or a
 * helper of the host's. A wall that the profile asks for and that cannot be built is -ERR_NO_WALL,
 * named, and nothing runs.
 */
#ifndef CRATONS_ENGINE_SANDBOX_H
#define CRATONS_ENGINE_SANDBOX_H

#include "base/arena.h"
#include "prim/diag.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/types.h>

enum sandbox_net {
	SANDBOX_NET_NONE,	/* a namespace with a loopback and nothing else */
	SANDBOX_NET_HOST,
	SANDBOX_NET_DOOR,	/* as none, and what `door` says */
};

/*
 * What SANDBOX_NET_DOOR adds to a loopback: an interface whose other end is in a second network namespace
 * made for this container. There every routed address is local, and the sockets wait that are handed out;
 * nothing else is there, no route out of it either. A second one, so that listeners of the door take no
 * port from programs inside. IPv4 addresses are written ::ffff:a.b.c.d, with bits of 128.
 */
struct sandbox_door_route {
	struct in6_addr net;
	unsigned bits;
};

struct sandbox_door_socket {
	struct in6_addr address;	/* ::: all that are routed */
	uint16_t port;
	bool datagram;
	bool inside;			/* in the container's own namespace: for its loopback */
};

struct sandbox_door {
	const struct sandbox_door_route *routes;
	size_t nroutes;
	const struct sandbox_door_socket *sockets;	/* bound, and listening but for datagrams */
	size_t nsockets;
	int to;				/* they are sent here: frames of cratons/wire/egress.h */
	bool ipv6;			/* this kernel has it */
	const char *resolver;		/* the container's only nameserver */
};

#define SANDBOX_SECRETS	    "/run/secrets"
#define SANDBOX_SECRETS_MAX 64

/*
 * A text that the program is given, and that is kept out of what it writes: where it or a form of it comes
 * by (base/mask.h has the list), "***" does. So all that is written passes this process: SANDBOX_STDIO_INHERIT
 * is _STREAMS then, and standard input is nothing that could be written. What is sent over the network, or
 * written to files, is as the program makes it.
 */
struct sandbox_secret {
	const char *name;
	struct str value;
	bool file;		/* SANDBOX_SECRETS/<name>, mode 0400, instead of a variable; not with `joins` */
};

#define SANDBOX_ALARMS_MAX 8

/* Rings while the container runs: when poll finds one of the events on the descriptor. */
struct sandbox_alarm {
	int fd;			/* borrowed; -1: none */
	short events;
	/* Returns why the container is to end ("oom", "pids", …), a text that stays, or NULL: go on.
	 * *ret_silence: it is not asked again. */
	const char *(*rang)(void *data, bool *ret_silence);
	void *data;
};

enum sandbox_bind_kind {
	SANDBOX_BIND_RO,
	SANDBOX_BIND_RW,
	SANDBOX_BIND_TREE,	/* `source` is a path below the FUSE mount: read-only, nosuid, nodev */
	SANDBOX_BIND_OVERLAY,	/* overlay: lower = source, upper and work = `upper`, `work`;
				 * NULL: on the container's own tmpfs, lost at its end */
	SANDBOX_BIND_TMPFS,
	SANDBOX_BIND_SYMLINK,	/* `source` is the link's target */
	SANDBOX_BIND_FILE,	/* a new read-only file with `source` as its contents, and `mode` or 0444 */
	SANDBOX_BIND_MQUEUE,	/* the POSIX queues of its IPC namespace */
	SANDBOX_BIND_MASK,	/* covered by an empty file or directory; skipped where there is nothing */
	SANDBOX_BIND_SEAL,	/* made read-only as it is; likewise */
	SANDBOX_BIND_SCRATCH,	/* an empty writable directory on the container's own tmpfs */
};

/* A target may lie inside an earlier bind; directories that are missing there are made. Links in a
 * target are followed within the container, never out of it. */

struct sandbox_bind {
	enum sandbox_bind_kind kind;
	const char *source;
	const char *target;		/* absolute path inside */
	const char *upper, *work;	/* overlay only; paths on the host */
	uint64_t size;			/* tmpfs: bytes; 0: 64 MiB */
	mode_t mode;			/* tmpfs, scratch: 0: 0755 */
	bool no_exec;			/* of the kinds that are not of the container's own tmpfs */
	bool optional;			/* a source that is not there is skipped */
	/* The host's paths must lead through no link: for those below a directory that a container
	 * could write before, whose links would take the next one out of it. */
	bool no_links;
};

struct sandbox_limits {
	uint64_t output_max;	/* bytes of output that passes this process; 0: none */
	unsigned seconds;	/* wall time; 0: none */
	uint64_t address_space, file_size, processes, open_files;	/* rlimits; 0: step_session.c's */
	uint64_t scratch;	/* bytes of the container's own tmpfs (/tmp, HOME); 0: 1 GiB */
};

enum sandbox_root_kind {
	SANDBOX_ROOT_HOST,	/* a tmpfs; with host_usr the host's programs and a minimal /etc in it */
	SANDBOX_ROOT_DIR,	/* a directory of the host's: see rootfs.h */
	SANDBOX_ROOT_TREE,	/* a path below the FUSE mount, seen from mount_ns */
};

/* Where goes what is written to the root. */
enum sandbox_layer {
	SANDBOX_LAYER_NONE,	/* nowhere: it is read-only */
	SANDBOX_LAYER_SCRATCH,	/* to the container's own tmpfs, whose bound holds for it; lost at the end */
	SANDBOX_LAYER_KEPT,	/* to `layer_dir`/upper; `layer_dir`/work is overlayfs's own. Not of HOST */
	SANDBOX_LAYER_DIRECT,	/* to the directory itself. Of DIR only */
};

/*
 * A root that is not made here has places to mount on (/proc, /dev, /tmp, the targets of binds) or
 * gets them in a throw-away layer: nothing is made in the directory itself, DIRECT apart. Of its own
 * /etc, hosts, hostname and resolv.conf are covered. /tmp, /var/tmp, /dev/shm and home are empty and
 * writable whatever the layer, except read_only.
 */
struct sandbox_root {
	enum sandbox_root_kind kind;
	const char *path;	/* DIR, TREE */
	enum sandbox_layer layer;
	const char *layer_dir;
	bool read_only;		/* nothing can be written but what is bound so */
	bool bare;		/* nothing but /proc and /dev in what has a path: no /tmp, no file of /etc */
};

/* One of setrlimit(2)'s. The name is for diagnostics. */
struct sandbox_rlimit {
	int resource;
	uint64_t soft, hard;	/* RLIM_INFINITY: none */
	const char *name;
};

enum sandbox_stdio {
	/* The caller's descriptors 0-2. Those that are terminals are replaced by a terminal of the
	 * container's own, so that the caller's is never handed in. */
	SANDBOX_STDIO_INHERIT,
	SANDBOX_STDIO_CAPTURE,	/* stdin empty, stdout and stderr into `output` */
	/* As INHERIT, but stdout and stderr that are no terminals are pipes to this process: to `stream`,
	 * or passed on. All of it is counted for limits.output_max, a terminal's as well. */
	SANDBOX_STDIO_STREAMS,
};

/* No namespaces to start from, no cgroup: what the zeroes of an initializer would not say. */
#define SANDBOX_INIT .user_ns = -1, .mount_ns = -1, .cgroup = -1

struct sandbox {
	const char *seccomp;		/* name of the profile: policies/seccomp/<name>.toml */
	/* Programs instead of that profile's (seccomp.h, SECCOMP_PROGRAMS of them) or NULL; and one that is
	 * installed besides, with code or without. */
	const struct sock_fprog *seccomp_programs;
	struct sock_fprog seccomp_besides;
	const char *hostname;		/* or NULL: "cratons" */
	const char *domainname;		/* or NULL: "(none)" */
	uid_t uid;			/* inside: stands for the caller's own, whatever the number */
	gid_t gid;
	const char *user;	/* its name there; NULL: "user" */
	const char *home;	/* an empty writable directory is made at it; NULL: none */
	enum sandbox_net net;
	struct sandbox_bind *binds;	/* in the order they are made */
	size_t nbinds;
	const char *const *argv;	/* NULL-terminated; argv[0] is looked up in PATH inside */
	const char *const *env;		/* "NAME=value", NULL-terminated: all there is */
	const struct sandbox_secret *secrets;
	size_t nsecrets;		/* at most SANDBOX_SECRETS_MAX */
	const char *cwd;		/* inside; NULL: / */
	struct sandbox_limits limits;
	const struct sandbox_rlimit *rlimits;	/* after `limits`' standard ones */
	size_t nrlimits;
	enum sandbox_stdio stdio;
	/* Namespaces to start from (a FUSE server's), or -1. */
	int user_ns, mount_ns;
	/* Not a new container but one more command in that whose pid 1 the pidfd `join` is: only argv,
	 * env, cwd, seccomp, limits, cgroup and stdio count then. Its namespaces are joined, and each wall
	 * that is a process's own is built again. Its end ends what it started. */
	bool joins;
	int join;
	pid_t join_pid;
	/* A cgroup (v2) to be born in: a directory descriptor, or -1 for the caller's own. */
	int cgroup;
	const struct sandbox_alarm *alarms;
	size_t nalarms;		/* at most SANDBOX_ALARMS_MAX */
	const struct sandbox_door *door;	/* SANDBOX_NET_DOOR only */
	/* Called once there is a process in the namespaces, while it builds the walls; a failure ends it.
	 * May be NULL. The pid is that of the container's pid 1, this process's child. */
	int (*born)(void *data, pid_t pid, int pidfd, struct diag *d);
	void *born_data;
	/* The TCP ports that can be connected to and listened on, whatever the network: "80,443,8000-8100"
	 * (inet.h), or "none"; NULL: all. Port 0 to listen on is one that the kernel chooses. */
	const char *tcp_connect, *tcp_listen;
	struct sandbox_root root;
	/* Called when the command was executed. May be NULL. */
	void (*started)(void *data);
	void *started_data;
	/* SANDBOX_STDIO_STREAMS: what was written to 1 or 2. NULL: goes to the caller's descriptors. */
	void (*stream)(void *data, int fd, const void *bytes, size_t n);
	void *stream_data;
	bool host_usr;			/* bind the host's /usr, /bin, /lib… read-only, /etc minimal */
	bool time_ns;			/* its clocks of monotonic and boot time begin with it */
};

struct sandbox_result {
	int status;		/* as from waitpid */
	const char *ended_by;	/* NULL, or the limit that ended it: "time", "output", an alarm's */
	struct buf output;	/* captured; the caller frees it */
};

/* Runs to the end, forwarding signals and the terminal. 0 when the command ran, whatever its status;
 * -ENOENT, -EACCES and the like when there was a container but the command could not be executed;
 * -ERR_NO_WALL or -ERR_CONTAINER when there was none. All that ran inside has ended when it returns,
 * and ends too when the caller dies. But for SANDBOX_STDIO_CAPTURE it takes the thread's signals while
 * it runs, so the caller should have no other thread that handles them. */
int sandbox_run(const struct sandbox *s, struct sandbox_result *ret, struct diag *d);

/* The exit status to pass on: the child's, or 128 + signal. */
int sandbox_exit_status(const struct sandbox_result *r);

/* The environment to start from: of the caller's variables only those that name a terminal, a
 * language or a wish about colour (env.c has the list), and PATH, HOME, USER, SHELL and TMPDIR as the
 * container has them. `path` goes before the standard PATH, or is NULL. The array ends with NULL. */
int sandbox_env_default(struct arena *a, const struct sandbox *s, const char *path,
	const char *const *caller, const char *const **ret);

/* Both: a variable of `extra` (may be NULL) replaces one of that name, as programs read the first they
 * find. */
int sandbox_env_add(struct arena *a, const char *const *base, const char *const *extra,
	const char *const **ret);

/* doctor: builds each wall for real. `fix` may be NULL. */
struct sandbox_check {
	const char *wall;
	int error;		/* 0: it holds */
	const char *detail;	/* in the arena, as all of it */
	const char *fix;
	bool optional;		/* containers are made without it too */
};
int sandbox_doctor(struct arena *a, struct sandbox_check **ret, size_t *ret_n);

#endif
