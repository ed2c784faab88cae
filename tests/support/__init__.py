# SPDX-License-Identifier: GPL-2.0-or-later
"""What the demo, the integration tests and the attack tests share.

    ports      free loopback ports and the addresses that stand for networks
    process    a child process: log, readiness, orderly stop
    kamailio   a Kamailio of our own: configuration check, start, RPC
    stockcfg   Debian's stock kamailio.cfg with lines added at named places
    readme     the fenced examples of the READMEs, so that tests run them
    dns        a DNS server of our own, and how a Kamailio comes to ask it
    kemi       callroute's functions asked by the native script and by KEMI, side by side
    minimal    cfg/minimal/callroute*.cfg as they are shipped, with trunks and telephones
    exports    what a module exports, by its source and by its README
    walk       the command lines of a README, run and compared with what it shows
    rtpengine  rtpengine in user space and its control protocol
    stack      rtpengine + database + Kamailio with the shipped cfg/
    mariadb    a MariaDB server of our own, on a socket in a folder of its own
    decks      rate sheets, and a model of what importing them must give
    choosers   the gateways that drouting, lcr and dispatcher try, by their tables
    sip        raw SIP over UDP and TCP: build, send, parse, digest
    agent      a scripted telephone made of `sip`
    call       a call between two of those, step by step
    sniffer    SIP as it passes over the loopback interface
    baresip    the real telephone: a baresip that we can tell what to do
    tone       test tones: make a WAV, measure a recording
    sipp       SIPp runs, bounded in calls and time
    report     the demo's steps and its final table

Nothing here sleeps to wait: every wait is for an event, with a deadline.
"""
