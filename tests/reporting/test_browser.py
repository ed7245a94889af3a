"""The page in a browser: it draws, runs nothing of strangers, and all charts share a selection."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

import sparktune
from sparktune import Study, Trials, hp
from sparktune.cli import main
from sparktune.results import ranking
from tests.reporting.browser import Browser, Page
from tests.reporting.studies import HOSTILE, made, wide

SAMPLE = Path(__file__).with_name("sample.jsonl")

EMPTY = """
all(".canvas").filter((box) => {
  const canvas = box.firstChild;
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return !pixels.some((value) => value > 0);
}).map((box) => box.lastChild.getAttribute("aria-label"))
"""
PICTURES = "all('.canvas').map((box) => box.firstChild.toDataURL())"
COLOURS = """
(() => {
  const canvas = chart("Slots over time").previousSibling;
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext("2d");
  context.drawImage(canvas, 0, 0);
  const pixels = context.getImageData(0, 0, copy.width, copy.height).data;
  const seen = new Set();
  for (let k = 0; k < pixels.length; k += 4) seen.add(pixels.slice(k, k + 3).join());
  const named = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)).join();
  return ["--c0", "--c1", "--c2", "--c3", "--s-error"].filter((name) => seen.has(rgb(named(name))));
})()
"""
LEGEND = "all('.filters .legend:not([hidden]) li').map((key) => key.textContent.trim())"
CELLS = """
all(".trials .chart tbody tr").map((row) =>
  row.children[all(".trials .chart th").findIndex((cell) => cell.textContent === "{}")].textContent)
"""


@pytest.fixture(scope="module")
def study() -> Study:
    return made(150, loss_variance=0.0025)


@pytest.fixture(scope="module")
def html(study: Study) -> str:
    return study.report().html


def selected(n: int) -> str:
    return f"{n} of 150 trials selected"


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a field by its text."""
    page.run(f"""(() => {{
      const field = document.querySelector('select[aria-label="{label}"]');
      field.selectedIndex = [...field.options].findIndex((each) => each.text === "{option}");
      field.dispatchEvent(new Event("change"));
    }})()""")
    page.run("frames()")


