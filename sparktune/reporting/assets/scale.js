// An axis maps values of a column to places from 0 to 1 and back, and knows its ticks.

function axisOf(column, end = Infinity) {
  if (column.options.length) return optionAxis(column.options);
  let low = Infinity;
  let high = -Infinity;
  for (const value of column.value) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) [low, high] = [0, 1];
  high = Math.min(high, end);
  return numberAxis(low, high, column.log && low > 0, column.whole);
}

function numberAxis(low, high, log, whole) {
  const forth = log ? Math.log10 : (x) => x;
  const back = log ? (x) => 10 ** x : (x) => x;
  let [a, b] = [forth(low), forth(high)];
  const margin = 0.04 * (b - a) || Math.abs(a) * 0.1 || 1;
  [a, b] = [a - margin, b + margin];
  return {
    low,
    high,
    place: (value) => (Math.min(forth(value), b) - a) / (b - a),
    value: (place) => back(a + place * (b - a)),
    ticks: (most) => (log && b - a > 1 ? decades(a, b, most) : steps(back(a), back(b), most, whole)),
  };
}

function optionAxis(options) {
  const n = options.length;
  return {
    low: 0,
    high: n - 1,
    place: (value) => (value + 0.5) / n,
    value: (place) => place * n - 0.5,
    ticks: () => options.map((text, i) => ({ value: i, text })),
  };
}

function steps(low, high, most, whole) {
  let step = 10 ** Math.floor(Math.log10((high - low) / most));
  step *= [1, 2, 5, 10].find((m) => (high - low) / (step * m) <= most) ?? 10;
  if (whole) step = Math.max(1, Math.round(step));
  const ticks = [];
  const first = Math.ceil(low / step);
  for (let i = 0; i < 20 && (first + i) * step <= high; i++) {
    const value = Number(((first + i) * step).toPrecision(12));
    ticks.push({ value, text: formatTick(value) });
  }
  return ticks;
}

function decades(a, b, most) {
  const every = Math.max(1, Math.ceil((b - a) / most));
  const ticks = [];
  for (let power = Math.ceil(a); power <= b; power += every) {
    ticks.push({ value: 10 ** power, text: formatTick(10 ** power) });
  }
  return ticks;
}
