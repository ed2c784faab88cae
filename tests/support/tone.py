# SPDX-License-Identifier: GPL-2.0-or-later
"""Test tones: make a WAV of one, and measure how much of a recording is one.

Goertzel's filter at one frequency gives the energy there; divided by all of
the energy it is a share between 0 and 1, which does not depend on loudness.
A telephone codec keeps a sine's share near 1.
"""

import array
import math
import wave

RATE = 8000


def make(path, hertz, seconds=30, level=0.4):
    """Write a mono 16-bit WAV of one sine."""
    top = int(32767 * level)
    samples = array.array("h", (int(top * math.sin(2 * math.pi * hertz * n / RATE))
                                for n in range(RATE * seconds)))
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(samples.tobytes())
    return str(path)


def read(path):
    """(samples, rate) of a mono 16-bit WAV, also of one whose writer was cut off."""
    with wave.open(str(path), "rb") as source:
        if source.getnchannels() != 1 or source.getsampwidth() != 2:
            raise ValueError(f"{path}: not mono with 16 bits")
        samples = array.array("h")
        data = source.readframes(source.getnframes())
        samples.frombytes(data[:len(data) // 2 * 2])
        return samples, source.getframerate()


def share(samples, rate, hertz):
    """The share of the energy at `hertz`, 0..1. Silence has none."""
    total = sum(x * x for x in samples)
    if not total:
        return 0.0
    step = 2 * math.cos(2 * math.pi * hertz / rate)
    last = before = 0.0
    for x in samples:
        last, before = x + step * last - before, last
    power = last * last + before * before - step * last * before
    return min(1.0, 2 * power / (len(samples) * total))


def shares(path, *hertz, seconds=2.0):
    """The share of each frequency in the last `seconds` of a recording.

    A recording shorter than that holds no proof: ValueError.
    """
    samples, rate = read(path)
    need = int(rate * seconds)
    if len(samples) < need:
        raise ValueError(f"{path}: {len(samples) / rate:.2f} s recorded, {seconds} s needed")
    window = samples[-need:]
    return [share(window, rate, one) for one in hertz]


def best_shares(path, *hertz, seconds=1.0, window=0.25):
    """The greatest share of each frequency in any `window` of the last `seconds` of a recording.

    For a telephone whose jitter buffer cuts pieces out and puts pieces in: where two
    pieces meet, a sine's share falls. A recording shorter than that: ValueError.
    """
    samples, rate = read(path)
    need, size = int(rate * seconds), int(rate * window)
    if len(samples) < need:
        raise ValueError(f"{path}: {len(samples) / rate:.2f} s recorded, {seconds} s needed")
    pieces = [samples[first:first + size] for first in range(len(samples) - need, len(samples) - size + 1, size)]
    return [max(share(piece, rate, one) for piece in pieces) for one in hertz]
