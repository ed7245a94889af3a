// A chart: two canvases on top of each other, one for what changes with the selection, one for what
// follows the pointer. Sizes are in CSS pixels. A chart can be used by pointer and by keyboard.
//
// parts = {
//   label                    what it shows, for people who cannot see it
//   height, width            of the canvas; width(available) may ask for more than there is
//   paint(ctx, w, h)         draws the trials
//   overlay(ctx, w, h)       draws what is looked at, and the ranges
//   nearest(x, y, w, h)      the trial at a place, -1 if none
//   order()                  trials in the order in which the arrow keys visit them
//   brush(from, to, w, h)    the pointer was dragged between two places {x, y}; from null: a click
// }

const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
  [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
];
const SHADES = 16;
const LAYERS = 8; // of points on top of each other
const charts = [];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Shade k of SHADES; both ends are cut so that every shade stands out from a bright or a dark page.
function shade(k) {
  const dark = colour("--dark") === "1";
  const share = (dark ? 0.25 : 0) + (0.75 * k) / (SHADES - 1);
  const place = share * (VIRIDIS.length - 1);
  const i = Math.min(Math.floor(place), VIRIDIS.length - 2);
  const mix = VIRIDIS[i].map((v, c) => Math.round(v + (VIRIDIS[i + 1][c] - v) * (place - i)));
  return `rgb(${mix.join(",")})`;
}

function makeChart(host, selection, parts) {
  const base = element("canvas");
  const over = element("canvas", { tabindex: 0, role: "img", "aria-label": parts.label });
  const box = element("div", { class: "canvas" }, base, over);
  host.append(box);
  const chart = { host, box, base, over, parts, selection, from: null, width: 0, queued: false };
  selection.onChange.push(() => redraw(chart));
  selection.onColours.push(() => redraw(chart));
  selection.onFocus.push(() => drawOverlay(chart));
  listen(chart);
  new ResizeObserver(() => host.clientWidth !== chart.seen && redraw(chart)).observe(host);
  charts.push(chart);
  return chart;
}

function redraw(chart) {
  if (chart.queued) return;
  chart.queued = true;
  requestAnimationFrame(() => {
    chart.queued = false;
    drawNow(chart);
  });
}

function drawNow(chart) {
  const { host, parts, base } = chart;
  chart.seen = host.clientWidth;
  if (!chart.seen) return;
  chart.width = parts.width ? parts.width(chart.seen) : chart.seen;
  prepare(chart.base, chart.width, parts.height);
  prepare(chart.over, chart.width, parts.height);
  chart.box.style.height = `${parts.height}px`;
  chart.box.style.width = `${chart.width}px`;
  parts.paint(base.getContext("2d"), chart.width, parts.height);
  drawOverlay(chart);
}

function prepare(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  if (canvas.width === w && canvas.height === h) context.clearRect(0, 0, w, h);
  else [canvas.width, canvas.height] = [w, h]; // which costs memory, and clears it, too
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context.scale(ratio, ratio);
  context.font = "12px system-ui, sans-serif";
}

function drawOverlay(chart) {
  if (!chart.width) return;
  const context = chart.over.getContext("2d");
  context.clearRect(0, 0, chart.width, chart.parts.height);
  chart.parts.overlay(context, chart.width, chart.parts.height);
}

function listen(chart) {
  const { over, parts, selection } = chart;
  const place = (event) => {
    const edge = over.getBoundingClientRect();
    return { x: event.clientX - edge.left, y: event.clientY - edge.top };
  };
  over.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    chart.from = place(event);
    chart.dragged = false;
    if (event.isTrusted) over.setPointerCapture(event.pointerId);
  });
  over.addEventListener("pointermove", (event) => {
    const to = place(event);
    if (chart.from && Math.hypot(to.x - chart.from.x, to.y - chart.from.y) > 4) chart.dragged = true;
    if (chart.from && chart.dragged) parts.brush?.(chart.from, to, chart.width, parts.height);
    else selection.setFocus(parts.nearest(to.x, to.y, chart.width, parts.height));
  });
  over.addEventListener("pointerup", (event) => {
    if (chart.from && !chart.dragged) parts.brush?.(null, place(event), chart.width, parts.height);
    chart.from = null;
  });
  over.addEventListener("pointercancel", () => (chart.from = null));
  over.addEventListener("pointerleave", () => chart.from || selection.setFocus(-1));
  over.addEventListener("keydown", (event) => walk(event, parts, selection));
}

