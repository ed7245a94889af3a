// The colour of each trial on the charts.
//
// A colouring: {label, group, fills, legend}. Trial i has the colour fills()[group[i]], asked for
// whenever a chart is painted, because colours follow the scheme of the page.

const OPTION_KINDS = ["c0", "c1", "c2", "c3", "c5", "c6"];

// What can be chosen; charts begin with colours of their own, some of which are these.
function colouringsOf(study) {
  const options = study.parameters.filter((column) => column.options.length);
  return [study.byLoss, study.byOrder, study.byStatus, ...options.map((column) => byOption(study, column))];
}

// From the worst loss to the best. Ranks tell more trials apart than losses, of which a few are
// often huge.
function colouringByLoss(study) {
  const ranked = byValue(study.losses, study).reverse();
  const group = new Int16Array(study.n).fill(SHADES);
  ranked.forEach((i, rank) => (group[i] = Math.ceil(((rank + 1) * SHADES) / ranked.length) - 1));
  return shaded("loss", group, ["worst loss", "best", "without a loss"]);
}

function colouringByOrder(study) {
  const group = Int16Array.from({ length: study.n }, (_, i) => Math.floor((SHADES * i) / study.n));
  return shaded("trial", group, ["first trial", "last"]);
}

function shaded(label, group, [from, to, without]) {
  const legend = [element("li", {}, `${from} `, element("span", { class: "shades" }), ` ${to}`)];
  if (without && group.includes(SHADES)) legend.push(keyOf("soft", without));
  const fills = () => [...Array.from({ length: SHADES }, (_, k) => shade(k)), colour("--soft")];
  return { label, group, fills, legend };
}

function colouringByStatus(study) {
  const kinds = study.statuses.map((name) => `s-${name}`);
  const seen = study.statuses.filter((_, code) => study.status.includes(code));
  return named("status", study.status, kinds, seen.map((name) => keyOf(`s-${name}`, name)));
}

// The options of most trials have a colour each; the others, and trials without one, share a grey.
function byOption(study, column) {
  const counts = column.options.map(() => 0);
  for (const value of column.value) if (!Number.isNaN(value)) counts[value]++;
  const codes = column.options.map((_, code) => code).sort((a, b) => counts[b] - counts[a] || a - b);
  const first = codes.slice(0, OPTION_KINDS.length).sort((a, b) => a - b);
  const group = Int16Array.from(column.value, (value) => {
    const k = first.indexOf(value);
    return k < 0 ? OPTION_KINDS.length : k;
  });
  const legend = first.map((code, k) => keyOf(OPTION_KINDS[k], column.options[code]));
  if (group.includes(OPTION_KINDS.length)) {
    legend.push(keyOf("soft", codes.length > first.length ? "another option, or inactive" : "inactive"));
  }
  return named(column.label, group, [...OPTION_KINDS, "soft"], legend);
}

function named(label, group, kinds, legend) {
  return { label, group, fills: () => kinds.map((kind) => colour(`--${kind}`)), legend };
}

function keyOf(kind, text) {
  return element("li", {}, element("span", { class: `key ${kind}` }), text);
}

// The field that chooses a colouring, and its legend, which is hidden where charts have their own.
function drawColours(study, selection) {
  const choices = colouringsOf(study);
  const legend = element("ul", { class: "legend colours", "aria-label": "colours" });
  legend.hidden = true;
  const field = element("select", { "aria-label": "colours", onchange: () => {
    const chosen = choices[Number(field.value)] ?? null;
    legend.replaceChildren(...(chosen ? chosen.legend : []));
    legend.hidden = !chosen;
    selection.setColouring(chosen);
  } },
  element("option", { value: -1 }, "colours as captioned"),
  ...choices.map((each, k) => element("option", { value: k }, `colour by ${each.label}`)));
  return { field, legend };
}

// Points by colour, those that are not selected first. Colours lie in layers on top of each other,
// so that none hides all others.
function layered(study, selection, colouring, at) {
  const fills = colouring.fills();
  const layers = Array.from({ length: LAYERS * fills.length }, (_, k) => [fills[k % fills.length], []]);
  const others = [colour("--faint"), []];
  for (let i = 0; i < study.n; i++) {
    const point = at(i);
    if (!point) continue;
    const layer = layers[(i % LAYERS) * fills.length + colouring.group[i]];
    (selection.chosen[i] ? layer : others)[1].push(point.x, point.y);
  }
  return [others, ...layers];
}
