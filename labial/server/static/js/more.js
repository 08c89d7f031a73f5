// All other options: a form made of what GET /v1/kinds says, so that none is written twice.
import { api } from "./api.js";
import { h, notice, unique } from "./dom.js";
import { change, draft } from "./draft.js";
import { PLACED } from "./request.js";
import { has, t } from "./words.js";

let known = null;
/** All kinds of jobs as forms. */
function kinds() {
  known ??= api("GET", "/kinds");
  known.catch(() => (known = null));
  return known;
}

/** The form of a kind's options, behind a summary unless it is `open`. */
export function more(task, signal, open = false) {
  const place = h("div", { class: "stack" });
  const box = h("details", { open }, h("summary", {}, t(open ? "more.title" : "more.all")), place);
  kinds().then(
    (all) => signal.aborted || place.replaceChildren(form(all.find((kind) => kind.name === task), task)),
    (error) => place.replaceChildren(notice("problem", error.message)),
  );
  return box;
}

// Where an option is looked for; whatever is not named here is found under the last heading.
const GROUPS = {
  mouth: "articulation expression closures rest onset motion adapt_seconds seed".split(" "),
  sound: "sync_mode stretch_audio speech_at denoise keep_background loudness keep_audio".split(" "),
  file: [],
};
const groupOf = (name) => Object.keys(GROUPS).find((group) => GROUPS[group].includes(name)) ?? "file";

function form(kind, task) {
  const placed = ["dub", "animate"].includes(task) ? PLACED : new Set();
  const options = kind.options.filter((option) => !placed.has(option.name));
  const general = h("div", { class: "options" }, kind.report && report(), kind.containers.length > 0 && container(kind.containers));
  if (options.length < 8) return h("div", { class: "stack" }, general, h("div", { class: "options" }, ...options.map((option) => field(option, task))));
  const groups = Object.keys(GROUPS).map((group) => {
    const mine = options.filter((option) => groupOf(option.name) === group).map((option) => field(option, task));
    return h("details", {}, h("summary", {}, t(`more.group.${group}`)), h("div", { class: "options" }, ...mine));
  });
  return h("div", {}, general, ...groups);
}

const title = (name) => (has(`option.${name}`) ? t(`option.${name}`) : name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase()));
// The help is that of the command line, where options begin with two hyphens.
const plain = (help) => help.replace(/--(?=[a-z])/g, "");

function described(label, element, help) {
  const id = unique("help");
  element.setAttribute("aria-describedby", id);
  return h("div", { class: "field" }, h("label", { class: "name", for: (element.id = unique("option")) }, label), element, h("span", { class: "help", id }, help));
}

function ticked(label, value, set, help) {
  const id = unique("help");
  const element = h("input", { type: "checkbox", checked: value, "aria-describedby": id, onchange: () => set(element.checked) });
  return h("div", { class: "field" }, h("label", { class: "tick" }, element, label), h("span", { class: "help", id }, help));
}

const report = () => ticked(t("more.report"), draft.report, (value) => change({ report: value }), t("more.report.help"));

function container(all) {
  const select = h("select", { onchange: () => change({ container: select.value }) }, h("option", { value: "" }, t("more.source")), ...all.map((each) => h("option", { value: each }, `.${each}`)));
  select.value = draft.container;
  return described(t("more.container"), select, t("more.container.help"));
}

function field(option, task) {
  const { name, type, choices, nullable, minimum, maximum, help } = option;
  const now = draft.options[task]?.[name] ?? option.default;
  const set = (value) => {
    const { [name]: _, ...others } = draft.options[task] ?? {};
    const same = value === null || JSON.stringify(value) === JSON.stringify(option.default);
    change({ options: { ...draft.options, [task]: same ? others : { ...others, [name]: value } }, previews: {} });
  };
  if (type === "boolean") return ticked(title(name), now, set, plain(help));
  let element;
  if (type === "choice") {
    element = h("select", { onchange: () => set(element.value || null) }, nullable && h("option", { value: "" }, t("more.default")), ...choices.map((each) => h("option", { value: each }, each)));
    element.value = now ?? "";
  } else if ((type === "number" || type === "integer") && !choices.length) {
    element = h("input", { type: "number", inputMode: "decimal", step: type === "integer" ? "1" : "any", min: minimum ?? "", max: maximum ?? "", placeholder: t("more.default"), value: now ?? "", onchange: () => {
      element.setAttribute("aria-invalid", String(!element.checkValidity()));
      set(element.value === "" ? null : element.valueAsNumber);
    } });
  } else {
    const parsed = (text) => (type === "list" ? text.split(",").map((each) => each.trim()).filter(Boolean) : text && type !== "text" && Number.isFinite(Number(text)) ? Number(text) : text || null);
    element = h(name === "text" ? "textarea" : "input", { placeholder: type === "list" ? t("more.list") : t("more.default"), value: Array.isArray(now) ? now.join(", ") : String(now ?? ""), onchange: () => set(parsed(element.value)) });
  }
  return described(title(name), element, plain(help));
}
