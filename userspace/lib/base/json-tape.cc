// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/json-tape.h"

#include <dlfcn.h>
#include <pthread.h>
#include <simdjson.h>

#include <cstring>

/*
 * simdjson is loaded when the first document is parsed: linking it adds 0.7 ms to the start of every
 * command (it brings the shared libstdc++ and libm), and most commands read no JSON. What is called
 * in it is one function and two virtual ones; the file name is bound to the header's version, as
 * their layout is.
 */
#define SIMDJSON_FILE "libsimdjson.so.14"
static_assert(simdjson::SIMDJSON_VERSION_MAJOR == 3 && simdjson::SIMDJSON_VERSION_MINOR == 0,
	"name the shared library that belongs to this simdjson.h");

using implementation = simdjson::internal::atomic_ptr<const simdjson::implementation>;

/* simdjson's own pointer to the code for this processor, which it chooses at the first use. */
static implementation *library;
static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void library_load()
{
	void *handle = dlopen(SIMDJSON_FILE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	void *symbol = handle ? dlsym(handle, "_ZN8simdjson25get_active_implementationEv") : nullptr;

	if (symbol)
		library = &reinterpret_cast<implementation &(*)()>(symbol)();
}

/* Vector loads may run past the end of the text by a register: allowed where that stays in the last
 * byte's page, and where nobody counts. */
static bool may_read_past(const char *text, size_t len)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	return false;
#endif
#endif
	auto end = reinterpret_cast<uintptr_t>(text) + len;

	return (end & 4095) != 0 && (end & 4095) + simdjson::SIMDJSON_PADDING <= 4096;
}

static json_tape_error code_of(simdjson::error_code e, const char **message)
{
	switch (e) {
	case simdjson::SUCCESS:
		return JSON_TAPE_OK;
	case simdjson::MEMALLOC:
		*message = "out of memory";
		return JSON_TAPE_MEMORY;
	case simdjson::DEPTH_ERROR:
		*message = "nested too deep";
		return JSON_TAPE_DEPTH_ERROR;
	case simdjson::STRING_ERROR:
		*message = "a string has a bad escape";
		return JSON_TAPE_STRING;
	case simdjson::UTF8_ERROR:
		*message = "not UTF-8";
		return JSON_TAPE_SYNTAX;
	case simdjson::NUMBER_ERROR:
		*message = "a number is malformed or too large";
		return JSON_TAPE_SYNTAX;
	case simdjson::EMPTY:
		*message = "it is empty";
		return JSON_TAPE_SYNTAX;
	case simdjson::UNESCAPED_CHARS:
		*message = "a string has a control character that is not escaped";
		return JSON_TAPE_SYNTAX;
	case simdjson::UNCLOSED_STRING:
		*message = "a string is not closed";
		return JSON_TAPE_SYNTAX;
	default:
		*message = "a comma, colon, bracket or value is missing or out of place";
		return JSON_TAPE_SYNTAX;
	}
}

static simdjson::error_code parse(const char *text, size_t len, simdjson::dom::document &doc)
{
	std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
	std::unique_ptr<char[]> copy;
	auto e = (*library)->create_dom_parser_implementation(len, JSON_TAPE_DEPTH, parser);

	if (!e)
		e = doc.allocate(len);
	if (e)
		return e;
	if (!may_read_past(text, len)) {
		copy.reset(new (std::nothrow) char[len + simdjson::SIMDJSON_PADDING]);
		if (!copy)
			return simdjson::MEMALLOC;
		memcpy(copy.get(), text, len);
		memset(copy.get() + len, ' ', simdjson::SIMDJSON_PADDING);
		text = copy.get();
	}
	return parser->parse(reinterpret_cast<const uint8_t *>(text), len, doc);
}

json_tape_error json_tape_parse(const char *text, size_t len, json_tape *ret, const char **message)
{
	std::unique_ptr<simdjson::dom::document> doc;
	simdjson::error_code e;

	*message = SIMDJSON_FILE " cannot be loaded";
	pthread_once(&library_once, library_load);
	if (!library)
		return JSON_TAPE_LIBRARY;
	if (len == 0)
		return code_of(simdjson::EMPTY, message);
	doc.reset(new (std::nothrow) simdjson::dom::document());
	e = doc ? parse(text, len, *doc) : simdjson::MEMALLOC;
	if (e)
		return code_of(e, message);
	*ret = { doc->tape.get(), doc->string_buf.get(), doc.get() };
	doc.release();
	return JSON_TAPE_OK;
}

void json_tape_free(json_tape *t)
{
	delete static_cast<simdjson::dom::document *>(t->owner);
	*t = {};
}
