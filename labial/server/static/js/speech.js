// What is to be said: voice tracks, each with its language, or a script that a voice speaks.
import { content } from "./api.js";
import { findings } from "./advice.js";
import { button, fill, h, icon, notice, unique } from "./dom.js";
import { change, draft, local, watch } from "./draft.js";
import { ACCEPT_SPEECH, chooser, droppable, incoming, take } from "./intake.js";
import { languages } from "./languages.js";
import { lookAgain, lookAt } from "./look.js";
import { canRecord, record } from "./record.js";
import { needsVoice } from "./request.js";
import { voiceFields } from "./voices.js";
import { duration, t } from "./words.js";
import { wave } from "./wave.js";

/** The card of the new speech. */
export function speech(number, signal) {
  const name = unique("mode");
  const mode = (value, words) => {
    const field = h("input", { type: "radio", name, value, checked: draft.mode === value, onchange: () => change({ mode: value, previews: {} }) });
    return h("label", {}, field, h("span", {}, words));
  };
  const tracks = tracked(signal), script = written(signal), voice = h("div", { class: "pair" });
  const shown = () => {
    tracks.hidden = draft.mode !== "tracks";
    script.hidden = draft.mode !== "script";
    voice.hidden = !needsVoice(draft);
    if (!voice.hidden && !voice.children.length) fill(voice, voiceFields(signal));
  };
  watch(["mode", "speeches", "task"], shown, signal);
  shown();
  const card = h(
    "section",
    { class: "card", "aria-labelledby": "speech-title" },
    h("header", {}, h("h2", { id: "speech-title", class: "row" }, h("span", { class: "num", "aria-hidden": "true" }, number), t("speech.title"))),
    h("div", { class: "segments", role: "radiogroup", "aria-labelledby": "speech-title" }, mode("tracks", t("speech.tracks")), mode("script", t("speech.script"))),
    tracks,
    script,
    voice,
  );
  return droppable(card, { speech: true, signal });
}

function tracked(signal) {
  const list = h("ul", { class: "stack", "aria-label": t("speech.tracks") });
  const rows = new Map();
  const several = () => draft.speeches.filter((each) => each.holds !== "segments").length > 1;
  const draw = () => {
    for (const [id, row] of rows) {
      if (draft.speeches.some((each) => each.id === id)) continue;
      row.leave.abort();
      rows.delete(id);
    }
    for (const each of draft.speeches) if (!rows.has(each.id)) rows.set(each.id, track(each, signal));
    list.hidden = !draft.speeches.length;
    fill(list, ...draft.speeches.map((each) => rows.get(each.id).element));
    for (const [k, each] of draft.speeches.entries()) rows.get(each.id).many(several(), k);
  };
  let count = draft.speeches.length;
  // A change of one row's language must not take the focus from it.
  watch(["speeches"], () => (draft.speeches.length !== count ? ((count = draft.speeches.length), draw()) : [...rows].forEach(([, row], k) => row.many(several(), k))), signal);
  draw();
  return h(
    "div",
    { class: "stack" },
    list,
    incoming(true, signal),
    h(
      "div",
      { class: "row" },
      chooser(t("speech.add"), { accept: ACCEPT_SPEECH, speech: true, sign: "plus" }),
      canRecord() && button(t("speech.record"), async () => {
        const file = await record("audio");
        if (file) take([file], { speech: true });
      }, { sign: "mic" }),
    ),
    h("p", { class: "soft small" }, t(`speech.help.${draft.task}`)),
  );
}

