// Who speaks a script, and in which language.
import { api } from "./api.js";
import { fill, h, notice } from "./dom.js";
import { change, draft, watch } from "./draft.js";
import { languages } from "./languages.js";
import { language as own, languageName, t } from "./words.js";

let known = null;
/** All voices: [{name, engine, languages, ready}]. */
function voices() {
  const flat = (groups) => groups.flatMap(({ names, engine, languages, state }) => names.map((name) => ({ name, engine, languages, ready: state === "ready" })));
  known ??= api("GET", "/voices").then(flat);
  known.catch(() => (known = null));
  return known;
}

// The first letter of a Kokoro voice says which language it grew up with.
const GROWN = { a: "en-us", b: "en-gb", e: "es", f: "fr", h: "hi", i: "it", j: "ja", p: "pt-br", z: "cmn" };

/** How well a voice suits a language: less is better. */
function rank({ name, ready }, code) {
  const [engine, speaker] = name.split(":"), own = engine === "kokoro" ? GROWN[speaker?.[0]] : null;
  const foreign = own && own.split("-")[0] !== code.split("-")[0] ? 4 : own && own !== code ? 0.5 : 0;
  return 2 * !ready + foreign + (engine === "espeak" ? (speaker ? 6 : 1) : 0);
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
    return all.filter((voice) => speaks(voice, code)).sort((a, b) => rank(a, code) - rank(b, code));
  };
  const draw = () => {
    const found = able(draft.language);
    const shown = ({ name }) => {
      const own = name.split(":").pop().replaceAll("_", " ");
      return name.startsWith("kokoro:") ? own.replace(/^[a-z]{2} ([a-z])/, (_, first) => first.toUpperCase()) : own;
    };
    const option = (voice) => h("option", { value: voice.name }, voice.ready ? shown(voice) : t("voice.fetched", { name: shown(voice) }));
    const good = found.filter((voice) => rank(voice, draft.language) < 4), engines = [...new Set(found.map((voice) => voice.engine))];
    const group = (label, some) => some.length > 0 && h("optgroup", { label }, ...some.map(option));
    fill(
      select,
      ...engines.map((engine) => group(engine, good.filter((voice) => voice.engine === engine))),
      ...engines.map((engine) => group(t("voice.others", { engine }), found.filter((voice) => voice.engine === engine && !good.includes(voice)))),
    );
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
