// A bar that stays visible: how many trials are selected, the trial in focus, fields that select by
// text, status and values, and the colours of the charts.

function drawFilters(host, study, selection) {
  const count = element("span", { class: "count", role: "status" });
  const look = element("p", { class: "look", "aria-live": "polite" });
  const codes = study.statuses.map((_, code) => code).filter((code) => study.status.includes(code));
  const status = element("select", { "aria-label": "status", onchange: () => selection.setStatus(Number(status.value)) },
    element("option", { value: -1 }, "any status"),
    ...codes.map((code) => element("option", { value: code }, study.statuses[code])));
  const search = element("input", { type: "search", placeholder: "Search", "aria-label": "search trials", title: "Text of a parameter, an id, a status or a failure, such as depth = 3",
    oninput: () => selection.setText(search.value) });
  const colours = drawColours(study, selection);
  const clear = element("button", { type: "button", onclick: () => selection.clear() }, "Clear");
  const fields = [study.losses, study.seconds, ...study.parameters].map((column) => field(column, selection));
  const numbers = element("details", { class: "numbers" }, element("summary", {}, "Select by values"), element("div", { class: "fields" }, ...fields.map((each) => each.box)));
  host.append(element("div", { class: "bar" }, count, search, status, clear, colours.field, numbers), colours.legend, look);

  const hint = "Point at a trial, or use the arrow keys on a chart.";
  const say = () => {
    look.textContent = selection.focus < 0 ? hint : describe(study, selection.focus);
  };
  const update = () => {
    count.textContent = selection.active ? `${selection.count} of ${formatCount(study.n)} selected` : formatCount(study.n);
    clear.disabled = !selection.active;
    status.value = String(selection.status);
    if (!selection.text && search.value.trim()) search.value = "";
    for (const each of fields) each.update();
  };
  selection.onFocus.push(say);
  selection.onChange.push(update);
  say();
  update();
}

function field(column, selection) {
  const axis = axisOf(column);
  const input = (name) => element("input", { type: "number", step: "any", "aria-label": `${column.label} ${name}`, onchange: () => change() });
  const low = input("from");
  const high = input("to");
  const option = element("select", { "aria-label": column.label, onchange: () => change() },
    element("option", { value: "" }, "any"),
    ...column.options.map((text, i) => element("option", { value: i }, text)));
  const categorical = column.options.length > 0;
  function change() {
    if (categorical) {
      const i = Number(option.value);
      return selection.setRange(column, option.value === "" ? null : { low: i, high: i, inactive: false });
    }
    if (low.value === "" && high.value === "") return selection.setRange(column, null);
    return selection.setRange(column, {
      low: low.value === "" ? -Infinity : Number(low.value),
      high: high.value === "" ? Infinity : Number(high.value),
      inactive: false,
    });
  }
  function update() {
    const range = selection.ranges.get(column);
    const shown = (value) => (range && Number.isFinite(value) ? formatNumber(value) : "");
    low.value = shown(range?.low);
    high.value = shown(range?.high);
    option.value = range && range.low === range.high ? String(range.low) : "";
  }
  low.placeholder = formatNumber(axis.low);
  high.placeholder = formatNumber(axis.high);
  const box = element("div", {}, element("span", {}, column.label), ...(categorical ? [option] : [low, high]));
  return { box, update };
}
