/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of the store as text and JSON. */
#ifndef CRATONS_CLI_REPORT_H
#define CRATONS_CLI_REPORT_H

#include "cas/cas-write.h"
#include "cmd.h"

void report_bytes(struct cmd *c, uint64_t bytes);	/* "3.1 MB" */
void report_usage_json(struct cmd *c, const struct cas_usage *u);

#endif
