// The selected trials as a table that can be sorted; a row opens what is known of its trial.

const ROWS = 50;
const MORE = 150;

function drawTable(host, study, selection) {
  const columns = [study.losses, study.seconds, ...study.parameters];
  const state = { column: study.losses, down: false, rows: ROWS, open: -1 };
  const head = element("tr");
  const body = element("tbody");
  const count = element("p", { class: "caption" });
  const more = element("button", { type: "button", onclick: () => {
    state.rows = state.rows + MORE;
    fill();
  } }, "Show more");
  host.append(count, element("div", { class: "wide" }, element("table", {}, element("thead", {}, head), body)), more);

  const header = (text, column) => {
    const button = element("button", { type: "button", onclick: () => {
      state.down = state.column === column && !state.down;
      state.column = column;
      fill();
    } }, text);
    const cell = element("th", { scope: "col" }, button);
    cell.column = column;
    return cell;
  };
  head.append(header("trial", study.order), element("th", { scope: "col" }, "status"), ...columns.map((c) => header(c.label, c)));

  function sorted() {
    const { column, down } = state;
    const sign = down ? -1 : 1;
    const rows = [...study.order.value].filter((i) => selection.chosen[i]);
    return rows.sort((i, j) => {
      const [a, b] = [column.value[i], column.value[j]];
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b) || i - j;
      return sign * (a - b) || i - j;
    });
  }

  function fill() {
    const rows = sorted();
    const shown = rows.slice(0, state.rows);
    count.textContent = `${shown.length} of ${formatCount(rows.length, selection.active ? "selected trial" : "trial")}.`;
    more.hidden = shown.length === rows.length;
    for (const cell of head.children) {
      if (cell.column) cell.setAttribute("aria-sort", cell.column !== state.column ? "none" : state.down ? "descending" : "ascending");
    }
    body.replaceChildren(...shown.flatMap((i) => (i === state.open ? [row(i), opened(i)] : [row(i)])));
  }

  function row(i) {
    const open = element("button", { type: "button", "aria-expanded": String(i === state.open), onclick: () => {
      state.open = state.open === i ? -1 : i;
      fill();
    } }, String(study.id[i]));
    const cells = columns.map((column) => element("td", {}, formatValue(column, column.value[i])));
    const made = element("tr", { class: i === study.best ? "best" : null }, element("td", {}, open), element("td", {}, study.statuses[study.status[i]]), ...cells);
    made.addEventListener("pointerenter", () => selection.setFocus(i));
    return made;
  }

  function opened(i) {
    const told = [describe(study, i)];
    const message = study.messages[study.cause[i]];
    if (message) told.push(`Failure: ${message}`);
    const log = study.logs[study.id[i]];
    if (log) told.push(`Its last output:\n${log}`);
    return element("tr", {}, element("td", { colspan: columns.length + 2 }, element("pre", {}, told.join("\n\n"))));
  }

  let queued = false;
  selection.onChange.push(() => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      state.rows = ROWS;
      fill();
    });
  });
  fill();
}
