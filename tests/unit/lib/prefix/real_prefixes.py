#!/usr/bin/python3
# Prints real telephone prefixes, one a line, distinct, unsorted: those of the
# geocoder, carrier and time zone tables of the phone number metadata.
# SPDX-License-Identifier: GPL-2.0-or-later
import sys

try:
    from phonenumbers.carrierdata import CARRIER_DATA
    from phonenumbers.geodata import GEOCODE_DATA
    from phonenumbers.tzdata import TIMEZONE_DATA
except ImportError as error:
    sys.exit(f"{error}: install the Debian package python3-phonenumbers")

prefixes = set(GEOCODE_DATA) | set(CARRIER_DATA) | set(TIMEZONE_DATA)
sys.stdout.write("".join(f"{prefix}\n" for prefix in prefixes))
