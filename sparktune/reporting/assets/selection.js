// Which trials are selected, and which one is looked at. All charts and the table of a study share
// one selection and one choice of colours; each is told when these change.
//
// A range of a column: {low, high, inactive}; `inactive` tells whether trials in which the
// parameter is inactive belong to it.

class Selection {
  constructor(study) {
    this.study = study;
    this.ranges = new Map();
    this.status = -1;
    this.text = "";
    this.colouring = null; // null: each chart has its own
    this.chosen = new Uint8Array(study.n).fill(1);
    this.count = study.n;
    this.focus = -1;
    this.onChange = [];
    this.onFocus = [];
    this.onColours = [];
  }

  get active() {
    return this.ranges.size > 0 || this.status >= 0 || this.text !== "";
  }

  setRange(column, range) {
    if (range) this.ranges.set(column, range);
    else this.ranges.delete(column);
    this.update();
  }

  setStatus(code) {
    this.status = code;
    this.update();
  }

  // Select trials in whose text this one occurs; "" selects all.
  setText(text) {
    const wanted = comparable(text.trim());
    if (wanted === this.text) return;
    this.text = wanted;
    this.update();
  }

  setColouring(colouring) {
    this.colouring = colouring;
    for (const tell of this.onColours) tell();
  }

  clear() {
    this.ranges.clear();
    this.status = -1;
    this.text = "";
    this.update();
  }

  setFocus(i) {
    if (i === this.focus) return;
    this.focus = i;
    for (const tell of this.onFocus) tell();
  }

  update() {
    const { study, chosen } = this;
    const texts = this.text && textsOf(study);
    this.count = 0;
    for (let i = 0; i < study.n; i++) {
      let inside = this.status < 0 || study.status[i] === this.status;
      if (texts && !texts[i].includes(this.text)) inside = false;
      for (const [column, range] of this.ranges) {
        if (!inside) break;
        const value = column.value[i];
        inside = Number.isNaN(value)
          ? range.inactive
          : value >= range.low && value <= range.high;
      }
      chosen[i] = inside ? 1 : 0;
      this.count += chosen[i];
    }
    for (const tell of this.onChange) tell();
  }
}

// What the search looks through, made when it is first used: id, status, loss, active parameters and
// the failure of each trial.
function textsOf(study) {
  study.texts ??= Array.from({ length: study.n }, (_, i) => {
    const active = study.parameters.filter((column) => !Number.isNaN(column.value[i]));
    return comparable([
      `trial ${study.id[i]}`,
      study.statuses[study.status[i]],
      ...[study.losses, ...active].map((column) => `${column.label} = ${formatValue(column, column.value[i])}`),
      study.messages[study.cause[i]] ?? "",
    ].join("\n"));
  });
  return study.texts;
}

function comparable(text) {
  return text.toLowerCase().replace(/ *= */g, "=");
}
