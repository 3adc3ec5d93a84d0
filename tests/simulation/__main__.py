"""The long form: python -m tests.simulation --steps 20000 --seed 1."""

import argparse
from collections import Counter

from tests.simulation.drawing_limits import StepsInPart
from tests.simulation.machine import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--steps", type=int, default=5000, help="commands to try")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same commands")
    arguments = parser.parse_args()
    simulation = run(arguments.steps, arguments.seed, drawing=StepsInPart)
    for outcome, count in sorted(simulation.outcomes.items()):
        print(f"{count:7} {outcome}")
    for topic, count in sorted(Counter(event.TOPIC for event in simulation.book.log).items()):
        print(f"{count:7} {topic}")
    print(f"{len(simulation.book.log)} events, replay equals state, the model agrees")


if __name__ == "__main__":
    main()
