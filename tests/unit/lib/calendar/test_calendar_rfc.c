/*
 * Calendars against the examples of RFC 5545 (3.8.5.3; 3.3.5 and 3.3.10 for
 * single ones), all of them in New York and most of them across a clock change.
 * The rules of FREQ=MINUTELY are not taken (see calendar.h), and dtstart is no
 * start of a rule that does not match it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "unit/support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/calendar/calendar.h"
#include "lib/calendar/calendar_image.h"

#define DAY INT64_C(86400)
#define ROOM (64 * 1024)

/*
 * starts: y1997 sets the year, EDT and EST what the clock in New York is by,
 * 0902 is 2 September at dtstart's time, 0902T1230 at another, and 0902-11 each
 * day up to the 11th. "..." at the end: and more; without it there are no more.
 */
static const struct
{
	const char *dtstart, *rrule, *starts;
} examples[] = {
		{"19970902T090000", "FREQ=DAILY;COUNT=10", "y1997 EDT 0902-11"},
		{"19970902T090000", "FREQ=DAILY;UNTIL=19971224T000000Z",
				"y1997 EDT 0902-30 1001-25 EST 1026-31 1101-30 1201-23"},
		{"19970902T090000", "FREQ=DAILY;INTERVAL=2",
				"y1997 EDT 0902 0904 0906 0908 0910 0912 0914 0916 0918 0920 "
				"0922 0924 0926 0928 0930 1002 1004 1006 1008 1010 1012 1014 "
				"1016 1018 1020 1022 1024 EST 1026 1028 1030 1101 1103 ..."},
		{"19970902T090000", "FREQ=DAILY;INTERVAL=10;COUNT=5",
				"y1997 EDT 0902 0912 0922 1002 1012"},
		{"19980101T090000",
				"FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;"
				"BYDAY=SU,MO,TU,WE,TH,FR,SA",
				"EST y1998 0101-31 y1999 0101-31 y2000 0101-31"},
		{"19980101T090000", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
				"EST y1998 0101-31 y1999 0101-31 y2000 0101-31"},
		{"19970902T090000", "FREQ=WEEKLY;COUNT=10",
				"y1997 EDT 0902 0909 0916 0923 0930 1007 1014 1021 "
				"EST 1028 1104"},
		{"19970902T090000", "FREQ=WEEKLY;UNTIL=19971224T000000Z",
				"y1997 EDT 0902 0909 0916 0923 0930 1007 1014 1021 "
				"EST 1028 1104 1111 1118 1125 1202 1209 1216 1223"},
		{"19970902T090000", "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
				"y1997 EDT 0902 0916 0930 1014 EST 1028 1111 1125 1209 1223 "
				"y1998 0106 0120 0203 0217 ..."},
		{"19970902T090000",
				"FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
				"y1997 EDT 0902 0904 0909 0911 0916 0918 0923 0925 0930 1002"},
		{"19970902T090000", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
				"y1997 EDT 0902 0904 0909 0911 0916 0918 0923 0925 0930 1002"},
		{"19970901T090000",
				"FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;"
				"BYDAY=MO,WE,FR",
				"y1997 EDT 0901 0903 0905 0915 0917 0919 0929 1001 1003 1013 "
				"1015 1017 EST 1027 1029 1031 1110 1112 1114 1124 1126 1128 "
				"1208 1210 1212 1222"},
		{"19970902T090000",
				"FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
				"y1997 EDT 0902 0904 0916 0918 0930 1002 1014 1016"},
		{"19970905T090000", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
				"y1997 EDT 0905 1003 EST 1107 1205 "
				"y1998 0102 0206 0306 0403 EDT 0501 0605"},
		{"19970905T090000", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
				"y1997 EDT 0905 1003 EST 1107 1205"},
		{"19970907T090000", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
				"y1997 EDT 0907 0928 EST 1102 1130 "
				"y1998 0104 0125 0301 0329 EDT 0503 0531"},
		{"19970922T090000", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
				"y1997 EDT 0922 1020 EST 1117 1222 y1998 0119 0216"},
		{"19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3",
				"y1997 EDT 0928 EST 1029 1128 1229 y1998 0129 0226 ..."},
		{"19970902T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
				"y1997 EDT 0902 0915 1002 1015 EST 1102 1115 1202 1215 "
				"y1998 0102 0115"},
		{"19970930T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
				"y1997 EDT 0930 1001 EST 1031 1101 1130 1201 1231 "
				"y1998 0101 0131 0201"},
		{"19970910T090000",
				"FREQ=MONTHLY;INTERVAL=18;COUNT=10;"
				"BYMONTHDAY=10,11,12,13,14,15",
				"y1997 EDT 0910-15 y1999 EST 0310-13"},
		{"19970902T090000", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
				"y1997 EDT 0902 0909 0916 0923 0930 EST 1104 1111 1118 1125 "
				"y1998 0106 0113 0120 0127 0303 0310 0317 0324 0331 ..."},
		{"19970610T090000", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
				"EDT y1997 0610 0710 y1998 0610 0710 y1999 0610 0710 "
				"y2000 0610 0710 y2001 0610 0710"},
		{"19970310T090000", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
				"EST y1997 0310 y1999 0110 0210 0310 y2001 0110 0210 0310 "
				"y2003 0110 0210 0310"},
		{"19970101T090000",
				"FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
				"y1997 EST 0101 EDT 0410 0719 y2000 EST 0101 EDT 0409 0718 "
				"y2003 EST 0101 EDT 0410 0719 y2006 EST 0101"},
		{"19970519T090000", "FREQ=YEARLY;BYDAY=20MO",
				"EDT y1997 0519 y1998 0518 y1999 0517 ..."},
		{"19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
				"EDT y1997 0512 y1998 0511 y1999 0517 ..."},
		{"19970313T090000", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
				"EST y1997 0313 0320 0327 y1998 0305 0312 0319 0326 "
				"y1999 0304 0311 0318 0325 ..."},
		{"19970605T090000", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
				"EDT y1997 0605 0612 0619 0626 0703 0710 0717 0724 0731 0807 "
				"0814 0821 0828 y1998 0604 0611 0618 0625 0702 0709 0716 0723 "
				"0730 0806 0813 0820 0827 y1999 0603 ..."},
		{"19970902T090000", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
				"y1998 EST 0213 0313 1113 y1999 EDT 0813 y2000 1013 ..."},
		{"19970913T090000",
				"FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
				"y1997 EDT 0913 1011 EST 1108 1213 y1998 0110 0207 0307 "
				"EDT 0411 0509 0613 ..."},
		{"19961105T090000",
				"FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;"
				"BYMONTHDAY=2,3,4,5,6,7,8",
				"EST y1996 1105 y2000 1107 y2004 1102"},
		{"19970904T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
				"y1997 EDT 0904 1007 EST 1106"},
		{"19970929T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
				"y1997 EDT 0929 EST 1030 1127 1230 y1998 0129 0226 0330 ..."},
		/* 17:00 in New York, as the text says; the rule there ends at 13:00 */
		{"19970902T090000", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z",
				"y1997 EDT 0902 0902T1200 0902T1500"},
		{"19970902T090000", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z",
				"y1997 EDT 0902 0902T1200"},
		{"19970902T090000",
				"FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40;"
				"COUNT=26",
				"y1997 EDT 0902 0902T0920 0902T0940 0902T1000 0902T1020 "
				"0902T1040 0902T1100 0902T1120 0902T1140 0902T1200 0902T1220 "
				"0902T1240 0902T1300 0902T1320 0902T1340 0902T1400 0902T1420 "
				"0902T1440 0902T1500 0902T1520 0902T1540 0902T1600 0902T1620 "
				"0902T1640 0903 0903T0920"},
		{"19970805T090000",
				"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
				"y1997 EDT 0805 0810 0819 0824"},
		{"19970805T090000",
				"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
				"y1997 EDT 0805 0817 0819 0831"},
		{"20070115T090000", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
				"y2007 EST 0115 0130 0215 EDT 0315 0330"},
		/* 3.3.10 */
		{"19970105T083000",
				"FREQ=YEARLY;INTERVAL=2;BYMONTH=1;BYDAY=SU;BYHOUR=8,9;"
				"BYMINUTE=30",
				"EST y1997 0105 0105T0930 0112 0112T0930 0119 0119T0930 0126 "
				"0126T0930 y1999 0103 0103T0930 ..."},
		{"19970131T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
				"EST y1997 0131 0228 0331 EDT 0430 0530 0630 ..."},
		/* 3.3.5: what the clock leaves out is by the offset before, what it
		 * shows twice is the first */
		{"20070310T023000", "FREQ=DAILY;COUNT=3",
				"y2007 EST 0310 0311 EDT 0312"},
		{"20071103T013000", "FREQ=DAILY;COUNT=3",
				"y2007 EDT 1103 1104 EST 1105"},
};

