// When each trial ran, in which lane, coloured by how it ended; what is empty is idle.

function drawTimeline(host, study, selection) {
  const span = study.end.reduce((most, end) => (end > most ? end : most), 0) || 1;
  const height = Math.min(Math.max(study.lanes * 18, 40), 420) + 40;
  const frameOf = (w, h) => ({ left: 40, right: w - 10, top: 6, bottom: h - 34 });
  const boxOf = (f, i) => {
    const thick = (f.bottom - f.top) / study.lanes;
    const x = f.left + (study.begin[i] / span) * (f.right - f.left);
    const end = f.left + (study.end[i] / span) * (f.right - f.left);
    return { x, y: f.top + study.lane[i] * thick, w: Math.max(end - x - 0.5, 0.5), h: Math.max(thick * 0.85, 1) };
  };
  const axis = numberAxis(0, span, false, false);

  function paint(ctx, w, h) {
    const f = frameOf(w, h);
    const at = (seconds) => f.left + (seconds / span) * (f.right - f.left);
    ctx.fillStyle = colour("--lane");
    ctx.fillRect(f.left, f.top, f.right - f.left, f.bottom - f.top);
    drawAxes(ctx, f, axis.ticks(6).filter((t) => t.value >= 0 && t.value <= span).map((t) => ({ at: at(t.value), text: t.text })), []);
    ctx.textAlign = "right";
    ctx.fillText("seconds since the first start", f.right, f.bottom + 20);
    const { group, fills } = selection.colouring ?? study.byStatus;
    const colours = fills();
    const faint = colour("--faint");
    for (let i = 0; i < study.n; i++) {
      if (study.lane[i] < 0) continue;
      const box = boxOf(f, i);
      ctx.fillStyle = selection.chosen[i] ? colours[group[i]] : faint;
      ctx.fillRect(box.x, box.y, box.w, box.h);
    }
    ctx.fillStyle = colour("--soft");
    ctx.textBaseline = "middle";
    const every = Math.ceil(study.lanes / 12);
    for (let lane = 0; lane < study.lanes; lane += every) {
      ctx.fillText(String(lane + 1), f.left - 6, f.top + ((lane + 0.45) * (f.bottom - f.top)) / study.lanes);
    }
  }

  function overlay(ctx, w, h) {
    const i = selection.focus;
    if (i < 0 || study.lane[i] < 0) return;
    const box = boxOf(frameOf(w, h), i);
    ctx.strokeStyle = colour("--ink");
    ctx.lineWidth = 2;
    ctx.strokeRect(box.x, box.y, box.w, box.h);
  }

  makeChart(host, selection, {
    label: "Slots over time",
    height,
    paint,
    overlay,
    nearest: (px, py, w, h) => {
      const f = frameOf(w, h);
      for (let i = 0; i < study.n; i++) {
        if (study.lane[i] < 0) continue;
        const box = boxOf(f, i);
        if (px >= box.x - 1 && px <= box.x + box.w + 1 && py >= box.y && py <= box.y + box.h) return i;
      }
      return -1;
    },
    order: () => [...study.order.value].filter((i) => study.lane[i] >= 0).sort((a, b) => study.begin[a] - study.begin[b]),
  });
  const legend = element("ul", { class: "legend" }, ...study.byStatus.legend.map((key) => key.cloneNode(true)));
  host.append(legend);
  selection.onColours.push(() => (legend.hidden = selection.colouring !== null));
}
