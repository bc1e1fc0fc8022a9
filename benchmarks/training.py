"""How fast EasyTune trains beside other trainers. Run: `make bench-training`.

The same rows, model, adapter and learning rate for everyone; rounds are interleaved, medians are
shown. Peers take part when their environment is named: `--peer trl=VENV --peer llamafactory=VENV
--peer swift=VENV` (docs/performance.md tells how each is set up). Every contestant has to show a
gradient, and the loss of its adapter on held-out rows is measured by stock transformers and PEFT.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from contest import PEERS, Contestant, contestants
from measuring import Measured, measure
from work import DEVICES, NUMBERS, SHAPES, Work, prepare


@dataclass
class Results:
    """What one contestant showed, round by round."""

    contestant: Contestant
    rounds: list[Measured] = field(default_factory=list)

    def middle(self, name: str) -> float:
        """Median over the rounds."""
        return statistics.median(getattr(each, name) for each in self.rounds)


def held_out_loss(work: Work, result: Path | None) -> float:
    """Loss of an adapter, of a classifier or of the bare model, on the held-out rows."""
    classify = work.objective == "classify"
    script = "held_out_classes.py" if classify else "held_out.py"
    argv = [sys.executable, str(Path(__file__).parent / "peers" / script)]
    argv += [str(result if classify else work.model), str(work.held_out), str(work.max_length)]
    argv += [str(result)] if result and not classify else []
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["loss"])


def show(results: list[Results]) -> None:
    """The table, and each contestant's speed against ours."""
    ours = results[0]
    print(
        f"\n{'contestant':<34}{'tokens/s':>9}{'spread':>14}{'whole run':>10}{'CPU s':>7}"
        f"{'peak GB':>8}{'first step s':>13}{'ours ×':>8}"
    )
    for each in results:
        speeds = [one.tokens_per_s for one in each.rounds]
        print(
            f"{each.contestant.name:<34}{each.middle('tokens_per_s'):>9.0f}"
            f"{f'{min(speeds):.0f}–{max(speeds):.0f}':>14}{each.middle('whole_run'):>10.0f}"
            f"{each.middle('cpu_s'):>7.0f}{each.middle('peak_bytes') / 1e9:>8.2f}"
            f"{each.middle('first_step_s'):>13.1f}"
            f"{ours.middle('tokens_per_s') / each.middle('tokens_per_s'):>8.2f}"
        )


def show_losses(work: Work, results: list[Results]) -> None:
    """The loss on held-out rows: mean over the rounds, each of which had another seed.

    After as many steps as the work has, for everyone; who packs may make more.
    """
    print(f"\n{'held-out loss':<34}{'mean':>8}{'spread':>16}{'steps':>7}", flush=True)
    for each in results:
        losses = [held_out_loss(work, one.result) for one in each.rounds]
        spread = f"{min(losses):.4f}–{max(losses):.4f}"
        steps = min(int(each.middle("steps")), work.steps)
        mean = statistics.mean(losses)
        print(f"{each.contestant.name:<34}{mean:>8.4f}{spread:>16}{steps:>7}", flush=True)
    if work.objective != "classify":  # whose head is new
        print(f"{'the bare model':<34}{held_out_loss(work, None):>8.4f}")


def asked_for(everyone: list[Contestant], names: list[str] | None) -> list[Contestant]:
    """Those of one of the names, or all whose name begins so where nobody has just that one."""
    exact = {each.name for each in everyone}

    def is_asked_for(contestant: Contestant) -> bool:
        own = contestant.name
        return any(own == n or (n not in exact and own.startswith(n)) for n in names or [""])

    return [each for each in everyone if is_asked_for(each)]


def parse() -> argparse.Namespace:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, help="model folder (default: the starter model)")
    parser.add_argument("--rows", type=Path, help="(default: an example that suits the shape)")
    parser.add_argument("--shape", choices=SHAPES, default="as-is")
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--device", choices=DEVICES, default="cpu")
    parser.add_argument(
        "--peers-in",
        choices=NUMBERS,
        help="type of peers at their best (default: bfloat16 where the processor computes in it)",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--held-out", type=int, default=100, help="rows to measure the loss on, or 0"
    )
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=VENV")
    parser.add_argument("--only", action="append", help="names (or their beginnings) to run")
    parser.add_argument("--keep", type=Path, help="keep all files in this folder")
    given = parser.parse_args()
    unknown = {each.partition("=")[0] for each in given.peer} - set(PEERS)
    if unknown:
        parser.error(f"unknown peer {', '.join(unknown)}; known: {', '.join(PEERS)}")
    return given


def main() -> None:
    """Run everyone in turn, as often as asked, and print the table."""
    given = parse()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="easytune-training-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        work = prepare(folder, given)
        print(
            f"{work.count} rows, {work.tokens} tokens, {work.steps} steps of {work.batch_size}; "
            f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; "
            f"peers at their best in {work.numbers}"
        )
        venvs = dict(each.split("=", 1) for each in given.peer)
        everyone = contestants(venvs, work.objective)
        results = [Results(each) for each in asked_for(everyone, given.only)]
        for number in range(given.rounds):
            for each in results:
                begun = time.monotonic()
                place = folder / f"{number}-{each.contestant.slug}"
                found = measure(each.contestant, work, place, seed=number + 1)
                each.rounds.append(found)
                seconds = time.monotonic() - begun
                speed = f"{found.tokens_per_s:.0f} tokens/s"
                line = f"round {number + 1}  {each.contestant.name:<34}{speed}  ({seconds:.0f} s)"
                print(line, flush=True)
        show(results)
        if given.held_out:
            show_losses(work, results)
    finally:
        if given.keep is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
