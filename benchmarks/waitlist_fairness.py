"""What each rule for a waitlist does to parties and to places: the simulation behind decision 7.

    python -m benchmarks.waitlist_fairness [--runs 20000]

A session of 20 places is full and 12 parties wait (sizes 1 to 4: 60, 25, 10 and 5 of a hundred). In the 72 hours before
booking closes some of those booked cancel, one place at a time. The engine's own `promote` decides; a rule differs in
when smaller parties may pass one that does not fit. `parties that lost their turn`: of the parties of several that come
where nobody is ever passed, those that get nothing under this rule.
"""

import argparse
import random
from collections.abc import Callable
from dataclasses import dataclass

from facilities.engine.waitlist import LAST_CALL, Party, promote

CAPACITY, WAITING, HOURS = 20, 12, 72.0
SIZES = (1,) * 60 + (2,) * 25 + (3,) * 10 + (4,) * 5
MayPass = Callable[[float], bool]

RULES: dict[str, MayPass] = {
    "always passed (greedy)": lambda left: True,
    "never passed": lambda left: False,
    "passed at last call (ours)": lambda left: left <= LAST_CALL.total_seconds() / 3600,
    "passed in the last day": lambda left: left <= 24,
}


@dataclass
class Outcome:
    freed: int
    empty: int
    came: set[Party]


def one_run(seed: int, may_pass: MayPass) -> Outcome:
    rng = random.Random(seed)
    numbers = iter(range(1000))
    queue = [Party(tuple(next(numbers) for _ in range(rng.choice(SIZES)))) for _ in range(WAITING)]
    freed = min(CAPACITY, max(0, round(rng.gauss(5, 3))))
    moments = sorted((rng.uniform(0, HOURS) for _ in range(freed)), reverse=True)
    came: set[Party] = set()
    free = 0
    for left in [*moments, 0.0]:  # the last look is at the close
        free += 1 if left else 0
        turn = promote(queue, free, CAPACITY, last_call=may_pass(left))
        came |= set(turn.promoted)
        free -= sum(p.size for p in turn.promoted)
        queue = [p for p in queue if p not in turn.promoted]
    return Outcome(freed, free, came)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20_000)
    runs = parser.parse_args().runs
    print(f"{'rule':32}{'places left empty':>20}{'parties that lost their turn':>32}")
    in_turn = [one_run(seed, RULES["never passed"]) for seed in range(runs)]
    several = sum(p.size > 1 for run in in_turn for p in run.came)
    for name, may_pass in RULES.items():
        found = [one_run(seed, may_pass) for seed in range(runs)]
        lost = sum(p.size > 1 for strict, run in zip(in_turn, found, strict=True) for p in strict.came - run.came)
        empty = sum(run.empty for run in found) / sum(run.freed for run in found)
        print(f"{name:32}{empty:>19.1%} {lost / several:>31.1%}")


if __name__ == "__main__":
    main()
