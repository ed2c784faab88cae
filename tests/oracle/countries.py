# SPDX-License-Identifier: GPL-2.0-or-later
"""The country of a number by python3-phonenumbers, and numbers to ask about.

Where countries share a calling code, only numbers that phonenumbers calls valid
are asked about: of the others lib/geo/country.h promises more (the beginning of a
number, the largest country of a code) than phonenumbers says.
"""

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

NETWORKS = {"800": "XG", "808": "XG", "878": "XG", "888": "XG", "979": "XG", "870": "XS", "881": "XS", "882": "XN",
            "883": "XN"}
REGIONS = ("DE AT CH FR GB JE IM GG US CA BS JM PR RU KZ IT VA NO SJ AU CX ES PT NL BE PL CZ UA FI AX MA EH RE YT "
           "CU SO LV GN EE BR MX IN CN JP KR EG ZA NG KE SA AE IL TR GR CW BQ GP MF BL FK TA SH").split()
SERVICES = ("112", "110", "911", "999", "113", "000")


def calling_code(digits):
    for length in (1, 2, 3):
        code = digits[:length]
        if len(code) == length and code.isdigit() and code[0] != "0":
            if int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
                return code
    return None


def valid(digits):
    """The number where it exists as it stands: what is parsed may have lost a national prefix."""
    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return None
    as_it_stands = phonenumbers.format_number(number, PhoneNumberFormat.E164) == "+" + digits
    return number if as_it_stands and phonenumbers.is_valid_number(number) else None


@lru_cache(maxsize=None)
def country_of(digits):
    """ISO code of a number, "" when it is of no country."""
    code = calling_code(digits)
    if code is None:
        return ""
    if code in NETWORKS:
        return NETWORKS[code]
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]
    number = valid(digits) if len(regions) > 1 else None
    return phonenumbers.region_code_for_number(number) if number else regions[0]


@lru_cache(maxsize=None)
def is_certain(digits):
    """Whether phonenumbers says as much as lib/geo/country.h promises."""
    code = calling_code(digits)
    if code is None or code in NETWORKS or digits in SERVICES or digits == code:
        return True
    if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]) == 1:
        return True
    return valid(digits) is not None


@lru_cache(maxsize=None)
def numbers():
    """Numbers that exist, fixed and mobile, of many countries and of none."""
    out = set()
    for region in REGIONS:
        for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.TOLL_FREE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example:
                out.add(phonenumbers.format_number(example, PhoneNumberFormat.E164)[1:])
    out |= {"80012345678", "870773111632", "881612345678", "88213300655", "883510012345678", "8881234567"}
    return sorted(number for number in out if is_certain(number))
