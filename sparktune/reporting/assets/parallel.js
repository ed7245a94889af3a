// Each trial with a loss as a line over the most important parameters and the loss.

const FIRST_AXES = 12;
const MOST_LINES = 3000; // more cannot be told apart, and take too long to follow a selection

function drawParallel(host, study, selection) {
  const columns = [...study.parameters.slice(0, FIRST_AXES), study.losses];
  const axes = columns.map((column) => axisOf(column, column === study.losses ? study.cut : Infinity));
  const lines = linesOf(study);
  const frameOf = (w, h) => ({ left: 40, right: w - 40, top: 30, bottom: h - 34 });
  const axisAt = (f, j) => f.left + (j * (f.right - f.left)) / Math.max(columns.length - 1, 1);
  const down = (f, j, i) => {
    const value = columns[j].value[i];
    return Number.isNaN(value) ? f.bottom + 18 : f.bottom - axes[j].place(value) * (f.bottom - f.top);
  };

  const note = element("p", { class: "caption" });
  host.append(note);

  function stroke(ctx, f, trials) {
    ctx.beginPath();
    for (const i of trials) {
      for (let j = 0; j < columns.length; j++) {
        if (j) ctx.lineTo(axisAt(f, j), down(f, j, i));
        else ctx.moveTo(axisAt(f, j), down(f, j, i));
      }
    }
    ctx.stroke();
  }

  function paint(ctx, w, h) {
    const f = frameOf(w, h);
    ctx.lineWidth = study.n > 2000 ? 0.5 : 1;
    if (selection.active) {
      ctx.strokeStyle = colour("--faint");
      const others = lines.flat().filter((i) => !selection.chosen[i]);
      stroke(ctx, f, thinned(others, Math.ceil(others.length / 1000)));
    }
    const every = Math.ceil(selection.count / MOST_LINES);
    const { group, fills } = selection.colouring ?? study.byLoss;
    const colours = fills();
    for (const trials of lines) {
      const shown = thinned(trials.filter((i) => selection.chosen[i]), every);
      for (const k of new Set(shown.map((i) => group[i]))) {
        ctx.strokeStyle = colours[k];
        stroke(ctx, f, shown.filter((i) => group[i] === k));
      }
    }
    note.textContent = every > 1 ? `One of ${every} lines is drawn.` : "";
    columns.forEach((column, j) => paintAxis(ctx, f, w, j, column));
  }

  function paintAxis(ctx, f, w, j, column) {
    const x = axisAt(f, j);
    ctx.strokeStyle = colour("--ink");
    ctx.lineWidth = 1;
    ctx.beginPath();
    ctx.moveTo(x, f.top);
    ctx.lineTo(x, f.bottom);
    ctx.stroke();
    const room = (f.right - f.left) / columns.length;
    ctx.fillStyle = colour("--ink");
    ctx.textAlign = j === 0 ? "left" : j === columns.length - 1 ? "right" : "center";
    ctx.textBaseline = "alphabetic";
    const edge = j === 0 ? 0 : j === columns.length - 1 ? w : x;
    ctx.fillText(fitted(ctx, column.label, room), edge, f.top - 12);
    ctx.textAlign = j === columns.length - 1 ? "right" : "left";
    for (const tick of axes[j].ticks(5)) {
      const y = f.bottom - axes[j].place(tick.value) * (f.bottom - f.top);
      label(ctx, fitted(ctx, tick.text, room - 10), x + (j === columns.length - 1 ? -5 : 5), y + 4);
    }
    if (column.value.some(Number.isNaN) && column !== study.losses) label(ctx, "inactive", x + 5, f.bottom + 30);
  }

  // Text that can be read on top of lines.
  function label(ctx, text, x, y) {
    ctx.strokeStyle = colour("--paper");
    ctx.lineWidth = 3;
    ctx.strokeText(text, x, y);
    ctx.fillStyle = colour("--ink");
    ctx.fillText(text, x, y);
  }

  function overlay(ctx, w, h) {
    const f = frameOf(w, h);
    columns.forEach((column, j) => {
      const range = selection.ranges.get(column);
      if (!range) return;
      const at = (value) => f.bottom - axes[j].place(value) * (f.bottom - f.top);
      if (range.low <= range.high) drawRange(ctx, axisAt(f, j) - 8, at(range.high), 16, at(range.low) - at(range.high));
      if (range.inactive) drawRange(ctx, axisAt(f, j) - 8, f.bottom + 10, 16, 16);
    });
    const i = selection.focus;
    if (i < 0 || Number.isNaN(study.loss[i])) return;
    ctx.strokeStyle = colour("--ink");
    ctx.lineWidth = 2.5;
    stroke(ctx, f, [i]);
  }

  const nearestAxis = (f, x) => Math.min(Math.max(Math.round(((x - f.left) / (f.right - f.left)) * (columns.length - 1)), 0), columns.length - 1);
  makeChart(host, selection, {
    label: "All parameters and the loss of each trial",
    height: 340,
    width: (available) => Math.max(available, 64 * columns.length),
    paint,
    overlay,
    nearest: (px, py, w, h) => {
      const f = frameOf(w, h);
      const j = nearestAxis(f, px);
      return nearestPoint(study.n, (i) => (Number.isNaN(study.loss[i]) || !selection.chosen[i] ? null : { x: axisAt(f, j), y: down(f, j, i) }), axisAt(f, j), py, 8);
    },
    order: () => byValue(study.losses, study),
    brush: (from, to, w, h) => {
      const f = frameOf(w, h);
      const j = nearestAxis(f, (from ?? to).x);
      if (!from) return selection.setRange(columns[j], null);
      const [a, b] = [from.y, to.y].map((y) => (f.bottom - y) / (f.bottom - f.top)).sort((p, q) => p - q);
      return selection.setRange(columns[j], rangeOf(columns[j], axes[j], a < -0.03 ? a : Math.max(a, 0), b < -0.02 ? b : Math.max(b, 0)));
    },
  });
}

// Trials with a loss in parts from the worst to the best, which are drawn last.
function linesOf(study) {
  const parts = Array.from({ length: SHADES }, () => []);
  for (const i of byValue(study.losses, study).reverse()) parts[study.byLoss.group[i]].push(i);
  return parts;
}

// One of so many trials; the last one, which is the best, is one of them.
function thinned(trials, every) {
  return trials.filter((_, k) => (trials.length - 1 - k) % every === 0);
}
