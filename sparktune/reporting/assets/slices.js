// The loss against each parameter, with a lane for trials in which it is inactive.

const FIRST_SLICES = 12;
const BINS = 8;
const LANE = 22;

function drawSlices(host, study, selection) {
  const grid = element("div", { class: "grid" });
  host.append(grid);
  for (const column of study.parameters.slice(0, FIRST_SLICES)) drawSlice(grid, column, study, selection);
  const rest = study.parameters.slice(FIRST_SLICES);
  if (!rest.length) return;
  const more = element("details", {}, element("summary", {}, formatCount(rest.length, "more parameter")));
  more.addEventListener("toggle", () => {
    const place = element("div", { class: "grid" });
    more.append(place);
    for (const column of rest) drawSlice(place, column, study, selection);
  }, { once: true });
  host.append(more);
}

function drawSlice(grid, column, study, selection) {
  const host = element("figure", {}, element("figcaption", {}, column.label));
  grid.append(host);
  const x = axisOf(column);
  const y = axisOf(study.losses, study.cut ?? Infinity);
  const lane = column.value.some(Number.isNaN) ? LANE : 0;
  const frameOf = (w, h) => ({ labels: 46, left: 46 + lane, right: w - 6, top: 6, bottom: h - 24 });
  const across = (f, value) => f.left + x.place(value) * (f.right - f.left);
  const down = (f, loss) => f.bottom - y.place(loss) * (f.bottom - f.top);
  const spread = (i) => ((i * 0.6180339887498949) % 1) - 0.5;
  const pointAt = (f) => (i) => {
    if (Number.isNaN(study.loss[i])) return null;
    const value = column.value[i];
    if (Number.isNaN(value)) return { x: f.left - lane / 2 + spread(i) * (lane - 8), y: down(f, study.loss[i]) };
    const moved = column.options.length ? value + 0.5 * spread(i) : value;
    return { x: across(f, moved), y: down(f, study.loss[i]) };
  };

  function paint(ctx, w, h) {
    const f = frameOf(w, h);
    const xTicks = x.ticks(4).map((t) => ({ at: across(f, t.value), text: t.text }));
    const yTicks = y.ticks(4).map((t) => ({ at: down(f, t.value), text: t.text }));
    drawAxes(ctx, f, xTicks.filter((t) => t.at > f.left + lane / 2), yTicks);
    if (lane) paintLane(ctx, f);
    const points = layered(study, selection, selection.colouring ?? study.byOrder, pointAt(f));
    drawPoints(ctx, points, Math.min(pointSize(study.n), 4));
    paintMedians(ctx, f);
  }

  function paintLane(ctx, f) {
    ctx.fillStyle = colour("--lane");
    ctx.fillRect(f.left - lane, f.top, lane - 3, f.bottom - f.top);
    ctx.fillStyle = colour("--soft");
    ctx.textAlign = "center";
    ctx.fillText("off", f.left - lane / 2, f.bottom + 5);
  }

  function paintMedians(ctx, f) {
    const bins = column.options.length || BINS;
    const held = Array.from({ length: bins }, () => []);
    for (let i = 0; i < study.n; i++) {
      if (!selection.chosen[i] || Number.isNaN(study.loss[i]) || Number.isNaN(column.value[i])) continue;
      const bin = Math.floor(x.place(column.value[i]) * bins);
      held[Math.min(Math.max(bin, 0), bins - 1)].push(study.loss[i]);
    }
    ctx.fillStyle = colour("--ink");
    const width = (f.right - f.left) / bins;
    held.forEach((losses, k) => {
      if (losses.length < 3) return;
      losses.sort((a, b) => a - b);
      const middle = losses[Math.floor(losses.length / 2)];
      ctx.fillRect(f.left + k * width + 2, down(f, middle) - 1, width - 4, 2);
    });
  }

  function overlay(ctx, w, h) {
    const f = frameOf(w, h);
    const range = selection.ranges.get(column);
    if (range && range.low <= range.high) {
      const [a, b] = [range.low, range.high].map((v) => across(f, v));
      drawRange(ctx, a, f.top, b - a, f.bottom - f.top);
    }
    if (range && range.inactive) drawRange(ctx, f.left - lane, f.top, lane - 3, f.bottom - f.top);
    const point = selection.focus >= 0 && pointAt(f)(selection.focus);
    if (point) drawRing(ctx, point.x, point.y);
  }

  makeChart(host, selection, {
    label: `Loss against ${column.label}`,
    height: 190,
    paint,
    overlay,
    nearest: (px, py, w, h) => nearestPoint(study.n, pointAt(frameOf(w, h)), px, py),
    order: () => byValue(column, study),
    brush: (from, to, w, h) => {
      if (!from) return selection.setRange(column, null);
      const f = frameOf(w, h);
      const [a, b] = [from.x, to.x].sort((p, q) => p - q);
      return selection.setRange(column, rangeOf(column, x, (a - f.left) / (f.right - f.left), (b - f.left) / (f.right - f.left)));
    },
  });
}

// Between two places on an axis; what lies before 0 is the lane of inactive trials.
function rangeOf(column, axis, a, b) {
  let [low, high] = [axis.value(Math.max(a, 0)), axis.value(Math.min(b, 1))];
  if (column.options.length) [low, high] = [Math.ceil(low - 0.5), Math.floor(high + 0.5)];
  if (b < 0) return { low: 1, high: 0, inactive: true };
  return { low, high, inactive: a < 0 };
}

function byValue(column, study) {
  return [...study.order.value]
    .filter((i) => !Number.isNaN(study.loss[i]))
    .sort((i, j) => (column.value[i] - column.value[j]) || i - j);
}
