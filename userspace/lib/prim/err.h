/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error codes. Functions return 0 or a negative code: -errno, or one of the domain codes below,
 * which start at 1024 so that the two never meet. A domain code knows the errno nearest to it, the
 * exit status of a command that fails with it, and a sentence.
 */
#ifndef CRATONS_PRIM_ERR_H
#define CRATONS_PRIM_ERR_H

/* Exit statuses of the command line (man cratons, EXIT STATUS). */
enum exit_status {
	EXIT_OK = 0,
	EXIT_ERROR = 1,
	EXIT_USAGE = 2,
	EXIT_BUILD = 10,
	EXIT_INSTALL = 11,
	EXIT_RESOLVE = 12,
	EXIT_LOCK = 13,
	EXIT_MANIFEST = 14,
	EXIT_NETWORK = 20,
	EXIT_AUTH = 21,
	EXIT_AUDIT = 30,
	EXIT_VERIFY = 31,
	EXIT_CONFIG = 40,
	EXIT_STORE = 41,
	EXIT_WORKSPACE = 42,
	EXIT_CONTAINER = 50,
	EXIT_POLICY = 51,
};

/*   name               nearest errno   exit status      sentence */
#define ERR_TABLE(X)                                                                               \
	X(USAGE,            EINVAL,         EXIT_USAGE,      "wrong usage")                         \
	X(SYNTAX,           EBADMSG,        EXIT_ERROR,      "syntax error")                        \
	X(LIMIT,            E2BIG,          EXIT_ERROR,      "input is larger than allowed")        \
	X(MANIFEST,         EINVAL,         EXIT_MANIFEST,   "the manifest is not valid")           \
	X(NO_MANIFEST,      ENOENT,         EXIT_MANIFEST,   "there is no cratons.toml")            \
	X(LOCKFILE,         EINVAL,         EXIT_LOCK,       "the lockfile is not valid")           \
	X(LOCK_STALE,       ESTALE,         EXIT_LOCK,       "the lockfile does not match the manifest") \
	X(VERSION,          EINVAL,         EXIT_RESOLVE,    "not a valid version")                 \
	X(REQUIREMENT,      EINVAL,         EXIT_RESOLVE,    "not a valid version requirement")     \
	X(NO_PACKAGE,       ENOENT,         EXIT_RESOLVE,    "no such package")                     \
	X(UNSATISFIABLE,    ENOENT,         EXIT_RESOLVE,    "the requirements cannot be met")      \
	X(TOO_NEW,          EAGAIN,         EXIT_RESOLVE,    "a version is younger than minimum-age") \
	X(METADATA,         EBADMSG,        EXIT_RESOLVE,    "the registry's metadata is not valid") \
	X(INSTALL,          EIO,            EXIT_INSTALL,    "the installation failed")             \
	X(ARCHIVE,          EBADMSG,        EXIT_INSTALL,    "the archive is not acceptable")       \
	X(INTEGRITY,        EBADMSG,        EXIT_INSTALL,    "content does not match its integrity") \
	X(NO_INTEGRITY,     ENODATA,        EXIT_INSTALL,    "there is no integrity to check against") \
	X(NETWORK,          EIO,            EXIT_NETWORK,    "the network request failed")          \
	X(OFFLINE,          ENETDOWN,       EXIT_NETWORK,    "not available offline")               \
	X(HTTP,             EPROTO,         EXIT_NETWORK,    "the server answered with an error")   \
	X(AUTH,             EACCES,         EXIT_AUTH,       "the server refused the credentials")  \
	X(CONFIG,           EINVAL,         EXIT_CONFIG,     "the configuration is not valid")      \
	X(DIGEST,           EBADMSG,        EXIT_STORE,      "content does not match its digest")   \
	X(STORE,            EIO,            EXIT_STORE,      "the store is damaged")                \
	X(STORE_MISSING,    ENOENT,         EXIT_STORE,      "not in the store")                    \
	X(STORE_VERSION,    EPROTO,         EXIT_STORE,      "the store has another format version") \
	X(TREE,             EBADMSG,        EXIT_STORE,      "the tree is malformed")               \
	X(CONTAINER,        EIO,            EXIT_CONTAINER,  "the container could not be made")     \
	X(NO_WALL,          EOPNOTSUPP,     EXIT_CONTAINER,  "a wall cannot be built on this host") \
	X(MOUNT,            EIO,            EXIT_CONTAINER,  "the environment could not be mounted") \
	X(BUILD,            EIO,            EXIT_BUILD,      "a build script failed")               \
	X(POLICY,           EACCES,         EXIT_POLICY,     "the policy does not allow it")

enum err {
	ERR_FIRST = 1023,
#define X(name, parent, status, sentence) ERR_##name,
	ERR_TABLE(X)
#undef X
	ERR_LAST,
};

/* The sentence for a code, of either sign; for an errno, strerror's. Never NULL; not to be freed. */
const char *err_sentence(int code);

/* The code's name, for programs: "LOCK_STALE", for an errno "ENOENT". Never NULL. */
const char *err_name(int code);

/* The negative errno nearest to a code. Plain errnos are returned as they are. */
int err_errno(int code);

/* The exit status for a command that ended with this code; EXIT_OK for 0 and above. */
enum exit_status err_exit_status(int code);

#endif