/** One voice track: its sound, its language, what was found in it. */
function track(given, above) {
  const leave = new AbortController();
  above.addEventListener("abort", () => leave.abort());
  const { signal } = leave, { id, name, holds } = given;
  const below = h("div", { class: "stack" });
  const language = languages(given.language, (code) => {
    change({ speeches: draft.speeches.map((each) => (each.id === id ? { ...each, language: code } : each)), previews: {} });
  }, { none: t("speech.unsaid") });
  const remove = () => change({ speeches: draft.speeches.filter((each) => each.id !== id), previews: {} });
  const head = h("div", { class: "row" }, h("span", { class: "name" }, name), button(t("speech.remove", { name }), remove, { sign: "bin", only: true }));
  const label = h("label", { class: "field" }, h("span", {}, t("speech.language")), language);
  const element = h("li", { class: "voice" }, head, below, holds === "segments" ? null : label);
  if (holds === "script" || holds === "segments") fill(below, h("p", { class: "soft small" }, t(`speech.is.${holds}`)));
  else heard();
  function heard() {
    fill(below, h("p", { class: "row soft small" }, h("span", { class: "spin" }), t("speech.listening")));
    lookAt(id, () => {}, signal).then((job) => listened(job.result.facts), (error) => {
      if (error.name === "AbortError" || signal.aborted) return;
      const again = button(t("again"), () => (lookAgain(id), heard()), { sign: "again" });
      fill(below, notice("problem", error.message, h("div", { class: "row" }, again)));
    });
  }
  function listened(facts) {
    const sound = h("audio", { src: local.get(id) ?? content(id), preload: "metadata", "aria-label": name });
    const play = button(t("speech.play", { name }), () => (sound.paused ? sound.play() : sound.pause()), { sign: "play", only: true });
    const named = () => {
      const words = t(sound.paused ? "speech.play" : "speech.pause", { name });
      fill(play, icon(sound.paused ? "play" : "pause"));
      play.setAttribute("aria-label", words);
      play.title = words;
    };
    for (const event of ["play", "pause"]) sound.addEventListener(event, named);
    signal.addEventListener("abort", () => sound.pause());
    head.prepend(play);
    const longer = h("div", {});
    const measured = async () => {
      const { source, trim, task, options } = draft;
      const whole = task === "dub" && source?.holds === "video" ? await lookAt(source.id, () => {}, signal).then((job) => job.result.facts.media.seconds, () => 0) : 0;
      const room = trim ? trim[1] - trim[0] : whole, kept = ["silence", "cut_off"].includes(options.dub?.sync_mode ?? "silence");
      const told = whole > 0 && kept && facts.media.seconds > room + 0.5;
      fill(longer, told && notice("hint", t("speech.longer", { length: duration(facts.media.seconds), whole: duration(room) })));
    };
    watch(["source", "trim", "task", "options"], measured, signal);
    measured();
    const bad = facts.findings.filter((each) => each.severity === "problem" || each.severity === "warning");
    fill(below, sound, wave(facts, { player: sound, signal }), h("p", { class: "soft small" }, t("speech.heard", { length: duration(facts.media.seconds), count: facts.phones.length })), longer, bad.length > 0 && findings(bad, (at) => (sound.currentTime = at)));
  }
  const many = (several, k) => {
    const now = draft.speeches[k];
    const bare = holds !== "segments" && several && (!now?.language || draft.speeches.filter((each) => each.language === now.language).length > 1);
    // One script is spoken in the language that is chosen with its voice.
    label.hidden = holds === "script" && !several;
    language.setAttribute("aria-invalid", String(Boolean(bare)));
  };
  return { element, leave, many };
}

function written(signal) {
  const field = h("textarea", { value: draft.text, rows: "6", placeholder: t("script.example"), oninput: () => change({ text: field.value, previews: {} }) });
  const size = h("p", { class: "soft small" });
  const count = () => {
    const words = draft.text.trim().split(/\s+/).filter(Boolean).length;
    // People speak about 150 words a minute.
    size.textContent = words ? t("script.length", { count: words, length: duration(words / 2.5) }) : t("script.help");
  };
  watch(["text"], count, signal);
  count();
  return h("div", { class: "stack" }, h("label", { class: "field" }, h("span", {}, t("script.label")), field), size);
}
