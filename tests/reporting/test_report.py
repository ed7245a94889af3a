"""The page as text: what it holds, what it must not hold, and how large it is."""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sparktune
from sparktune import Study, Trials, fmin, hp
from sparktune.cli import main
from sparktune.errors import InvalidArgument
from sparktune.results.noise import noise
from sparktune.trial import Failure, Outcome, Status
from tests.reporting.studies import made, wide


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text of each kind of element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "path", "rect", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "rect", "circle"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    @property
    def text(self) -> str:
        """What people read."""
        hidden = ("script", "style")
        return " ".join(" ".join(found) for tag, found in self.texts.items() if tag not in hidden)


def content(html: str) -> list[dict[str, Any]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found
    studies: list[dict[str, Any]] = json.loads(found[1])["studies"]
    return studies


def column(packed: dict[str, str]) -> Any:
    ((kind, text),) = packed.items()
    return np.frombuffer(base64.b64decode(text), f"<{kind}")


def facts(html: str) -> str:
    """The facts beside the code that rebuilds the best configuration."""
    section = html[html.index('<section class="reproduce"') :]
    tables = re.findall(r'<table class="pairs">(.*?)</table>', section)
    return " ".join(re.sub(r"<[^>]*>", " ", "".join(tables)).split())


@pytest.fixture(scope="module")
def study() -> Study:
    return made(150, loss_variance=0.0025)


@pytest.fixture(scope="module")
def html(study: Study) -> str:
    return study.report().html


def test_sections_stand_in_their_order(html: str) -> None:
    titles = re.findall(r"<h2>(.*?)</h2>", html)
    assert titles == [
        "Loss history",
        "What mattered",
        "Loss by parameter",
        "All parameters at once",
        "How far to trust it",
        "Trials",
        "Slots over time",
        "Failures",
        "Rebuild the best",
    ]
    assert not Page(html).open


def test_the_policy_lets_only_the_own_script_and_style_in(html: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    scripts = re.findall(r"<script>(.*?)</script>", html, re.S)
    styles = re.findall(r"<style>(.*?)</style>", html, re.S)
    assert len(scripts) == len(styles) == 1
    digests = [
        base64.b64encode(hashlib.sha256(each.encode()).digest()).decode()
        for each in (*scripts, *styles)
    ]
    assert policy[1].split("; ") == [
        "default-src 'none'",
        f"script-src 'sha256-{digests[0]}'",
        f"style-src 'sha256-{digests[1]}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert "innerHTML" not in scripts[0]
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in styles[0]
    assert "url(" not in styles[0]


def test_what_a_strangers_journal_holds_is_text(html: str, study: Study) -> None:
    page = Page(html)
    allowed = (
        "html head meta title style body main article h1 h2 p strong ul ol li table thead tbody tr "
        "th td section div svg path text circle rect details summary pre script"
    )
    assert {tag for tag, _ in page.elements} <= {*allowed.split()}
    names = {name for _, attributes in page.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in ("src", "href", "style")]
    assert sum(tag == "script" for tag, _ in page.elements) == 2
    unseen = [c for c in html if not c.isprintable() and c != "\n"]
    assert not unseen
    shown = (
        "</script><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}\\x00\\x1b[2J\\u202e"
    )
    assert shown in page.text  # labels, options, messages
    assert shown in " ".join(page.texts["pre"])  # tracebacks
    packed = content(html)[0]
    assert any(each["label"].startswith(shown) for each in packed["parameters"])


def test_the_same_trials_give_the_same_page(study: Study, html: str, tmp_path: Path) -> None:
    study.report(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_bytes() == html.encode()
    study.save(tmp_path / "study.jsonl")
    loaded = Study.load(tmp_path / "study.jsonl", study.space)
    assert content(loaded.report().html) == content(html)


def test_seed_algorithm_and_versions_are_told_where_they_are_known(
    html: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = platform.python_version()
    for row in ("seed 0", "sampler Random(), of the Study", f"Python {python}"):
        assert row in facts(html)
    for name in ("sparktune", "pyspark", "scikit-learn"):
        assert f"{name} {metadata.version(name)}" in facts(html)

    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("sparktune.reporting.reproducing.version", none)
    told = facts(sparktune.report(Trials.load(Path(__file__).with_name("sample.jsonl"))).html)
    assert "seed 0" in told
    assert "sampler" not in told  # which no journal names
    assert told.endswith(f"Python {python}")


def test_the_algorithm_of_the_user_is_told_alike_by_each_process() -> None:
    class Own:
        def suggest(self, space: Any, history: Any, n: int, rng: Any) -> Any:
            return space.sample(rng, n)

    @dataclass(frozen=True)
    class Nested(Own):
        inner: Own
        share: float = 0.5

    study = Study({"x": hp.uniform("x", 0, 1)}, Nested(Own()), seed=0)
    study.tell(study.ask(1)[0], 1.0)
    told = facts(study.report().html)
    assert "sampler Nested(share=0.5), of the Study" in told
    assert " at 0x" not in told


def test_versions_are_read_without_an_import() -> None:
    code = (
        "import sys; from sparktune import Study, hp; s = Study({'x': hp.uniform('x', 0, 1)}); "
        "t, = s.ask(1); s.tell(t, 1.0); assert '<th>pyspark</th>' in s.report().html; "
        "assert not {'pyspark', 'sklearn'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_numbers_of_the_page_are_those_of_the_frame(html: str, study: Study) -> None:
    packed, frame = content(html)[0], study.to_pandas()
    np.testing.assert_array_equal(column(packed["loss"]), frame["loss"])
    statuses = [packed["statuses"][code] for code in column(packed["status"])]
    assert statuses == list(frame["status"])
    took = column(packed["end"]) - column(packed["begin"])
    np.testing.assert_allclose(took, frame["duration"], atol=1e-5)
    by_label = {each["label"]: each for each in packed["parameters"]}
    np.testing.assert_array_equal(column(by_label["lr"]["value"]), frame["lr"])
    np.testing.assert_array_equal(column(by_label["C"]["value"]), frame["C"])  # NaN where inactive
    options = by_label["model"]["options"]
    assert [options[int(i)] for i in column(by_label["model"]["value"])] == list(frame["model"])
    best = study.best
    assert best is not None
    assert packed["best"] == best.id


def test_without_scripts_everything_important_is_there(html: str, study: Study) -> None:
    page = Page(html)
    best = study.best
    assert best is not None
    assert f"{best.loss:.6g}" in page.text
    assert page.texts["strong"] == [f"{best.loss:.6g}"]
    assert "no room for" in page.text
    code = " ".join(page.texts["pre"])
    assert "best = {" in code
    assert f"'lr': {best.values['lr']!r}" in code
    assert html.count('class="picture"') == 2  # the history and the importance
    assert f"<td>{best.id}</td>" in html


def test_failures_are_grouped_and_located(html: str) -> None:
    assert re.search(r"Of \d+ trials with depth &gt; 15, \d+ failed", html)
    assert html.count("<summary>Traceback of trial") == 1


def test_redaction_leaves_out_what_may_hold_data(study: Study) -> None:
    html = study.report(redact=True).html
    assert "no room for" not in html
    assert "Traceback of" not in html
    assert content(html)[0]["logs"] == {}
    assert content(html)[0]["messages"] == []


def test_noise_is_told_where_results_tell_it(html: str) -> None:
    assert "The standard error of the best loss is 0.05" in html
    assert "± 0.05" in html
    silent = made(40).report().html
    assert "these results do not show by how much" in silent.lower()
    assert "±" not in re.sub(r"<script>.*?</script>", "", silent, flags=re.S)


def test_importance_of_few_trials_is_said_to_be_untrustworthy() -> None:
    assert "Too few trials" in made(20).report().html
    assert "importance needs at least 10 trials" in made(5).report().html.lower()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_trials(n: int) -> None:
    html = made(n).report().html
    assert not Page(html).open
    assert len(html) < 70_000
    assert ("There are no trials yet." in html) is (n == 0)


def end(status: Status, loss: float | None = None) -> Any:
    failure = None if status is Status.OK else Failure("ValueError", "no")
    return Outcome(0, status, loss, None if loss is None else {"loss": loss}, failure)


@pytest.mark.parametrize(
    "ends",
    [
        [end(Status.ERROR)] * 12,
        [end(Status.OK, 1.0)] * 12,
        [end(Status.OK, float("inf"))] * 3,
        [end(Status.OK, loss) for loss in (-1e300, 1e300, 0.0, float("inf"), -5.0)],
        [end(Status.CANCELLED)] * 3,
        [end(Status.OK, 1e-320), end(Status.OK, 2e-320)],
    ],
    ids=["failed", "equal", "infinite", "wild", "cancelled", "tiny"],
)
@pytest.mark.filterwarnings("error")
def test_strange_losses(ends: list[Any]) -> None:
    study = Study({"x": hp.uniform("x", 0, 1)}, "random", seed=0)
    for trial, each in zip(study.ask(len(ends)), ends, strict=True):
        study.tell(trial, each)
    html = study.report().html
    assert not Page(html).open
    assert len(content(html)[0]["parameters"]) == 1


def test_trials_that_run_still_are_named() -> None:
    study = Study({"x": hp.uniform("x", 0, 1)}, "random", seed=0)
    first, *_ = study.ask(3)
    study.tell(first, 1.0)
    assert "2 of 3 trials have not ended" in study.report().html


def test_the_page_is_small() -> None:
    assert len(made(100).report().html.encode()) < 300_000


def test_ten_thousand_trials_fit_one_megabyte() -> None:
    html = wide(10_000, 8).report().html
    assert len(html.encode()) < 1_000_000
    assert len(column(content(html)[0]["loss"])) == 10_000


def test_of_very_many_trials_all_improvements_and_failures_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sparktune.reporting.content.POINTS", 4000)
    study = wide(5000, 2)
    html = study.report().html
    packed = content(html)[0]
    loss, ids = column(packed["loss"]), packed["id"]
    assert len(loss) == 4000
    assert "Charts and the table hold 4000 of 5000 trials" in html
    assert np.isnan(loss).sum() == 5
    all_losses = [trial.loss for trial in study.records.values()]
    best, improvements = np.inf, []
    for i, each in enumerate(all_losses):
        if each is not None and each < best:
            best = each
            improvements.append(i)
    assert set(improvements) <= set(ids)
    assert loss[packed["best"]] == best


def test_sixty_parameters() -> None:
    html = wide(40, 60).report().html
    assert len(content(html)[0]["parameters"]) == 60


def test_several_studies_are_compared(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    report = sparktune.report({"a <b>": made(30), "b": made(40, seed=1)}, path)
    assert path.read_text() == report.html
    assert "Studies compared" in report.html
    assert report.html.count('class="line c1"') == 1
    assert len(content(report.html)) == 2
    assert "a &lt;b&gt;" in report.html
    assert not Page(report.html).open


def test_runs_of_methods_are_compared_with_bands_and_wins() -> None:
    def run(offset: float, seed: int) -> Study:
        study = Study({"x": hp.uniform("x", 0, 1)}, "random", seed=seed)
        for trial in study.ask(12):
            study.tell(trial, float(trial.values["x"]) + offset)
        return study

    runs = {"low": [run(0, seed) for seed in range(3)], "high": [run(2, seed) for seed in range(4)]}
    html = sparktune.report({**runs, "alone": run(1, 9)}).html
    assert re.findall(r'class="band (c\d)"', html) == ["c0", "c1"]
    assert len(re.findall(r'class="line c\d"', html)) == 3 + 8  # and one of each run
    table = html[html.index("wins against") :].partition("</table>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in table.split("<tr>")[1:]]
    assert rows == [
        ["low (3 runs)", "", "100%", "100%"],
        ["high (4 runs)", "0%", "", "0%"],
        ["alone (1 run)", "0%", "100%", ""],
    ]
    assert "better loss after 12 trials" in html
    names = [each["name"] for each in content(html)]
    low, high = ([f"{name}, run {i}" for i in range(1, n)] for name, n in (("low", 4), ("high", 5)))
    assert names == [*low, *high, "alone"]
    with pytest.raises(InvalidArgument, match="empty list"):
        sparktune.report({"a": []})


def test_studies_of_different_spaces_are_not_compared() -> None:
    html = sparktune.report({"a": wide(5, 1), "b": made(5)}).html
    assert "are not compared, because their search spaces differ" in html
    assert "x0 is uniform(0, 1) in a and absent in b" in html


def test_trials_of_fmin_have_a_report() -> None:
    trials = Trials()
    space = {"x": hp.uniform("x", -1, 1)}
    fmin(lambda p: p["x"] ** 2, space, "random", 15, trials=trials, seed=1, verbose=False)
    html = sparktune.report(trials).html
    assert trials.stop_reason
    assert trials.stop_reason in html
    assert "best = {&#x27;x&#x27;:" in html


def test_a_notebook_shows_the_page_in_a_frame(study: Study, html: str) -> None:
    shown = study.report()._repr_html_()
    ((tag, attributes),) = Page(shown).elements
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["srcdoc"] == html


@pytest.mark.parametrize("wrong", [{}, 3, {"a": 3}, [1]])
def test_what_is_no_study_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"[sS]tud"):
        sparktune.report(wrong)


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journals = [str(tmp_path / name / "study.jsonl") for name in "ab"]
    for seed, journal in enumerate(journals):
        Path(journal).parent.mkdir()
        made(12, seed=seed).save(journal)
    page = str(tmp_path / "page.html")
    assert main(["report", *journals, "-o", page]) == 0
    assert capsys.readouterr().out == f"{page}\n"
    html = Path(page).read_text(encoding="utf-8")
    assert [each["name"] for each in content(html)] == ["study", "study (2)"]
    assert main(["report", journals[0], "-o", page, "--redact"]) == 0
    assert "no room for" not in Path(page).read_text(encoding="utf-8")
    assert main(["report", str(tmp_path / "none.jsonl"), "-o", page]) == 2


def test_show_displays_the_page_and_says_what_to_do_where_it_cannot(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("IPython")
    report = made(2).report()
    report.show()
    assert capsys.readouterr().out.startswith("<Report: ")
    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(ImportError, match="save"):
        report.show()


def told(*results: dict[str, Any]) -> Study:
    study = Study({"x": hp.randint("x", 1)}, "random", seed=0)
    for trial, result in zip(study.ask(len(results)), results, strict=True):
        study.tell(trial, {"status": "ok", **result})
    return study


def test_noise_of_folds_and_of_repeated_evaluations() -> None:
    scores = {"split0_test_score": 0.8, "split1_test_score": 0.9, "split2_test_score": 0.7}
    row = {"mean_test_score": 0.8, "std_test_score": 0.0816, **scores}
    by_folds = noise(told({"loss": -0.8, "cv_results": row}))
    assert by_folds is not None
    assert by_folds.error == pytest.approx(0.1 / 3**0.5)
    assert by_folds.source == "the scores of 3 folds"
    repeated = noise(told({"loss": 1.0}, {"loss": 2.0}, {"loss": 3.0}))
    assert repeated is not None
    assert repeated.error == pytest.approx(1.0)
    assert [trial.loss for trial in repeated.within] == [1.0, 2.0]
    assert noise(told({"loss": 1.0})) is None
