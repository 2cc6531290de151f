// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fd.h"
#include "base/progress.h"

#include <criterion/criterion.h>
#include <sys/mman.h>

static uint64_t time_now;
static unsigned columns = 60;
static int file = -1;

static uint64_t now(void *data)
{
	return time_now;
}

static unsigned width(void *data)
{
	return columns;
}

static struct progress *start(bool live)
{
	struct progress_options o = { .live = live, .now = now, .width = width };
	struct progress *p;

	time_now = 0;
	file = o.fd = memfd_create("progress", MFD_CLOEXEC);
	cr_assert_eq(progress_new(&p, &o), 0);
	return p;
}

/* What was written since the last call. */
static const char *written(void)
{
	static struct buf b;
	off_t end = lseek(file, 0, SEEK_CUR);

	buf_reset(&b);
	cr_assert_eq(buf_reserve(&b, (size_t)end + 1), 0);
	cr_assert_eq(pread(file, b.data, (size_t)end, 0), end);
	b.data[end] = '\0';
	cr_assert_eq(ftruncate(file, 0), 0);
	lseek(file, 0, SEEK_SET);
	return b.data;
}

Test(progress, nothing_is_drawn_before_it_lasts)
{
	struct progress *p = start(true);
	int a = progress_start(p, "Fetching", "Fetched", "packages");

	progress_count(p, a, 1, 2);
	time_now = 49;
	progress_tick(p);
	cr_assert_str_eq(written(), "");
	progress_free(p);
	cr_assert_str_eq(written(), "");
}

Test(progress, twenty_times_a_second_at_most)
{
	struct progress *p = start(true);
	int a = progress_start(p, "Fetching", "Fetched", "packages");
	unsigned drawn = 0;

	for (time_now = 0; time_now < 1000; time_now++) {
		progress_count(p, a, time_now, 1000);
		drawn += written()[0] != '\0';
	}
	cr_assert(drawn >= 15 && drawn <= 20, "%u", drawn);
	progress_free(p);
}

Test(progress, live_line_and_its_end)
{
	struct progress *p = start(true);
	int a = progress_start(p, "Fetching", "Fetched", "packages");

	time_now = 1000;
	progress_bytes(p, a, 1500000);
	written();
	time_now = 1100;
	progress_count(p, a, 3, 10);
	written();
	progress_waits(p, a, "https://e.org/\033x");
	time_now = 1200;
	progress_tick(p);
	cr_assert_str_eq(written(),
		"\r\033[JFetching  3 of 10  1.5 MB  1.5 MB/s  waiting for https://e.\n\033[1A");
	time_now = 2000;
	progress_end(p, a);
	cr_assert_str_eq(written(), "\r\033[JFetched 3 of 10 packages  1.5 MB  750 kB/s\n");
	progress_free(p);
	cr_assert_str_eq(written(), "");
}

Test(progress, two_phases_two_lines_and_hiding)
{
	struct progress *p = start(true);
	int a = progress_start(p, "One", NULL, NULL), b = progress_start(p, "Two", NULL, NULL);

	time_now = 60;
	progress_tick(p);
	cr_assert_str_eq(written(), "\r\033[JOne\nTwo\n\033[2A");
	progress_hide(p);
	cr_assert_str_eq(written(), "\r\033[J");
	progress_hide(p);
	cr_assert_str_eq(written(), "");
	time_now = 120;
	progress_tick(p);
	cr_assert_str_eq(written(), "\r\033[JOne\nTwo\n\033[2A");
	progress_end(p, a);
	progress_end(p, b);
	cr_assert_str_eq(written(), "\r\033[J");
	progress_free(p);
}

Test(progress, lines_fit_without_cutting_a_letter)
{
	struct progress *p = start(true);

	columns = 6;
	progress_start(p, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4", NULL, NULL);
	time_now = 60;
	progress_tick(p);
	cr_assert_str_eq(written(), "\r\033[J\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\n\033[1A");
	columns = 60;
	progress_free(p);
}

Test(progress, plain_lines_where_there_is_no_terminal)
{
	struct progress *p = start(false);
	int a = progress_start(p, "Fetching", "Fetched", "packages");

	progress_count(p, a, 1, 10);
	time_now = 4999;
	progress_tick(p);
	cr_assert_str_eq(written(), "");
	progress_waits(p, a, "x");
	time_now = 5000;
	progress_tick(p);
	cr_assert_str_eq(written(), "Fetching 1 of 10 packages  waiting for x\n");
	progress_count(p, a, 10, 10);
	progress_end(p, a);
	cr_assert_str_eq(written(), "Fetched 10 packages\n");
	progress_free(p);
}

Test(progress, null_is_silent)
{
	cr_assert_eq(progress_start(NULL, "a", "b", "c"), -1);
	progress_count(NULL, 0, 1, 2);
	progress_bytes(NULL, 0, 1);
	progress_waits(NULL, 0, "x");
	progress_tick(NULL);
	progress_end(NULL, 0);
	progress_hide(NULL);
	progress_free(NULL);
}

Test(progress, more_phases_than_there_is_room_for)
{
	struct progress *p = start(true);

	for (int i = 0; i < PROGRESS_PHASES; i++)
		cr_assert_eq(progress_start(p, "x", NULL, NULL), i);
	cr_assert_eq(progress_start(p, "x", NULL, NULL), -1);
	progress_count(p, -1, 1, 1);
	progress_count(p, 99, 1, 1);
	progress_free(p);
}
