// What is being prepared: kept in the browser, so that a reload loses nothing.
const KEPT = "labial.draft";

const fresh = () => ({
  source: null, look: null, task: "dub", speaker: "auto", trim: null, mode: "tracks", speeches: [],
  text: "", voice: "", language: "", quality: "standard", options: {}, report: false, container: "", previews: {},
});

function load() {
  try {
    return { ...fresh(), ...JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return fresh();
  }
}

export const draft = load();
const told = new Set();

/** Change some fields, keep them, and tell who watches. */
export function change(fields) {
  Object.assign(draft, fields);
  sessionStorage.setItem(KEPT, JSON.stringify(draft));
  // One of them may end others.
  for (const tell of [...told]) if (told.has(tell)) tell(new Set(Object.keys(fields)));
}

/** Begin anew. */
export const clear = () => change(fresh());

/** Call `tell(names)` after changes of any of the fields named, until `signal` aborts. */
export function watch(fields, tell, signal) {
  const each = (names) => fields.some((field) => names.has(field)) && tell();
  told.add(each);
  signal.addEventListener("abort", () => told.delete(each));
}

/** Files of this page's own, by upload: they play without a download. */
export const local = new Map();
