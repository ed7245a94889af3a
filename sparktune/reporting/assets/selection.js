// Which trials are selected, and which one is looked at. All charts and the table of a study share
// one selection; each is told when it changes.
//
// A range of a column: {low, high, inactive}; `inactive` tells whether trials in which the
// parameter is inactive belong to it.

class Selection {
  constructor(study) {
    this.study = study;
    this.ranges = new Map();
    this.status = -1;
    this.chosen = new Uint8Array(study.n).fill(1);
    this.count = study.n;
    this.focus = -1;
    this.onChange = [];
    this.onFocus = [];
  }

  get active() {
    return this.ranges.size > 0 || this.status >= 0;
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

  clear() {
    this.ranges.clear();
    this.status = -1;
    this.update();
  }

  setFocus(i) {
    if (i === this.focus) return;
    this.focus = i;
    for (const tell of this.onFocus) tell();
  }

  update() {
    const { study, chosen } = this;
    this.count = 0;
    for (let i = 0; i < study.n; i++) {
      let inside = this.status < 0 || study.status[i] === this.status;
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
