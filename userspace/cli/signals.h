/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the terminal looks like after a signal. */
#ifndef CRATONS_CLI_SIGNALS_H
#define CRATONS_CLI_SIGNALS_H

/* From now on a signal that ends or stops the program first wipes the live lines of stderr. Handlers
 * that someone else set are left alone. */
void signals_clear_line(void);

#endif