// The arrow keys visit the selected trials, Home and End the first and the last.
function walk(event, parts, selection) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") return selection.clear();
  if (!step && event.key !== "Home" && event.key !== "End") return undefined;
  event.preventDefault();
  const order = parts.order().filter((i) => selection.chosen[i]);
  const now = order.indexOf(selection.focus);
  const last = order.length - 1;
  let next = event.key === "End" ? last : 0;
  if (step) next = now < 0 ? (step > 0 ? 0 : last) : Math.min(Math.max(now + step, 0), last);
  return selection.setFocus(order[next] ?? -1);
}

// What several charts draw

function drawAxes(ctx, frame, xTicks, yTicks) {
  const { left, right, bottom, labels = left } = frame; // labels of y end before this place
  ctx.strokeStyle = colour("--grid");
  ctx.fillStyle = colour("--soft");
  ctx.lineWidth = 1;
  ctx.textBaseline = "middle";
  ctx.textAlign = "right";
  for (const { at, text } of yTicks) {
    ctx.beginPath();
    ctx.moveTo(left, at);
    ctx.lineTo(right, at);
    ctx.stroke();
    ctx.fillText(text, labels - 6, at);
  }
  ctx.textBaseline = "top";
  ctx.textAlign = "center";
  const room = (right - left) / Math.max(xTicks.length, 1);
  for (const { at, text } of xTicks) ctx.fillText(fitted(ctx, text, room - 4), at, bottom + 5);
}

function fitted(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  let end = Math.min(text.length, 40);
  while (end > 1 && ctx.measureText(`${text.slice(0, end)}…`).width > room) end--;
  return `${text.slice(0, end)}…`;
}

// Squares of one colour after the other. They are set in an image that is drawn once: a call for
// each of ten thousand points on every chart is too slow to follow a selection.
function drawPoints(ctx, points, size) {
  const { width, height } = ctx.canvas;
  const ratio = ctx.getTransform().a;
  const side = Math.max(Math.round(size * ratio), 1);
  const image = ctx.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (const [fill, at] of points) {
    const value = pixelOf(fill);
    for (let k = 0; k < at.length; k += 2) {
      const left = Math.round(at[k] * ratio - side / 2);
      const top = Math.round(at[k + 1] * ratio - side / 2);
      const [right, foot] = [Math.min(left + side, width), Math.min(top + side, height)];
      for (let y = Math.max(top, 0); y < foot; y++) {
        for (let x = Math.max(left, 0); x < right; x++) pixels[y * width + x] = value;
      }
    }
  }
  const layer = element("canvas", { width, height });
  layer.getContext("2d").putImageData(image, 0, 0);
  ctx.drawImage(layer, 0, 0, width / ratio, height / ratio);
}

const pixelValues = new Map();

// A colour as one pixel of an image.
function pixelOf(fill) {
  if (!pixelValues.has(fill)) {
    const ctx = element("canvas", { width: 1, height: 1 }).getContext("2d");
    ctx.fillStyle = fill;
    ctx.fillRect(0, 0, 1, 1);
    pixelValues.set(fill, new Uint32Array(ctx.getImageData(0, 0, 1, 1).data.buffer)[0]);
  }
  return pixelValues.get(fill);
}

function drawRing(ctx, x, y) {
  ctx.strokeStyle = colour("--ink");
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.arc(x, y, 6, 0, 2 * Math.PI);
  ctx.stroke();
}

function drawRange(ctx, x, y, w, h) {
  ctx.fillStyle = colour("--brush");
  ctx.fillRect(x, y, w, h);
}

function pointSize(n) {
  return n > 5000 ? 2 : n > 500 ? 3 : 5;
}

function nearestPoint(n, at, x, y, reach = 14) {
  let best = -1;
  let least = reach * reach;
  for (let i = 0; i < n; i++) {
    const point = at(i);
    if (!point) continue;
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best;
}
