"""What the benchmarks that compare with others share: medians, and the table of what was reached."""
import statistics
import sys


def say(text):
    """Shows how far a long run is, in place of what was said before."""
    print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def median(reports, *path):
    """Of the value under `path` in each report."""
    values = []
    for report in reports:
        for key in path:
            report = report[key]
        values.append(report)
    return statistics.median(values)


def figure(value):
    return f"{value:,.{0 if value >= 100 else 2}f}"


class Table:
    """Rows of our figure beside another's, as Markdown. `peers`: what each other side is called in it."""

    def __init__(self, peers):
        self.peers = peers
        self.rows = []

    def add(self, what, unit, ours, peer, theirs, at_least=None, at_most=None):
        """The goal is a ratio. With neither, the row is for information."""
        ratio = ours / theirs if theirs else float("nan")
        goal = f"≥ {at_least:g} ×" if at_least else f"≤ {at_most:g} ×" if at_most else ""
        reached = ratio >= at_least if at_least else ratio <= at_most if at_most else None
        self._row(what, unit, ours, f"{figure(theirs)} ({self.peers[peer]})", f"{ratio:.2f} ×", goal, reached)

    def add_alone(self, what, unit, ours, at_most=None):
        """The goal is a value of our own."""
        goal = f"≤ {at_most:g} {unit}" if at_most else ""
        self._row(what, unit, ours, "", "", goal, ours <= at_most if at_most else None)

    def _row(self, what, unit, ours, other, ratio, goal, reached):
        answer = {None: "", True: "yes", False: "no"}[reached]
        self.rows.append([what, f"{figure(ours)} {unit}", other, ratio, goal, answer])

    def print(self):
        heads = ["", "rushes", "other side", "ratio", "goal", "reached"]
        print("| " + " | ".join(heads) + " |")
        print("|" + "---|" * len(heads))
        for row in self.rows:
            print("| " + " | ".join(row) + " |")
