// Numbers and trials as text, and the making of elements. Text enters the page by textContent only.

function formatCount(n, noun = "trial") {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function formatNumber(value) {
  if (value === null || Number.isNaN(value)) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(3);
  return String(Number(value.toPrecision(6)));
}

function formatTick(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(0).replace("+", "");
  return String(Number(value.toPrecision(4)));
}

function formatValue(column, value) {
  if (Number.isNaN(value)) return "";
  return column.options.length ? column.options[value] ?? String(value) : formatNumber(value);
}

function describe(study, i) {
  const parts = [`trial ${study.id[i]}`, study.statuses[study.status[i]]];
  if (!Number.isNaN(study.loss[i])) parts.push(`loss ${formatNumber(study.loss[i])}`);
  if (!Number.isNaN(study.seconds.value[i])) {
    parts.push(`${formatNumber(study.seconds.value[i])} s`);
  }
  for (const each of study.parameters.slice(0, 12)) {
    const shown = formatValue(each, each.value[i]);
    if (shown) parts.push(`${each.label} = ${shown}`);
  }
  return parts.join(", ");
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
