#include "container/timestamp.h"

#include <string.h>

#include "base/clock.h"

enum { SECONDS_PER_DAY = 86400 };

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar.  Years are counted from March, so that the leap
 * day is the last of its year. */
static int64_t days_from_date(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day_of_era = z - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	*ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

static void put_digits(char *at, int64_t value, int digits)
{
	while (digits > 0) {
		at[--digits] = (char)('0' + value % 10);
		value /= 10;
	}
}

void timestamp_format(int64_t ns, char ret_text[static TIMESTAMP_LEN + 1])
{
	int64_t seconds = ns / NS_PER_S, fraction = ns % NS_PER_S, days, rest;
	int year, month, day;

	if (fraction < 0) {
		fraction += NS_PER_S;
		seconds--;
	}
	days = seconds / SECONDS_PER_DAY;
	rest = seconds % SECONDS_PER_DAY;
	if (rest < 0) {
		rest += SECONDS_PER_DAY;
		days--;
	}
	date_from_days(days, &year, &month, &day);
	memcpy(ret_text, "0000-00-00T00:00:00.000000000Z", TIMESTAMP_LEN + 1);
	put_digits(ret_text, year, 4);
	put_digits(ret_text + 5, month, 2);
	put_digits(ret_text + 8, day, 2);
	put_digits(ret_text + 11, rest / 3600, 2);
	put_digits(ret_text + 14, rest / 60 % 60, 2);
	put_digits(ret_text + 17, rest % 60, 2);
	put_digits(ret_text + 20, fraction, 9);
}

/* A cursor over the text; each reader returns false and leaves the rest unread when its part is not there. */
struct reader {
	const char *at, *end;
};

static bool read_digits(struct reader *r, int digits, int min, int max, int *ret)
{
	int value = 0;

	if (r->end - r->at < digits)
		return false;
	for (int i = 0; i < digits; i++, r->at++) {
		if (*r->at < '0' || *r->at > '9')
			return false;
		value = value * 10 + (*r->at - '0');
	}
	*ret = value;
	return value >= min && value <= max;
}

static bool read_char(struct reader *r, const char *one_of)
{
	if (r->at == r->end || !strchr(one_of, *r->at) || *r->at == '\0')
		return false;
	r->at++;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool read_fraction(struct reader *r, int64_t *ret_ns)
{
	int64_t ns = 0;
	int digits = 0;

	*ret_ns = 0;
	if (!read_char(r, "."))
		return true;
	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, digits++)
		if (digits < 9)
			ns = ns * 10 + (*r->at - '0');
	if (digits == 0 || digits > 9)
		return false; /* a tenth digit could not be kept, and cutting it would be a silent change */
	for (; digits < 9; digits++)
		ns *= 10;
	*ret_ns = ns;
	return true;
}

static bool read_offset(struct reader *r, int64_t *ret_seconds)
{
	int sign, hours, minutes;

	*ret_seconds = 0;
	if (read_char(r, "Zz"))
		return true;
	if (r->at == r->end || (*r->at != '+' && *r->at != '-'))
		return false;
	sign = *r->at++ == '-' ? -1 : 1;
	if (!read_digits(r, 2, 0, 23, &hours) || !read_char(r, ":") || !read_digits(r, 2, 0, 59, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool read_date(struct reader *r, int64_t *ret_days)
{
	int year, month, day;

	if (!read_digits(r, 4, 0, 9999, &year) || !read_char(r, "-") || !read_digits(r, 2, 1, 12, &month) ||
	    !read_char(r, "-") || !read_digits(r, 2, 1, days_in_month(year, month), &day))
		return false;
	*ret_days = days_from_date(year, month, day);
	return true;
}

static bool parse_rfc3339(const char *text, size_t len, int64_t *ret_ns)
{
	struct reader r = { text, text + len };
	int64_t days, fraction, offset, seconds;
	int hour, minute, second;

	if (!read_date(&r, &days) || !read_char(&r, "Tt ") || !read_digits(&r, 2, 0, 23, &hour) ||
	    !read_char(&r, ":") || !read_digits(&r, 2, 0, 59, &minute) || !read_char(&r, ":") ||
	    !read_digits(&r, 2, 0, 60, &second) || !read_fraction(&r, &fraction) || !read_offset(&r, &offset) ||
	    r.at != r.end)
		return false;
	seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset;
	if (seconds < 0 && fraction > 0) {
		/* The smallest int64 lies in the second before INT64_MIN / 10^9: count from the second after. */
		seconds++;
		fraction -= NS_PER_S;
	}
	return !__builtin_mul_overflow(seconds, NS_PER_S, &seconds) && !__builtin_add_overflow(seconds, fraction, ret_ns);
}

static bool parse_decimal(const char *text, size_t len, int64_t *ret_ns)
{
	bool negative = len > 0 && text[0] == '-';
	int64_t ns = 0;

	if (len == negative)
		return false;
	for (size_t i = negative; i < len; i++) {
		int digit = text[i] - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(ns, (int64_t)10, &ns) ||
		    __builtin_sub_overflow(ns, (int64_t)digit, &ns)) /* downwards: INT64_MIN has no positive twin */
			return false;
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, ns, &ns))
		return false;
	*ret_ns = ns;
	return true;
}

bool timestamp_parse(const char *text, size_t len, int64_t *ret_ns)
{
	int64_t ns;

	if (!parse_decimal(text, len, &ns) && !parse_rfc3339(text, len, &ns))
		return false;
	*ret_ns = ns;
	return true;
}
