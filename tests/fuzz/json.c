// SPDX-License-Identifier: GPL-2.0-or-later
/* What is parsed can be walked and written, and what is written parses again. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void copy(struct json_out *o, struct json v)
{
	int64_t n;

	switch (json_kind(v)) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		json_out_open(o, json_kind(v) == JSON_OBJECT ? '{' : '[');
		json_foreach(i, v) {
			if (i.object)
				json_out_keystr(o, i.key);
			copy(o, i.value);
		}
		json_out_close(o, json_kind(v) == JSON_OBJECT ? '}' : ']');
		break;
	case JSON_STRING:
		json_out_str(o, json_str(v));
		break;
	case JSON_NUMBER:
		json_out_int(o, json_int(v, &n) == 0 ? n : 0);
		break;
	case JSON_BOOL:
		json_out_bool(o, json_bool(v, false));
		break;
	default:
		json_out_null(o);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf out = BUF_INIT;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct json_doc *doc = NULL;
	struct json_out o;

	if (json_parse(&doc, str_of(data, size), "fuzz", &d) < 0)
		return 0;
	json_out_start(&o, &out, size % 2);
	copy(&o, json_root(doc));
	json_free(doc);
	if (json_out_end(&o) < 0 || json_parse(&doc, buf_str(&out), "fuzz", &d) < 0)
		abort();
	json_free(doc);
	return 0;
}
