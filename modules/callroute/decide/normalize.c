/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "callroute/decide/normalize.h"

#include "lib/geo/country.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

_Static_assert(
		sizeof(((struct callroute_dialling *)0)->intl_prefix)
						== sizeof(((struct tg_country *)0)->intl_prefix)
				&& sizeof(((struct callroute_dialling *)0)->national_prefix)
						   == sizeof(((struct tg_country *)0)->national_prefix),
		"a country's prefixes fit an account's");

/* The shortest number that libphonenumber takes as possible: a calling code of
 * one digit and two more digits. */
#define E164_MIN 3

/* The number without separators. */
struct dialled
{
	char text[CALLROUTE_DIALLED_MAX];
	size_t len;
	int plus, service, zero_in_brackets;
};

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int callroute_dialling_of(const char *iso, struct callroute_dialling *d)
{
	const struct tg_country *c = tg_country_find(iso);

	if(c == NULL || c->calling_code[0] == '\0')
		return -ENOENT;
	memcpy(d->calling_code, c->calling_code, sizeof(d->calling_code));
	memcpy(d->intl_prefix, c->intl_prefix, sizeof(d->intl_prefix));
	memcpy(d->national_prefix, c->national_prefix, sizeof(d->national_prefix));
	d->national_lengths = c->national_lengths;
	d->national_first = c->national_first;
	return 0;
}

/* Whether `list` is a list of prefixes of digits and x, none of them empty. */
static int is_list(const char *list, size_t size)
{
	size_t len = strnlen(list, size), word = 0;

	if(len == size || strspn(list, "0123456789x,") != len)
		return 0;
	for(size_t i = 0; i < len; i++) {
		if(list[i] == ',' && word == 0)
			return 0;
		word = list[i] == ',' ? 0 : word + 1;
	}
	return len == 0 || word > 0;
}

int callroute_dialling_check(
		const struct callroute_dialling *d, const char **bad)
{
	size_t len = strnlen(d->calling_code, sizeof(d->calling_code));

	*bad = d->calling_code;
	if(len == sizeof(d->calling_code) || d->calling_code[0] == '0'
			|| strspn(d->calling_code, "0123456789") != len)
		return -EINVAL;
	*bad = d->intl_prefix;
	if(!is_list(d->intl_prefix, sizeof(d->intl_prefix)))
		return -EINVAL;
	*bad = d->national_prefix;
	if(!is_list(d->national_prefix, sizeof(d->national_prefix))
			|| (len == 0 && d->national_prefix[0] != '\0'))
		return -EINVAL;
	*bad = NULL;
	return 0;
}

/* Goes to the next prefix of a list. Returns its length, 0 at the end. */
static size_t next_prefix(const char **list, const char **prefix)
{
	size_t n = strcspn(*list, ",");

	*prefix = *list;
	*list += n + ((*list)[n] == ',');
	return n;
}

static int begins(
		const struct dialled *n, size_t from, const char *prefix, size_t len)
{
	if(n->len - from < len)
		return 0;
	for(size_t i = 0; i < len; i++)
		if(prefix[i] != n->text[from + i] && prefix[i] != 'x')
			return 0;
	return 1;
}

/* Parameter names are compared without case (RFC 3966). A global number needs
 * no context. */
static int check_context(const struct callroute_dialling *d, const char *params,
		size_t len, int global)
{
	static const char name[] = ";phone-context=";
	const size_t n = sizeof(name) - 1;

	for(size_t i = 0; !global && i + n <= len; i++) {
		const char *value = params + i + n;
		size_t code = strlen(d->calling_code), left = len - i - n;

		if(strncasecmp(params + i, name, n) != 0 || left == 0 || *value != '+')
			continue;
		if(code == 0 || left - 1 < code
				|| memcmp(value + 1, d->calling_code, code) != 0)
			return -ENOTSUP;
	}
	return 0;
}

static int read_dialled(struct dialled *n, const char *text, size_t len)
{
	n->len = 0;
	n->plus = n->service = n->zero_in_brackets = 0;
	for(size_t i = 0; i < len; i++) {
		char c = text[i];

		if(c == '+') {
			if(n->len > 0 || n->plus)
				return -EINVAL;
			n->plus = 1;
		} else if(is_digit(c) || c == '*' || c == '#') {
			n->service |= !is_digit(c);
			n->text[n->len++] = c;
		} else if(c == '\0' || strchr("-.() ", c) == NULL)
			return -EINVAL;
		if(c == '(' && len - i >= 3 && memcmp(text + i, "(0)", 3) == 0)
			n->zero_in_brackets = 1;
	}
	return n->len > 0 && !(n->plus && n->service) ? 0 : -EINVAL;
}

