// Who speaks a script, and in which language.
import { api } from "./api.js";
import { fill, h, notice } from "./dom.js";
import { change, draft, watch } from "./draft.js";
import { languages } from "./languages.js";
import { language as own, languageName, t } from "./words.js";

let known = null;
/** All voices: [{name, languages, ready}]. */
function voices() {
  const flat = (groups) => groups.flatMap(({ names, languages, state }) => names.map((name) => ({ name, languages, ready: state === "ready" })));
  known ??= api("GET", "/voices").then(flat);
  known.catch(() => (known = null));
  return known;
}

/** Two fields: the language, and the voices that speak it. */
export function voiceFields(signal) {
  const place = h("div", { class: "pair" }, h("p", { class: "soft small" }, t("voice.loading")));
  voices().then((all) => signal.aborted || fields(place, all, signal), (error) => fill(place, notice("problem", error.message)));
  return place;
}

function fields(place, all, signal) {
  const codes = [...new Set(all.flatMap((voice) => voice.languages))].filter((code) => /^[a-z]{2,3}(-[a-z]{2})?$/.test(code) && languageName(code) !== code);
  const nearest = (code) => codes.find((each) => each === code) ?? codes.find((each) => each.startsWith(`${code}-`) || code.startsWith(`${each}-`));
  const first = nearest(draft.language || navigator.language.toLowerCase()) ?? nearest(own) ?? codes[0];
  const select = h("select", { onchange: () => change({ voice: select.value, previews: {} }) });
  const speaks = (voice, code) => voice.languages.some((each) => each === code);
  const able = (code) => {
    const found = all.filter((voice) => speaks(voice, code));
    // Those at hand first, and of them those that sound better than a formant synthesiser.
    const rank = (voice) => 2 * !voice.ready + (voice.name.startsWith("espeak") ? 1 : 0);
    return found.sort((a, b) => rank(a) - rank(b));
  };
  const draw = () => {
    const found = able(draft.language);
    fill(select, ...found.map((voice) => h("option", { value: voice.name }, voice.ready ? voice.name : t("voice.fetched", { name: voice.name }))));
    const kept = found.find((voice) => voice.name === draft.voice) ?? found[0];
    select.value = kept?.name ?? "";
    if (kept && kept.name !== draft.voice) change({ voice: kept.name });
  };
  const choice = languages(first, (code) => (change({ language: code, previews: {} }), draw()), { codes });
  if (draft.language !== first) change({ language: first });
  watch(["language"], () => (choice.value = draft.language), signal);
  draw();
  fill(place, h("label", { class: "field" }, h("span", {}, t("voice.language")), choice), h("label", { class: "field" }, h("span", {}, t("voice.label")), select));
}