struct reading
{
	int year;
	int64_t west; /* of Greenwich, seconds */
	int at;		  /* dtstart's time, hhmm */
	size_t n;
	int64_t start[200];
};

static int64_t utc(int year, int month, int day, int hhmm)
{
	struct tm tm = {.tm_year = year - 1900,
			.tm_mon = month - 1,
			.tm_mday = day,
			.tm_hour = hhmm / 100,
			.tm_min = hhmm % 100};

	return (int64_t)timegm(&tm);
}

static void read_token(struct reading *r, const char *token)
{
	int month, day, at = r->at, last;
	char more = '\0';

	if(token[0] == 'y')
		r->year = atoi(token + 1);
	else if(strcmp(token, "EDT") == 0)
		r->west = 4 * 3600;
	else if(strcmp(token, "EST") == 0)
		r->west = 5 * 3600;
	else {
		assert_true(sscanf(token, "%2d%2d%c", &month, &day, &more) >= 2);
		last = day;
		if(more == 'T')
			at = atoi(token + 5);
		else if(more == '-')
			last = atoi(token + 5);
		for(; day <= last; day++) {
			assert_in_range(r->n, 0, 199);
			r->start[r->n++] = utc(r->year, month, day, at) + r->west;
		}
	}
}

/* 1 when there may be more than the text says. */
static int read_starts(struct reading *r, const char *text)
{
	char copy[600], *save, *token;

	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	for(token = strtok_r(copy, " ", &save); token != NULL;
			token = strtok_r(NULL, " ", &save)) {
		if(strcmp(token, "...") == 0)
			return 1;
		read_token(r, token);
	}
	return 0;
}