/* Writes the calling code (may be "") and the digits from `from` on. */
static int put(const char *code, const struct dialled *n, size_t from,
		size_t max, char *out, size_t size)
{
	size_t head = strlen(code), tail = n->len - from;

	if(head + tail > max)
		return -EMSGSIZE;
	if(head + tail >= size)
		return -ENOSPC;
	memcpy(out, code, head);
	memcpy(out + head, n->text + from, tail);
	out[head + tail] = '\0';
	return (int)(head + tail);
}

static int put_global(
		const struct dialled *n, size_t from, char *out, size_t size)
{
	if(n->len - from < E164_MIN || n->text[from] == '0' || n->zero_in_brackets)
		return -EDOM;
	return put("", n, from, CALLROUTE_E164_MAX, out, size);
}

/* Whether the digits from `from` on may be a national number of the country.
 * Not strict: whether their count lies between the shortest and the longest
 * possible length. */
static int is_national(const struct callroute_dialling *d,
		const struct dialled *n, size_t from, int strict)
{
	uint32_t lengths = d->national_lengths;
	size_t digits = n->len - from;

	if(digits == 0 || digits > 31)
		return 0;
	if(lengths != 0 && !(lengths >> digits & 1)
			&& (strict || lengths >> digits == 0
					|| lengths << (31 - digits) == 0))
		return 0;
	return !strict || d->national_first == 0
		   || (d->national_first >> (n->text[from] - '0') & 1);
}

/* The place after the first national prefix that leaves a national number, or
 * 0. *found: whether the number has any national prefix. */
static size_t after_prefix(const struct callroute_dialling *d,
		const struct dialled *n, int strict, int *found)
{
	const char *list = d->national_prefix, *prefix;
	size_t len;

	*found = 0;
	while((len = next_prefix(&list, &prefix)) > 0) {
		if(!begins(n, 0, prefix, len))
			continue;
		*found = 1;
		if(is_national(d, n, len, strict))
			return len;
	}
	return 0;
}

static int put_national(const struct callroute_dialling *d,
		const struct dialled *n, char *out, size_t size)
{
	size_t code = strlen(d->calling_code), from;
	int strict, found;

	for(strict = 1; strict >= 0; strict--) {
		from = after_prefix(d, n, strict, &found);
		if(from > 0 || (is_national(d, n, 0, strict) && (strict || !found)))
			return put(d->calling_code, n, from, CALLROUTE_E164_MAX, out, size);
		if(strict && begins(n, 0, d->calling_code, code)
				&& is_national(d, n, code, 1))
			return put_global(n, 0, out, size);
	}
	return -EDOM;
}

static int normalize(const struct callroute_dialling *d, const char *dialled,
		size_t len, char *out, size_t size)
{
	const char *params, *list = d->intl_prefix, *prefix;
	struct dialled n;
	size_t number, from;
	int rc;

	if(len > CALLROUTE_DIALLED_MAX)
		return -EMSGSIZE;
	params = len > 0 ? memchr(dialled, ';', len) : NULL;
	number = params != NULL ? (size_t)(params - dialled) : len;
	rc = read_dialled(&n, dialled, number);
	if(rc == 0 && params != NULL)
		rc = check_context(d, params, len - number, n.plus);
	if(rc < 0)
		return rc;
	if(n.service)
		return put("", &n, 0, CALLROUTE_SERVICE_MAX, out, size);
	if(n.plus)
		return put_global(&n, 0, out, size);
	while((from = next_prefix(&list, &prefix)) > 0)
		if(begins(&n, 0, prefix, from))
			return put_global(&n, from, out, size);
	if(d->calling_code[0] == '\0')
		return put_global(&n, 0, out, size);
	return put_national(d, &n, out, size);
}

int callroute_normalize(const struct callroute_dialling *d, const char *dialled,
		size_t len, char *out, size_t size)
{
	int rc = normalize(d, dialled, len, out, size);

	if(rc < 0 && size > 0)
		out[0] = '\0';
	return rc;
}

const char *callroute_normalize_reason(int rc)
{
	switch(rc) {
		case -EINVAL:
			return "not_a_number";
		case -EDOM:
			return "not_possible";
		case -EMSGSIZE:
			return "too_long";
		case -ENOTSUP:
			return "other_context";
		case -ENOSPC:
			return "no_space";
		default:
			return "unknown";
	}
}
