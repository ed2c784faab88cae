#!/usr/bin/python3
"""Telephone numbers and what libphonenumber says of them, for test_country and test_normalize_countries.

    phone_numbers.py countries   prints "digits country", one a line: valid numbers, most of them of shared codes
    phone_numbers.py examples    writes phone_numbers.h: how the example numbers of every country are dialled there

SPDX-License-Identifier: GPL-2.0-or-later
"""
import pathlib
import random
import sys

try:
    import phonenumbers
    from phonenumbers import PhoneNumberFormat, PhoneNumberType
except ImportError as error:
    sys.exit(f"{error}: install the Debian package python3-phonenumbers")

KINDS = [PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE]


def e164(number):
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]


def near(example, code):
    """The example with its end, of any length, made up anew: most of these numbers are valid."""
    kept = random.randrange(len(code), len(example))
    return example[:kept] + "".join(random.choice("0123456789") for _ in example[kept:])


def countries(per_region=20, per_shared_region=600):
    random.seed(1)
    for code, regions in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        if regions == ("001",):
            continue
        for region in regions:
            found = [phonenumbers.example_number_for_type(region, kind) for kind in KINDS]
            found = [e164(n) for n in found if n] or [e164(phonenumbers.example_number(region))]
            for _ in range(per_shared_region if len(regions) > 1 else per_region):
                digits = near(random.choice(found), str(code))
                owner = phonenumbers.region_code_for_number(phonenumbers.parse("+" + digits))
                # A number that begins with its national prefix is parsed as one that does not.
                if owner and e164(phonenumbers.parse("+" + digits)) == digits:
                    print(digits, owner)


def examples():
    rows = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        pairs = []
        for kind in KINDS:
            number = phonenumbers.example_number_for_type(region, kind)
            national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL) if number else ""
            pairs.append(f'{{"{national}", "{e164(number) if number else ""}"}}')
        rows.append(f'\t{{"{region}", {{{", ".join(pairs)}}}}},')
    rows = "\n".join(rows)
    pathlib.Path(__file__).with_suffix(".h").write_text(f"""\
/*
 * How the example numbers of every country are dialled there, and what they are
 * in E.164: fixed line, then mobile. Written by phone_numbers.py; do not edit.
 * Facts from libphonenumber's metadata (Google, Apache-2.0), version {phonenumbers.__version__}.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_PHONE_NUMBERS_H
#define TESTS_UNIT_PHONE_NUMBERS_H

/* clang-format off */
static const struct
{{
\tconst char *country;
\tstruct
\t{{
\t\tconst char *national, *e164; /* both "" where there is no example */
\t}} number[2];
}} phone_numbers[] = {{
{rows}
}};

#endif
""")


def main():
    modes = {"countries": countries, "examples": examples}
    if len(sys.argv) != 2 or sys.argv[1] not in modes:
        sys.exit(f"usage: phone_numbers.py {'|'.join(modes)}")
    modes[sys.argv[1]]()


if __name__ == "__main__":
    main()
