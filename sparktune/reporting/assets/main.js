// Fills the charts of each study. A folded study is drawn when it is opened.

const DRAW = {
  history: drawHistory,
  slices: drawSlices,
  parallel: drawParallel,
  timeline: drawTimeline,
  table: drawTable,
};

function drawStudy(place, study) {
  if (!study.n) return;
  study.byLoss = colouringByLoss(study);
  study.byOrder = colouringByOrder(study);
  study.byStatus = colouringByStatus(study);
  const selection = new Selection(study);
  const bar = element("div", { class: "filters" });
  place.querySelector("section")?.before(bar);
  drawFilters(bar, study, selection);
  for (const host of place.querySelectorAll(".chart")) {
    DRAW[host.dataset.chart](host, study, selection);
    host.classList.add("drawn");
    host.closest("section").classList.remove("scripted");
  }
}

const studies = readStudies();
for (const place of document.querySelectorAll(".study")) {
  const draw = () => drawStudy(place, studies[Number(place.dataset.study)]);
  if (place.tagName !== "DETAILS" || place.open) draw();
  else place.addEventListener("toggle", draw, { once: true });
}
for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", () => charts.forEach(drawNow));
}