def search(page: Page, wanted: str) -> None:
    """Type into the search, instead of what stood there."""
    page.run("document.querySelector('input[type=search]').select()")
    page.call("Input.insertText", text=wanted)
    page.run("frames()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 420])
def test_every_chart_is_drawn_and_nothing_is_loaded(
    browser: Browser, html: str, scheme: str, width: int
) -> None:
    page = browser.page(html, width=width, prefers_color_scheme=scheme)
    assert page.run('all(".canvas").length') == 9  # history, six slices, parallel, timeline
    assert page.run(EMPTY) == []
    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run('document.createElement("canvas").getContext("webgl")') is None
    assert page.complaints == []


def test_the_browser_would_tell_of_foreign_scripts(browser: Browser, html: str) -> None:
    foreign = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    page = browser.page(html.replace("<main>", f"<main>{foreign}", 1))
    assert len(page.complaints) >= 2
    assert "Content Security Policy" in page.complaints[0]


def test_a_notebook_draws_the_page_in_its_frame(browser: Browser, study: Study) -> None:
    shown = study.report()._repr_html_()
    page = browser.page(f'<!doctype html><meta charset="utf-8">{shown}')
    assert page.run('document.querySelector("iframe").contentDocument') is None  # out of reach
    frame = browser.frame(page)
    assert frame.run("origin") == "null"
    assert frame.run('all(".canvas").length') == 9
    assert frame.run(EMPTY) == []
    assert [*page.complaints, *frame.complaints] == []


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_trials_raise_no_error(browser: Browser, n: int) -> None:
    page = browser.page(made(n).report().html)
    assert page.run(EMPTY) == []
    assert page.complaints == []


@pytest.mark.parametrize(
    "losses",
    [
        [1.0] * 5,
        [-1e300, 1e300, 0.0],
        [None] * 3,
        [float("inf"), float("nan"), -2.0],
        [-3.0, -1.0, -2.0],
    ],
    ids=repr,
)
def test_strange_losses_raise_no_error(browser: Browser, losses: list[float | None]) -> None:
    """And a scale of logarithms is offered for positive losses only."""
    study = Study({"x": hp.uniform("x", 0, 1)}, "random", seed=0)
    for trial, loss in zip(study.ask(len(losses)), losses, strict=True):
        study.tell(trial, ValueError("no") if loss is None else loss)
    page = browser.page(study.report().html)
    assert page.run(EMPTY) == []
    assert ("logarithmic" in page.run("document.body.innerText")) is (losses[0] == 1.0)
    assert page.complaints == []


def test_sixty_parameters_and_trials_that_run_still(browser: Browser) -> None:
    labels = [f"x{i}" for i in range(60)]
    study = Study({label: hp.uniform(label, 0, 1) for label in labels}, "random", seed=0)
    for trial in study.ask(12):
        study.tell(trial, float(trial.values["x7"]))
    study.ask(3)
    page = browser.page(study.report().html)
    assert page.run('text(".count")') == "15 trials"
    assert "3 of 15 trials have not ended" in page.run("document.body.innerText")
    assert page.run('all(".slices .canvas").length') == 12
    page.run("all('.slices details > summary')[0].click()")
    page.run("frames(5)")
    assert page.run('all(".slices .canvas").length') == 60
    assert page.run(EMPTY) == []
    assert page.complaints == []


def test_names_and_options_of_any_kind_and_length_are_shown_as_text(browser: Browser) -> None:
    option = f"{HOSTILE} 😀 \u05d0 {'long ' * 2000}"
    study = Study({HOSTILE: hp.choice(HOSTILE, [option, "b"])}, "random", seed=0)
    for trial in study.ask(6):
        study.tell(trial, ValueError(HOSTILE) if trial.id == 3 else float(trial.id))
    page = browser.page(sparktune.report({f"run {HOSTILE}": study, "other": study}).html)
    page.run("all('details').forEach((each) => (each.open = true))")
    page.run("frames(5)")
    shown = page.run("document.body.innerText")
    for seen in ("run </script><script>alert(1)</script>", "😀 \u05d0 long long", "{{7*7}}\\x00"):
        assert seen in shown
    assert page.run(EMPTY) == []
    assert page.complaints == []


def test_a_real_study_of_spark_is_shown(browser: Browser, tmp_path: Path) -> None:
    """150 trials of classifiers, of which some fail: from a journal, by the command."""
    page_file, trials = tmp_path / "page.html", Trials.load(SAMPLE)
    assert main(["report", str(SAMPLE), "-o", str(page_file)]) == 0
    page = browser.page(page_file.read_text(encoding="utf-8"))
    assert page.run('text(".count")') == "150 trials"
    assert page.run(EMPTY) == []
    shown = page.run("document.body.innerText")
    best = ranking.best(trials.records.values())
    assert best is not None
    for said in (
        f"Best loss {best.loss:.6g}",
        "150 trials in 4 lanes",
        "The corrected loss is",
        "On held-out data the loss of the best trial is",
        "ended as error: ValueError: ",
    ):
        assert said in shown
    assert page.complaints == []


def test_ten_thousand_trials_are_drawn_and_selected_at_once(browser: Browser) -> None:
    """In seconds of the processor, which do not hold what else the machine does."""
    page = browser.page(wide(10_000, 8).report().html)
    assert page.run('text(".count")') == "10000 trials"
    assert page.cpu < 1
    took = []
    for i in range(5):
        before = page.cpu
        page.run(f"""await (async () => {{
          const field = document.querySelector('input[aria-label="x0 to"]');
          field.value = "0.{i + 3}";
          field.dispatchEvent(new Event("change"));
          await frames(2);
        }})()""")
        took.append(page.cpu - before)
        assert re.match(r"\d+ of 10000 trials selected", page.run('text(".count")'))
    assert min(took) < 0.1
    assert page.complaints == []


def test_a_page_that_is_written_again_shows_the_new_state_by_itself(browser: Browser) -> None:
    study = made(20)
    page = browser.page(sparktune.report(study, refresh=1).html)
    assert page.run('text(".count")') == "20 trials"
    (browser.folder / "page.html").write_text(made(30).report().html, encoding="utf-8")
    browser.wait("Page.frameStartedLoading", page.session, 2)
    browser.wait("Page.loadEventFired", page.session, 2)
    assert page.run('text(".count")') == "30 trials"
    assert page.complaints == []


def test_a_drag_over_one_chart_selects_on_all(browser: Browser, html: str, study: Study) -> None:
    page = browser.page(html)
    page.drag("Loss against depth", (0.6, 0.5), (0.99, 0.5))
    least = float(page.run("document.querySelector('input[aria-label=\"depth from\"]').value"))
    assert 6 <= least <= 13
    chosen = [t for t in study.records.values() if t.values["depth"] >= least]
    assert page.run('text(".count")') == selected(len(chosen))
    chosen.sort(key=lambda trial: (trial.loss is None, trial.loss, trial.id))
    shown = [int(cell) for cell in page.run(CELLS.format("trial"))]
    assert shown == [trial.id for trial in chosen[:50]]
    page.run('chart("Slots over time").focus()')
    page.press("Escape")
    assert page.run('text(".count")') == "150 trials"


def test_the_lane_of_inactive_trials_can_be_selected(
    browser: Browser, html: str, study: Study
) -> None:
    page = browser.page(html)
    inactive = sum("C" not in trial.values for trial in study.records.values())
    left = page.run('50 / chart("Loss against C").clientWidth')
    right = page.run('62 / chart("Loss against C").clientWidth')
    page.drag("Loss against C", (left, 0.3), (right, 0.6))
    assert page.run('text(".count")') == selected(inactive)
    page.run('document.querySelector(".filters button").click()')
    place = page.run('all(".parallel th, figcaption").findIndex((e) => e.textContent === "C")')
    x = page.run(
        f'(40 + {place} * (chart("All parameters and the loss of each trial").clientWidth'
        ' - 80) / 6) / chart("All parameters and the loss of each trial").clientWidth'
    )
    page.drag("All parameters and the loss of each trial", (x, 0.93), (x, 0.975))
    assert page.run('text(".count")') == selected(inactive)


def test_all_can_be_done_with_the_keyboard(browser: Browser, html: str, study: Study) -> None:
    page = browser.page(html)
    page.run('chart("Loss of each trial and the best so far").focus()')
    page.press("End")
    assert page.run('text(".look")').startswith("trial 149")
    page.press("ArrowLeft")
    assert page.run('text(".look")').startswith("trial 148")
    page.run("""(() => {
      const field = document.querySelector('input[aria-label="lr to"]');
      field.value = "0.01";
      field.dispatchEvent(new Event("change"));
    })()""")
    page.run("frames()")
    rates = [float(trial.values["lr"]) for trial in study.records.values()]
    assert page.run('text(".count")') == selected(sum(rate <= 0.01 for rate in rates))
    page.run('all("th button").find((button) => button.textContent === "lr").click()')
    values = [float(cell) for cell in page.run(CELLS.format("lr"))]
    assert values == sorted(values)
    assert values[-1] <= 0.01
    page.run('document.querySelector(".trials .chart tbody button").click()')
    assert page.run('text(".trials .chart tbody pre")').startswith("trial ")


def test_the_search_filters_charts_and_table(browser: Browser, html: str, study: Study) -> None:
    page = browser.page(html)
    records = study.records.values()
    forests = {t.id for t in records if t.values["model"] == 1}
    failed = {t.id for t in records if t.failure}
    for wanted, found in (
        ("model = forest", forests),
        ("  MODEL=Forest ", forests),
        ("memoryerror: no room", failed),
        ("trial 14", {t.id for t in records if str(t.id).startswith("14")}),
        ("depth = 7\\n", set[int]()),
    ):
        search(page, wanted)
        assert page.run('text(".count")') == selected(len(found)), wanted
        shown = {int(cell) for cell in page.run(CELLS.format("trial"))}
        assert shown <= found
        assert len(shown) == min(len(found), 50)
    search(page, "model = forest")
    choose(page, "status", "error")
    assert page.run('text(".count")') == selected(len(forests & failed))
    page.run('chart("Slots over time").focus()')
    page.press("Escape")
    assert page.run('text(".count")') == "150 trials"
    assert page.run("document.querySelector('input[type=search]').value") == ""
    assert page.complaints == []


def test_a_choice_of_colours_holds_for_all_charts(browser: Browser, html: str) -> None:
    page = browser.page(html)
    before = page.run(PICTURES)
    assert "--c2" not in page.run(COLOURS)  # but colours of statuses
    assert page.run(LEGEND) == []
    choose(page, "colours", "colour by model")
    assert all(old != new for old, new in zip(before, page.run(PICTURES), strict=True))
    assert page.run(LEGEND) == ["svm", "forest", "linear"]
    assert page.run("getComputedStyle(all('.timeline .legend')[0]).display") == "none"
    assert page.run(COLOURS)[:3] == ["--c0", "--c1", "--c2"]
    search(page, "model = linear")
    assert page.run(COLOURS) == ["--c2"]
    search(page, "")
    for kind, said in (("loss", "worst loss  best"), ("trial", "first trial  last")):
        choose(page, "colours", f"colour by {kind}")
        assert page.run(LEGEND)[0] == said
        assert page.run(COLOURS) == []
    choose(page, "colours", "colours as captioned")
    assert page.run(PICTURES) == before
    assert page.complaints == []


def test_options_beyond_the_colours_share_one(browser: Browser) -> None:
    """The rarest: each other one has a colour of its own."""
    kinds = [f"k{i}" for i in range(8)]
    study = Study({"kind": hp.choice("kind", kinds)}, "random", seed=0)
    for i in [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 3, 4, 6, 7]:
        study.tell(study.enqueue({"kind": i}), float(i))
    page = browser.page(study.report().html)
    choose(page, "colours", "colour by kind")
    assert page.run(LEGEND) == ["k0", "k1", "k3", "k4", "k6", "k7", "another option, or inactive"]
    assert page.complaints == []


def test_the_history_by_time_and_logarithmic(browser: Browser) -> None:
    study = Study({"x": hp.uniform("x", 0, 1)}, "random", seed=0)
    for trial in study.ask(30):
        study.tell(trial, 10.0 ** (-trial.id))
    page = browser.page(study.report().html)
    assert page.run('all(".switches input").length') == 2
    page.run('all(".switches input").forEach((box) => box.click())')
    page.run("frames()")
    assert page.run(EMPTY) == []
    page.drag("Loss of each trial and the best so far", (0.3, 0.5), (0.6, 0.5))
    assert "of 30 trials selected" in page.run('text(".count")')
    assert page.complaints == []


def test_several_studies_are_drawn_when_they_are_opened(browser: Browser) -> None:
    page = browser.page(sparktune.report({"a": made(20), "b": made(20, seed=1)}).html)
    before = page.run('all(".canvas").length')
    page.run('all("details.study")[1].open = true')
    page.run("frames(5)")
    assert page.run('all(".canvas").length') == 2 * before > 0
    assert page.run(EMPTY) == []
    assert page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_shuts_people_out(browser: Browser, html: str, scheme: str) -> None:
    folder = files(pytest.importorskip("axe_core_python"))
    script = folder.joinpath("axe.min.js").read_text(encoding="utf-8")
    runs = {"first": [made(12), made(12, seed=1)], "second": [made(12, seed=2)]}
    for each in (html, sparktune.report(runs).html):
        page = browser.page(each, prefers_color_scheme=scheme)
        choose(page, "colours", "colour by model")
        page.value(f"{script};0")
        found = page.run("axe.run(document, {resultTypes: ['violations']})")
        assert len(found["passes"]) > 10
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_without_scripts_the_static_parts_are_left(
    browser: Browser, html: str, study: Study
) -> None:
    page = browser.page(html, scripts=False)
    heights = "Array.from(document.querySelectorAll('{}'), (each) => each.clientHeight)"
    assert all(page.value(heights.format(".fallback")))
    assert not any(page.value(heights.format(".scripted")))
    assert page.value(heights.format(".chart.drawn")) == []
    seen = page.value("document.body.innerText")
    best = study.best
    assert best is not None
    for said in (f"Best loss {best.loss:.6g}", "The 25 best trials.", "without a usable loss"):
        assert said in seen


def test_it_prints_on_a_few_pages_in_dark_colours_too(
    browser: Browser, html: str, tmp_path: Path
) -> None:
    page = browser.page(html, prefers_color_scheme="dark")
    pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf()))
    assert 1 <= pages <= 5
    page.call("Emulation.setEmulatedMedia", media="print")
    layers = "all('.canvas canvas').map((each) => getComputedStyle(each).display)"
    assert page.run(layers) == ["block", "none"] * 9  # the upper one would erase the lower one
    assert page.complaints == []