static void examples_of_the_rfc(void **state)
{
	static _Alignas(8) uint8_t mem[ROOM];
	size_t starts = 0;

	(void)state;
	for(size_t i = 0; i < sizeof(examples) / sizeof(*examples); i++) {
		const char *dtstart = examples[i].dtstart;
		const struct tg_calendar_row row = {
				"America/New_York", dtstart, "PT1M", examples[i].rrule, NULL};
		const struct calendar_image *image = (const void *)mem;
		struct reading want = {.at = atoi(dtstart + 9) / 100};
		const int more = read_starts(&want, examples[i].starts);
		struct tg_calendar_error err;
		int64_t from;
		size_t used;

		assert_true(want.n > 0);
		from = want.start[0] - 400 * DAY;
		if(tg_calendar_build(
				   &row, from, from + 3700 * DAY, mem, ROOM, &used, &err)
				!= 0)
			fail_msg("%s: %s", row.rrule, err.text);
		if(more ? image->windows <= want.n : image->windows != want.n)
			fail_msg("%s: %u starts, wanted %zu", row.rrule, image->windows,
					want.n);
		for(size_t s = 0; s < want.n; s++)
			if(image->window[s].from != want.start[s])
				fail_msg("%s: start %zu is %" PRId64 ", wanted %" PRId64,
						row.rrule, s, image->window[s].from, want.start[s]);
		starts += want.n;
	}
	print_message("%zu examples, %zu starts\n",
			sizeof(examples) / sizeof(*examples), starts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(examples_of_the_rfc)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
