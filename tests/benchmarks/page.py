"""How large the page of a study is, and how long it takes: to make, to draw, to answer a selection.

    python -m tests.benchmarks.page [--trials 100 10000 100000] [--peers plotly Optuna]

The same study of 8 parameters goes to sparktune's report and, with --peers, to plotly (history and
parallel coordinates in one file that holds plotly's scripts) and to Optuna's own figures of both,
which are plotly's, too. Chromium without a graphics card opens each file; drawn is three frames
after the page was loaded, brush two frames after a selection (the median of five), and a frame
takes 17 ms. Seconds are wall time, in brackets those of the processor in the page.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparktune import Study, hp
from tests.reporting.browser import FOUND, MISSING, Browser, Page

PARAMETERS = 8


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--peers", nargs="*", choices=["plotly", "Optuna"], default=[])
    options = parser.parse_args()
    if FOUND is None:
        raise SystemExit(MISSING)
    studied(20).report()  # whose imports are not measured
    print("page         trials     MB   made s         drawn s         brush s", flush=True)
    with tempfile.TemporaryDirectory() as folder, Browser.open(Path(folder)) as browser:
        for n in options.trials:
            for name, make in makers(options.peers).items():
                measure(browser, name, n, make)


def measure(browser: Browser, name: str, n: int, make: Callable[[Study], str]) -> None:
    """Print one row."""
    study = studied(n)
    began = time.perf_counter()
    html = make(study)
    made = time.perf_counter() - began
    began = time.perf_counter()
    page = browser.page(html)
    drawn = time.perf_counter() - began
    cpu = page.cpu
    brush = ""
    if name == "sparktune":
        walls, cpus = zip(*(brushed(page, end) for end in (0.5, 0.3, 0.7, 0.4, 0.6)), strict=True)
        brush = f"{statistics.median(walls):8.3f} ({statistics.median(cpus):.3f})"
    size = len(html.encode()) / 1e6
    print(f"{name:10} {n:8} {size:6.2f} {made:8.2f} {drawn:8.2f} ({cpu:5.2f}) {brush}", flush=True)
    browser.call("Target.closeTarget", targetId=page.target)


def brushed(page: Page, end: float) -> tuple[float, float]:
    """Seconds that a selection takes: of the clock, of the processor."""
    before = page.cpu
    wall = page.run(BRUSH.replace("END", str(end)))
    return wall / 1000, page.cpu - before


BRUSH = """
await (async () => {
  const field = document.querySelector('input[aria-label="x0 to"]');
  const began = performance.now();
  field.value = "END";
  field.dispatchEvent(new Event("change"));
  await frames(2);
  return performance.now() - began;
})()
"""


def studied(n: int) -> Study:
    """A study of n random trials, every thousandth of which fails."""
    study = Study({f"x{j}": hp.uniform(f"x{j}", 0, 1) for j in range(PARAMETERS)}, "random", seed=0)
    for trial in study.ask(n):
        loss = sum(float(value) ** 2 for value in trial.values.values())
        study.tell(trial, ValueError("no") if trial.id % 1000 == 7 else loss)
    return study


def makers(peers: list[str]) -> dict[str, Callable[[Study], str]]:
    """{name: what makes a page of a study}"""
    found: dict[str, Callable[[Study], str]] = {"sparktune": lambda study: study.report().html}
    found |= {
        name: make for name, make in (("plotly", plotly), ("Optuna", optuna)) if name in peers
    }
    return found


def plotly(study: Study) -> str:
    """A scatter of losses and parallel coordinates."""
    import plotly.graph_objects as go

    ok = [trial for trial in study.trials.values() if trial.loss is not None]
    losses = [trial.loss for trial in ok]
    columns = [
        {"label": label, "values": [trial.values[label] for trial in ok]} for label in ok[0].values
    ]
    scatter = go.Figure(go.Scatter(x=[trial.id for trial in ok], y=losses, mode="markers"))
    together = go.Figure(go.Parcoords(line={"color": losses}, dimensions=columns))
    return joined([scatter, together])


def optuna(study: Study) -> str:
    """Optuna's history and parallel coordinates of the same trials."""
    import optuna as peer

    peer.logging.set_verbosity(peer.logging.ERROR)
    same = peer.create_study()
    ranges = {label: peer.distributions.FloatDistribution(0, 1) for label in study.space.labels}
    same.add_trials(
        [
            peer.trial.create_trial(
                params=dict(trial.values), distributions=ranges, value=trial.loss
            )
            for trial in study.trials.values()
            if trial.loss is not None
        ]
    )
    made = peer.visualization
    return joined([made.plot_optimization_history(same), made.plot_parallel_coordinate(same)])


def joined(figures: list[Any]) -> str:
    """One file with plotly's scripts in it."""
    head, *rest = (
        figure.to_html(full_html=False, include_plotlyjs=i == 0) for i, figure in enumerate(figures)
    )
    return f'<!doctype html><meta charset="utf-8"><body>{head}{"".join(rest)}</body>'


if __name__ == "__main__":
    main()
