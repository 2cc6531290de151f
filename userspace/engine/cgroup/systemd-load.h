/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd-bus, loaded when it is first needed: few runs ask systemd for anything, and hosts without it need
 * no library of it. */
#ifndef CRATONS_ENGINE_CGROUP_SYSTEMD_LOAD_H
#define CRATONS_ENGINE_CGROUP_SYSTEMD_LOAD_H

#include "prim/diag.h"

#include <systemd/sd-bus.h>

/*	type, name without "sd_bus_", parameters */
#define SYSTEMD_SYMBOLS(X)                                                                         \
	X(int, new, (sd_bus **))                                                                   \
	X(int, set_address, (sd_bus *, const char *))                                              \
	X(int, set_bus_client, (sd_bus *, int))                                                    \
	X(int, set_method_call_timeout, (sd_bus *, uint64_t))                                      \
	X(int, start, (sd_bus *))                                                                  \
	X(int, process, (sd_bus *, sd_bus_message **))                                             \
	X(int, wait, (sd_bus *, uint64_t))                                                         \
	X(int, call, (sd_bus *, sd_bus_message *, uint64_t, sd_bus_error *, sd_bus_message **))    \
	X(int, call_method, (sd_bus *, const char *, const char *, const char *, const char *,     \
		sd_bus_error *, sd_bus_message **, const char *, ...))                             \
	X(int, get_property_string, (sd_bus *, const char *, const char *, const char *,           \
		const char *, sd_bus_error *, char **))                                            \
	X(int, match_signal, (sd_bus *, sd_bus_slot **, const char *, const char *, const char *,  \
		const char *, sd_bus_message_handler_t, void *))                                   \
	X(sd_bus *, flush_close_unref, (sd_bus *))                                                 \
	X(sd_bus_slot *, slot_unref, (sd_bus_slot *))                                              \
	X(void, error_free, (sd_bus_error *))                                                      \
	X(int, message_read, (sd_bus_message *, const char *, ...))                                \
	X(sd_bus_message *, message_unref, (sd_bus_message *))

struct systemd_api {
#define X(type, name, parameters) type(*name) parameters;
	SYSTEMD_SYMBOLS(X)
#undef X
};

/* The same table for every caller. -EOPNOTSUPP when there is no usable libsystemd. */
int systemd_load(const struct systemd_api **ret, struct diag *d);

#endif
