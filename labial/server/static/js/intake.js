// Files come in: dropped, chosen or recorded, several at a time, each with its progress.
import { announce, button, h, notice } from "./dom.js";
import { change, draft, local } from "./draft.js";
import { languageIn } from "./languages.js";
import { upload } from "./upload.js";
import { percent, t } from "./words.js";

const SCRIPTS = /\.(srt|vtt|txt|json|csv)$/i;
const MEDIA = /\.(mp4|m4v|mov|mkv|webm|avi|mxf|mts|jpe?g|png|webp|heic|wav|mp3|m4a|ogg|opus|flac|aac)$/i;
export const ACCEPT = "video/*,image/*,audio/*,.mkv,.mov,.mxf,.mts,.srt,.vtt,.txt";
export const ACCEPT_SPEECH = "audio/*,video/*,.srt,.vtt,.txt,.mka";

/** Uploads under way: all views show them, and they go on where the view changes. */
const running = new Map();
const changed = new EventTarget();

/** Take files; what each holds is for the server to say. `speech`: as what is to be said. */
export function take(files, { speech = false } = {}) {
  const order = (file) => (/^(video|image)\//.test(file.type) && !speech ? 0 : SCRIPTS.test(file.name) ? 2 : 1);
  for (const file of [...files].sort((a, b) => order(a) - order(b))) begin(file, speech);
}

async function begin(file, speech) {
  const key = `${file.name}|${file.size}|${file.lastModified}`;
  if (running.get(key)?.state && running.get(key).state !== "failed") return;
  const entry = { file, share: 0, state: "sending", reason: "", stop: new AbortController(), speech };
  const tell = (share, state) => {
    if (entry.state !== state) announce(t(`upload.${state}`, { name: file.name }));
    Object.assign(entry, { share, state });
    changed.dispatchEvent(new Event("change"));
  };
  running.set(key, entry);
  tell(0, "sending");
  try {
    if (!file.size) throw new Error(t("upload.empty", { name: file.name }));
    const found = await upload(file, tell, entry.stop.signal);
    if (/^(script|segments)$/.test(found.holds) && MEDIA.test(file.name)) throw new Error(t("upload.text"));
    local.set(found.id, URL.createObjectURL(file));
    running.delete(key);
    placed(found, speech);
  } catch (error) {
    if (error.name === "AbortError") running.delete(key);
    else {
      Object.assign(entry, { state: "failed", reason: error.message });
      announce(`${file.name}: ${error.message}`);
    }
  }
  changed.dispatchEvent(new Event("change"));
}

/** Put an upload where it belongs. */
function placed({ id, name, holds, size }, speech) {
  const given = { id, name, holds, size }, language = languageIn(name);
  const words = holds === "speech" || holds === "script" || holds === "segments";
  if (!draft.source && !speech) {
    const task = { photo: "animate", speech: "visemes" }[holds] ?? "dub";
    if (words && holds !== "speech") change({ speeches: [...draft.speeches, { ...given, language }] });
    else change({ source: given, task, trim: null, speaker: "auto", previews: {} });
  } else if (draft.source?.holds === "speech" && !words) {
    // A voice came first: it is what the face is to say.
    const voice = { ...draft.source, language: languageIn(draft.source.name) };
    change({ source: given, task: holds === "photo" ? "animate" : "dub", speeches: [voice, ...draft.speeches] });
  } else if (words || speech) {
    change({ speeches: [...draft.speeches, { ...given, language }], mode: "tracks", previews: {} });
  } else {
    change({ source: given, task: holds === "photo" ? "animate" : "dub", trim: null, speaker: "auto", previews: {} });
  }
}

/** A list of what is coming in; `speech` tells which of both kinds. */
export function incoming(speech, signal) {
  const list = h("ul", { class: "uploads", "aria-label": t("upload.list") });
  const draw = () => {
    const mine = [...running].filter(([, entry]) => entry.speech === speech || speech === null);
    list.hidden = !mine.length;
    for (const row of [...list.children]) if (!mine.some(([key]) => key === row.dataset.key)) row.remove();
    for (const [key, entry] of mine) {
      let row = [...list.children].find((each) => each.dataset.key === key);
      const state = `${entry.state}|${entry.reason}`;
      if (row?.dataset.state !== state) {
        const made = h("li", { class: "upload", "data-key": key, "data-state": state }, ...shown(key, entry));
        if (row) row.replaceWith(made);
        else list.append(made);
        row = made;
      }
      const bar = row.querySelector("progress"), part = row.querySelector(".part");
      if (bar && entry.state !== "checking") bar.value = entry.share;
      if (part && entry.state === "sending") part.textContent = percent(entry.share);
    }
  };
  changed.addEventListener("change", draw, { signal });
  draw();
  return list;
}

function shown(key, entry) {
  const { file, state } = entry, own = `${file.name}: `;
  const reason = entry.reason.startsWith(own) ? entry.reason.slice(own.length) : entry.reason;
  if (state === "failed") {
    const drop = () => (running.delete(key), changed.dispatchEvent(new Event("change")));
    const again = () => (drop(), begin(file, entry.speech));
    return [notice("problem", t("upload.failed", { name: file.name, reason }), h("div", { class: "row" }, button(t("again"), again, { sign: "again" }), button(t("close"), drop, { kind: "plain" })))];
  }
  const words = { sending: "", waiting: t("upload.resumes"), checking: t("upload.looks") }[state];
  return [
    h("span", { class: "name" }, file.name),
    h("span", { class: "row tight" }, h("span", { class: "soft small digits part" }, words), button(t("upload.stop", { name: file.name }), () => entry.stop.abort(), { sign: "close", only: true })),
    h("progress", { max: "1", "aria-label": file.name, ...(state === "checking" ? {} : { value: String(entry.share) }) }),
  ];
}

/** A button that opens the chooser of files, and takes what was chosen. */
export function chooser(words, { accept, speech = false, kind = "", sign = "file" }) {
  const field = h("input", { type: "file", accept, multiple: true, hidden: true, tabIndex: -1, "aria-label": words });
  field.addEventListener("change", () => {
    take(field.files, { speech });
    field.value = "";
  });
  return h("span", { class: "choose" }, field, button(words, () => field.click(), { kind, sign }));
}

/** Whatever is dropped on an element is taken. */
export function droppable(element, { speech = false, signal }) {
  let inside = 0;
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const on = (name, act) => element.addEventListener(name, (event) => files(event) && (event.preventDefault(), event.stopPropagation(), act(event)), { signal });
  on("dragenter", () => (inside++, element.classList.add("over")));
  on("dragleave", () => --inside || element.classList.remove("over"));
  on("dragover", (event) => (event.dataTransfer.dropEffect = "copy"));
  on("drop", (event) => {
    inside = 0;
    element.classList.remove("over");
    take(event.dataTransfer.files, { speech });
  });
  return element;
}

