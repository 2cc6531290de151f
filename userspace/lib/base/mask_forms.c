// SPDX-License-Identifier: GPL-2.0-or-later
/* The forms in which programs print a value without meaning to hide it. */
#include "base/mask-priv.h"

#include "prim/base64.h"

#include <errno.h>
#include <stdio.h>

struct forms {
	const struct mask_sink *to;
	struct buf b;		/* the form that is being made */
};

/* What makes one byte's form; `style` is the maker's own. */
typedef int add_byte(struct buf *b, unsigned char c, int style);

static int plain(struct forms *f, struct str s)
{
	return f->to->add(f->to->data, false, s);
}

static int each_byte(struct forms *f, struct str s, add_byte *add, int style)
{
	int r = 0;

	buf_reset(&f->b);
	for (size_t i = 0; i < s.n && r == 0; i++)
		r = add(&f->b, (unsigned char)s.p[i], style);
	return r < 0 ? r : plain(f, buf_str(&f->b));
}

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* RFC 3986, encodeURIComponent, a path of Python's quote; and two of forms (URLSearchParams, quote_plus),
 * where a space is a plus. */
static const struct {
	const char *kept;
	bool plus;
} url_styles[] = { { "-._~" }, { "-._~!'()*" }, { "-._~/" }, { "*-._", true }, { "-._~", true } };

static int add_url(struct buf *b, unsigned char c, int style)
{
	if (is_alnum(c) || (c && strchr(url_styles[style / 2].kept, c)))
		return buf_addc(b, (char)c);
	if (c == ' ' && url_styles[style / 2].plus)
		return buf_addc(b, '+');
	return buf_addf(b, style % 2 ? "%%%02x" : "%%%02X", c);
}

static int percent(struct forms *f, struct str s)
{
	int r = 0;

	for (int style = 0; style < 2 * (int)ARRAY_SIZE(url_styles) && r == 0; style++)
		r = each_byte(f, s, add_url, style);
	return r;
}

/* Within single quotes a quote ends them, is escaped and begins them; within double quotes four bytes
 * are escaped; without quotes (printf %q) all that means something. */
enum { SHELL_SINGLE, SHELL_DOUBLE, SHELL_BARE, SHELL_STYLES };

static int add_shell(struct buf *b, unsigned char c, int style)
{
	int r;

	if (style == SHELL_SINGLE)
		return c == '\'' ? buf_adds(b, "'\\''") : buf_addc(b, (char)c);
	r = style == SHELL_DOUBLE ? c && strchr("\"\\$`", c) ? buf_addc(b, '\\') : 0 :
		c < 0x80 && c > ' ' && !is_alnum(c) && !strchr("%+,-./:=@_", c) ? buf_addc(b, '\\') :
		c == ' ' ? buf_addc(b, '\\') : 0;
	return r < 0 ? r : buf_addc(b, (char)c);
}

/* A double and a single quote: Python's, Go's, PHP's, JavaScript's and XML's; and in text. */
static const char *const xml_quotes[][2] = { { "&quot;", "&#x27;" }, { "&#34;", "&#39;" },
	{ "&quot;", "&#039;" }, { "&quot;", "&#39;" }, { "&quot;", "&apos;" }, { "&quot;", "'" }, { "\"", "'" } };

static int add_xml(struct buf *b, unsigned char c, int style)
{
	switch (c) {
	case '&':
		return buf_adds(b, "&amp;");
	case '<':
		return buf_adds(b, "&lt;");
	case '>':
		return buf_adds(b, "&gt;");
	case '"':
		return buf_adds(b, xml_quotes[style][0]);
	case '\'':
		return buf_adds(b, xml_quotes[style][1]);
	default:
		return buf_addc(b, (char)c);
	}
}

/* Which characters are escaped that need not be: a slash (PHP), what HTML would read (Go), all but ASCII
 * (Python). */
enum { JSON_SLASH = 1, JSON_HTML = 2, JSON_ASCII = 4, JSON_STYLES = 8 };

static int add_json(struct buf *b, unsigned char c, int style)
{
	static const char from[] = "\"\\\n\t\r\b\f", to[] = "\"\\ntrbf";
	const char *at = c ? strchr(from, c) : NULL;

	if (at)
		return buf_addf(b, "\\%c", to[at - from]);
	if (c == '/' && style & JSON_SLASH)
		return buf_adds(b, "\\/");
	if (c < ' ' || (style & JSON_HTML && (c == '<' || c == '>' || c == '&')))
		return buf_addf(b, "\\u%04x", c);
	return buf_addc(b, (char)c);
}

