# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether equals share the calls by weight: who comes first, and who second behind whom.

Seeds are fixed, so the outcome is too. The limits are the chi-square
distribution's at one in a thousand, for 3 and 11 degrees of freedom.
"""

import random
from collections import Counter

from oracle.plain import plain_world, question
from oracle.replay import Answers, replay

WEIGHTS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 0}  # by trunk
DRAWS = 24000
LIMIT_FIRST, LIMIT_PAIRS = 16.27, 31.26


def seeds(kind):
    """Any number, new per call: numbers in a row as well as random ones."""
    draw = random.Random(7)
    return [n if kind == "counted" else draw.randrange(1 << 64) >> 1 for n in range(DRAWS)]


def draws(decide, kind):
    """The trunks of each call in their order."""
    asked = [question("p", "4930901820", 1767225600, seed) for seed in seeds(kind)]
    world = plain_world(
        1767225600, asked, carrier=[{"id": 1, "name": "c"}],
        trunk=[{"id": i, "carrier_id": 1, "name": f"t{i}"} for i in WEIGHTS], deck=[{"id": 1, "name": "d"}],
        rate=[{"id": 1, "deck_id": 1, "prefix": "49", "price": 1}], plan=[{"id": 1, "name": "p", "max_attempts": 8}],
        plan_trunk=[{"id": i, "plan_id": 1, "trunk_id": i, "deck_id": 1, "weight": w} for i, w in WEIGHTS.items()])
    replay(world, Answers(decide, [world]))
    answers = Answers(decide, [world])
    assert (answers.next(), answers.next()) == ("new", "built")
    return [[int(word.split("/")[0]) for word in answers.next().split("\t")[-2].split()] for _ in asked]


def chi_square(seen, chances):
    assert set(seen) <= set(chances), f"{set(seen) - set(chances)} should never come"
    return sum((seen[k] - DRAWS * p) ** 2 / (DRAWS * p) for k, p in chances.items())


def check_weights(decide, kind):
    """(chi-square of the first, of the first two); raises when either is too great."""
    orders = draws(decide, kind)
    assert all(len(order) == 5 and order[-1] == 5 for order in orders), "weight 0 must come last"
    weights = {trunk: w for trunk, w in WEIGHTS.items() if w}
    total = sum(weights.values())
    first = chi_square(Counter(o[0] for o in orders), {t: w / total for t, w in weights.items()})
    pairs = chi_square(Counter((o[0], o[1]) for o in orders),
                       {(a, b): weights[a] / total * weights[b] / (total - weights[a])
                        for a in weights for b in weights if a != b})
    assert first < LIMIT_FIRST and pairs < LIMIT_PAIRS, f"{kind} seeds: chi-square {first:.1f}, {pairs:.1f}"
    return first, pairs
