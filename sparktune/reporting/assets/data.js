// The studies of the page as typed arrays. Row i of every column is one trial.
//
// A column: {label, value, log, whole, options}, value NaN where a parameter is inactive.

const ARRAYS = { f8: Float64Array, f4: Float32Array, i2: Int16Array };

function unpack(packed) {
  const [[kind, text]] = Object.entries(packed);
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new ARRAYS[kind](bytes.buffer);
}

function readStudies() {
  const content = JSON.parse(document.getElementById("data").textContent);
  return content.studies.map(readStudy);
}

function readStudy(packed) {
  const study = { ...packed };
  for (const name of ["status", "loss", "begin", "end", "lane", "cause"]) {
    study[name] = unpack(packed[name]);
  }
  study.n = study.loss.length;
  study.id = Array.isArray(packed.id) ? packed.id : Array.from({ length: study.n }, (_, i) => i);
  study.parameters = packed.parameters.map((each) => ({ ...each, value: unpack(each.value) }));
  const plain = { log: false, whole: false, options: [] };
  const order = Float64Array.from({ length: study.n }, (_, i) => i);
  const seconds = Float64Array.from(order, (i) => study.end[i] - study.begin[i]);
  study.order = { ...plain, label: "trial", whole: true, value: order };
  study.losses = { ...plain, label: "loss", value: study.loss };
  study.seconds = { ...plain, label: "seconds", value: seconds };
  return study;
}

function isFailure(study, i) {
  const name = study.statuses[study.status[i]];
  return Number.isNaN(study.loss[i]) && name !== "new" && name !== "running";
}