/* The code point of the well-formed sequence of n bytes. */
static uint32_t code_point(const char *p, size_t n)
{
	uint32_t code = (unsigned char)p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)p[i] & 0x3f);
	return code;
}

static int add_utf16(struct buf *b, uint32_t code)
{
	if (code < 0x10000)
		return buf_addf(b, "\\u%04x", code);
	code -= 0x10000;
	return buf_addf(b, "\\u%04x\\u%04x", 0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff));
}

static int json(struct forms *f, struct str s)
{
	int r = 0;

	for (int style = 0; style < JSON_STYLES && r == 0; style++) {
		buf_reset(&f->b);
		for (size_t i = 0, n; i < s.n && r == 0; i += n) {
			n = str_utf8_sequence(s, i);
			r = style & JSON_ASCII && n > 1 ? add_utf16(&f->b, code_point(s.p + i, n)) :
				add_json(&f->b, (unsigned char)s.p[i], style);
			n = style & JSON_ASCII && n > 1 ? n : 1;
		}
		if (r == 0)
			r = plain(f, buf_str(&f->b));
	}
	return r;
}

/* As text: a value or a line of it. */
static int text_forms(struct forms *f, struct str s)
{
	int r = plain(f, s);

	if (r == 0)
		r = percent(f, s);
	if (r == 0)
		r = json(f, s);
	for (int style = 0; style < SHELL_STYLES && r == 0; style++)
		r = each_byte(f, s, add_shell, style);
	for (int style = 0; style < (int)ARRAY_SIZE(xml_quotes) && r == 0; style++)
		r = each_byte(f, s, add_xml, style);
	return r;
}

static int broken(struct forms *f, struct str s)
{
	return f->to->add(f->to->data, true, s);
}

/*
 * After `before` bytes of something else: the letters that no other byte has a part in. The first byte that
 * shares a letter with what came before is in the letters before / 3 * 4 …; with 0, 1, 2 bytes before, the
 * first whole letter is the 0th, the 2nd, the 3rd.
 */
static int base64_at(struct forms *f, struct str s, size_t before)
{
	static const size_t first[] = { 0, 2, 3 };
	size_t end = (before + s.n) * 8 / 6, n = BASE64_SIZE(before + s.n);
	_cleanup_free_ char *bytes = calloc(1, before + s.n), *text = malloc(n + 1);
	struct str form;
	int r;

	if (!bytes || !text)
		return -ENOMEM;
	memcpy(bytes + before, s.p, s.n);
	base64_encode(bytes, before + s.n, text);
	form = str_slice(str_of(text, n), first[before], end);
	r = broken(f, form);
	for (size_t i = 0; i < n; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	return r < 0 ? r : broken(f, form);
}

static int add_hex(struct buf *b, unsigned char c, int style)
{
	return buf_addf(b, style ? "%02X" : "%02x", c);
}

static int encoded_forms(struct forms *f, struct str s)
{
	int r = 0;

	for (size_t before = 0; before < 3 && r == 0; before++)
		r = base64_at(f, s, before);
	for (int style = 0; style < 2 && r == 0; style++) {
		buf_reset(&f->b);
		for (size_t i = 0; i < s.n && r == 0; i++)
			r = add_hex(&f->b, (unsigned char)s.p[i], style);
		if (r == 0)
			r = broken(f, buf_str(&f->b));
	}
	return r;
}

/* A terminal writes a carriage return before each line feed. */
static int add_crlf(struct buf *b, unsigned char c, int style)
{
	return c == '\n' ? buf_adds(b, "\r\n") : buf_addc(b, (char)c);
}

static int lines(struct forms *f, struct str s)
{
	int r = each_byte(f, s, add_crlf, 0);

	while (s.p && r == 0) {
		struct str line = str_trim(str_cut(&s, '\n'));

		if (line.n >= MASK_VALUE_MIN)
			r = text_forms(f, line);
	}
	return r;
}

int mask_forms(struct str value, const struct mask_sink *to)
{
	struct forms f = { .to = to };
	int r = text_forms(&f, value);

	if (r == 0)
		r = encoded_forms(&f, value);
	if (r == 0 && str_find(value, '\n', 0) < value.n)
		r = lines(&f, value);
	if (f.b.data)
		explicit_bzero(f.b.data, f.b.cap);
	buf_done(&f.b);
	return r;
}
