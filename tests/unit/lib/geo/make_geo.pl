#!/usr/bin/perl
# make_geo.pl DIR: writes small files in MaxMind's DB format into DIR, over the prefixes that are kept
# for documentation (RFC 5737, RFC 3849) and loopback:
#   city.mmdb  country, position   asn.mmdb  networks   v4.mmdb  countries, an IPv4-only tree
#
# SPDX-License-Identifier: GPL-2.0-or-later
use strict;
use warnings;

BEGIN {
    eval { require MaxMind::DB::Writer::Tree; 1 }
        or die "make_geo.pl: please install the Debian package libmaxmind-db-writer-perl\n";
}

my $dir = shift or die "usage: make_geo.pl DIR\n";

my %types = (
    country => 'map', registered_country => 'map', iso_code => 'utf8_string', names => 'map',
    location => 'map', latitude => 'double', longitude => 'double', accuracy_radius => 'uint16',
    autonomous_system_number => 'uint32', autonomous_system_organization => 'utf8_string',
    city => 'map', subdivisions => [ 'array', 'map' ], en => 'utf8_string', de => 'utf8_string',
    geoname_id => 'uint32', time_zone => 'utf8_string',
);

sub place {
    my ( $iso, $name, $lat, $lon, $radius ) = @_;
    return {
        city         => { geoname_id => 1, names => { en => $name, de => $name } },
        country      => { geoname_id => 2, iso_code => $iso, names => { en => "Land $iso" } },
        location     => { accuracy_radius => $radius, latitude => $lat, longitude => $lon, time_zone => 'UTC' },
        subdivisions => [ { geoname_id => 3, iso_code => 'X', names => { en => 'Part' } } ],
    };
}

sub build {
    my ( $file, $type, $version, $size, %networks ) = @_;
    my $tree = MaxMind::DB::Writer::Tree->new(
        ip_version                  => $version,
        record_size                 => $size,
        database_type               => $type,
        languages                   => [ 'en', 'de' ],
        description                 => { en => 'test', de => 'Test' },
        remove_reserved_networks    => 0,
        alias_ipv6_to_ipv4          => 0,
        map_key_type_callback       => sub { my $t = $types{ $_[0] }; return $t },
    );
    $tree->insert_network( $_, $networks{$_} ) for sort keys %networks;
    open my $out, '>:raw', "$dir/$file" or die "$dir/$file: $!\n";
    $tree->write_tree($out);
    close $out or die "$dir/$file: $!\n";
    return;
}

build( 'city.mmdb', 'Test-City', 6, 28,
    '192.0.2.0/24'    => place( 'DE', 'Berlin',   52.52,   13.405,  20 ),
    '198.51.100.0/25' => place( 'US', 'New York', 40.7128, -74.006, 50 ),
    '198.51.100.128/25' => { registered_country => { iso_code => 'FR', geoname_id => 4 } },
    '203.0.113.0/24'  => { country => { iso_code => 'AU' }, location => { latitude => -33.8688, longitude => 151.2093 } },
    '2001:db8::/48'   => place( 'JP', 'Tokyo',    35.6762, 139.6503, 10 ),
    '2001:db8:1::/48' => { country => { iso_code => 'BR' } },
    '127.5.0.0/16'    => place( 'KE', 'Nairobi',  -1.2921, 36.8219, 100 ),
);
build( 'asn.mmdb', 'Test-ASN', 6, 24,
    '192.0.2.0/24'   => { autonomous_system_number => 64496, autonomous_system_organization => 'Doc One' },
    '203.0.113.0/25' => { autonomous_system_number => 4294967294, autonomous_system_organization => 'Doc Two' },
    '2001:db8::/32'  => { autonomous_system_number => 64511, autonomous_system_organization => 'Doc Six' },
);
build( 'v4.mmdb', 'Test-Country', 4, 32,
    '192.0.2.0/24' => { country => { iso_code => 'NL' }, registered_country => { iso_code => 'DE' } },
);
