// Loss of each trial by order or by time, the best so far as a staircase, failures at the foot.

function drawHistory(host, study, selection) {
  const state = { byTime: false, log: false };
  const timed = study.lanes > 0;
  const positive = study.loss.every((loss) => Number.isNaN(loss) || loss > 0);
  const plain = { group: new Int16Array(study.n), fills: () => [colour("--c4")] };
  const times = { ...study.order, whole: false, value: study.end };
  let x;
  let y;
  const setUp = () => {
    x = axisOf(state.byTime ? times : study.order);
    y = axisOf({ ...study.losses, log: state.log }, study.cut ?? Infinity);
  };
  setUp();
  const frameOf = (w, h) => ({ left: 64, right: w - 10, top: 12, bottom: h - 40 });
  const across = (f, i) =>
    f.left + x.place(state.byTime ? study.end[i] : i) * (f.right - f.left);
  const down = (f, loss) => f.bottom - y.place(loss) * (f.bottom - f.top);
  const pointAt = (f) => (i) => {
    if (Number.isNaN(study.loss[i])) return isFailure(study, i) ? { x: across(f, i), y: f.bottom + 4 } : null;
    return { x: across(f, i), y: down(f, study.loss[i]) };
  };

  function paint(ctx, w, h) {
    const f = frameOf(w, h);
    const xTicks = x.ticks(6).map((t) => ({ at: f.left + x.place(t.value) * (f.right - f.left), text: state.byTime ? t.text : String(study.id[t.value] ?? "") }));
    const yTicks = y.ticks(5).map((t) => ({ at: down(f, t.value), text: t.text }));
    drawAxes(ctx, f, xTicks.filter((t) => t.at >= f.left), yTicks);
    ctx.textAlign = "right";
    ctx.fillText(state.byTime ? "seconds since the first start" : "trial", f.right, f.bottom + 22);
    paintBand(ctx, f);
    paintTrials(ctx, f);
    paintStaircase(ctx, f);
  }

  function paintBand(ctx, f) {
    if (study.best === null || !study.error) return;
    const best = study.loss[study.best];
    const top = down(f, best + study.error);
    const foot = Math.min(state.log && best <= study.error ? f.bottom : down(f, best - study.error), f.bottom);
    ctx.fillStyle = colour("--brush");
    ctx.fillRect(f.left, top, f.right - f.left, foot - top);
  }

  function paintTrials(ctx, f) {
    const at = pointAt(f);
    const faint = colour("--faint");
    const ends = selection.colouring ?? study.byStatus;
    const fills = ends.fills();
    for (let i = 0; i < study.n; i++) {
      if (!isFailure(study, i)) continue;
      ctx.fillStyle = selection.chosen[i] ? fills[ends.group[i]] : faint;
      ctx.fillRect(at(i).x - 1, f.bottom - 6, 2, 10);
    }
    const withLoss = (i) => (Number.isNaN(study.loss[i]) ? null : at(i));
    drawPoints(ctx, layered(study, selection, selection.colouring ?? plain, withLoss), pointSize(study.n));
  }

  function paintStaircase(ctx, f) {
    const order = [...study.order.value].filter((i) => !Number.isNaN(study.loss[i]));
    if (state.byTime) order.sort((a, b) => study.end[a] - study.end[b]);
    ctx.strokeStyle = colour("--ink");
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    let best = Infinity;
    let last = f.left;
    for (const i of order) {
      if (!(study.loss[i] < best) || Number.isNaN(across(f, i))) continue;
      const px = across(f, i);
      const py = down(f, study.loss[i]);
      if (best === Infinity) ctx.moveTo(px, py);
      else {
        ctx.lineTo(px, down(f, best));
        ctx.lineTo(px, py);
      }
      [best, last] = [study.loss[i], px];
    }
    if (best < Infinity) ctx.lineTo(Math.max(f.right, last), down(f, best));
    ctx.stroke();
  }

  function overlay(ctx, w, h) {
    const f = frameOf(w, h);
    const range = selection.ranges.get(state.byTime ? times : study.order);
    if (range) {
      const [a, b] = [range.low, range.high].map((v) => f.left + x.place(v) * (f.right - f.left));
      drawRange(ctx, a, f.top, b - a, f.bottom - f.top);
    }
    const point = selection.focus >= 0 && pointAt(f)(selection.focus);
    if (point) drawRing(ctx, point.x, point.y);
  }

  const chart = makeChart(host, selection, {
    label: "Loss of each trial and the best so far",
    height: 300,
    paint,
    overlay,
    nearest: (px, py, w, h) => nearestPoint(study.n, pointAt(frameOf(w, h)), px, py),
    order: () => [...study.order.value].filter((i) => pointAt(frameOf(800, 300))(i)),
    brush: (from, to, w, h) => {
      const f = frameOf(w, h);
      const column = state.byTime ? times : study.order;
      if (!from) return selection.setRange(column, null);
      const [low, high] = [from.x, to.x].map((p) => x.value((p - f.left) / (f.right - f.left))).sort((a, b) => a - b);
      return selection.setRange(column, { low, high, inactive: false });
    },
  });
  const toggle = (text, key) =>
    element("label", {}, element("input", { type: "checkbox", onchange: (event) => {
      state[key] = event.target.checked;
      setUp();
      redraw(chart);
    } }), ` ${text}`);
  const switches = element("p", { class: "switches" });
  if (timed) switches.append(toggle("by time", "byTime"));
  if (positive) switches.append(toggle("logarithmic", "log"));
  host.prepend(switches);
}
