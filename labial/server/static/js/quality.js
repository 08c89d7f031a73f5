// How much work goes into the mouth, and how it looks: three seconds of it, side by side.
import { api, file, finished, submit } from "./api.js";
import { announce, button, fill, h, unique } from "./dom.js";
import { change, draft, watch } from "./draft.js";
import { boxAt, lookAt, meant, speaksAt } from "./look.js";
import { body, missing, previewBody } from "./request.js";
import { duration, percent, t } from "./words.js";

const SECONDS = 3;
/** Jobs that are only looked at here; the list of jobs leaves them out. */
export const previews = () => new Set(JSON.parse(localStorage.getItem("labial.previews") ?? "[]"));
const hide = (id) => localStorage.setItem("labial.previews", JSON.stringify([...previews(), id].slice(-300)));

/** The card of the qualities. `source()` is the look's facts, `video` what is played. */
export function quality(number, source, video, signal) {
  const names = draft.task === "animate" ? ["fast", "standard"] : ["fast", "standard", "pro"];
  const name = unique("quality");
  const tiles = names.map((each) => tile(each, name, source, signal));
  const where = h("select", { "aria-label": t("preview.where") }, h("option", { value: "best" }, t("preview.best")), h("option", { value: "here" }, t("preview.here")));
  const make = async (all) => {
    const at = await place(source(), where.value === "here" ? video?.currentTime : null);
    for (const each of tiles) if (all || each.name === draft.quality) await each.preview(at);
  };
  const one = button(t("preview.make"), () => make(false), { sign: "play" });
  const every = button(t("preview.compare"), () => make(true), { kind: "plain" });
  const able = () => [one, every].forEach((each) => (each.disabled = Boolean(missing(draft))));
  watch(["speeches", "text", "mode", "source"], able, signal);
  able();
  estimates(tiles, signal);
  return h(
    "section",
    { class: "card", "aria-labelledby": "quality-title" },
    h("header", {}, h("h2", { id: "quality-title", class: "row" }, h("span", { class: "num", "aria-hidden": "true" }, number), t("quality.title"))),
    h("div", { class: "qualities", role: "radiogroup", "aria-labelledby": "quality-title" }, ...tiles.map((each) => each.element)),
    draft.task === "dub" && h("div", { class: "row" }, one, h("div", {}, where), every),
    draft.task === "dub" && h("p", { class: "soft small" }, t("preview.help")),
  );
}

function tile(name, group, source, signal) {
  const field = h("input", { type: "radio", name: group, value: name, checked: draft.quality === name, onchange: () => change({ quality: name }) });
  const time = h("span", { class: "soft small digits" }), mouth = h("div", { class: "mouth", hidden: true });
  const element = h("label", { class: "quality" }, field, mouth, h("span", { class: "text" }, h("b", {}, t(`quality.${name}`)), h("span", { class: "soft small" }, t(`quality.${name}.about`)), time));
  let busy = null;
  const wait = (words) => fill(mouth, h("span", { class: "wait" }, h("span", { class: "spin" }), words));
  const show = async ({ id, from }) => {
    busy?.abort();
    busy = new AbortController();
    signal.addEventListener("abort", () => busy.abort());
    mouth.hidden = false;
    wait(t("preview.waits"));
    try {
      await finished(id, busy.signal, (job) => job.state === "running" && wait(percent(job.progress?.share ?? 0)));
      fill(mouth, looped(file(id, "output"), source(), from, name, busy.signal));
      announce(t("preview.done", { name: t(`quality.${name}`) }));
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(mouth, h("span", { class: "wait" }, error.message));
      announce(error.message);
    }
  };
  const shown = () => {
    const made = draft.previews[name];
    if (made) return show(made);
    busy?.abort();
    mouth.hidden = true;
    fill(mouth);
  };
  watch(["previews"], () => draft.previews[name]?.id !== shown.id && ((shown.id = draft.previews[name]?.id), shown()), signal);
  if (draft.previews[name]) ((shown.id = draft.previews[name].id), shown());
  const preview = async ([from, to]) => {
    if (draft.previews[name]?.from === from) return;
    mouth.hidden = false;
    wait(t("preview.waits"));
    try {
      const asked = previewBody(draft, name, from, to);
      const job = await submit(asked, `preview-${await digest(asked)}`);
      hide(job.id);
      change({ previews: { ...draft.previews, [name]: { id: job.id, from } } });
    } catch (error) {
      fill(mouth, h("span", { class: "wait" }, error.message));
      announce(error.message);
    }
  };
  return { name, element, time, preview };
}

/** The same preview is the same job; the quality of the hash does not matter. */
function digest(asked) {
  const text = JSON.stringify(asked);
  let a = 0x811c9dc5, b = 0x1b873593;
  for (let k = 0; k < text.length; k++) {
    a = Math.imul(a ^ text.charCodeAt(k), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(k), 0x85ebca6b) + k;
  }
  return `${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`;
}

/** Three seconds in which the mouth is well seen, and speaks. */
async function place(facts, here) {
  const [begin, end] = draft.trim ?? [0, facts?.media.seconds ?? SECONDS];
  const last = Math.max(begin, end - SECONDS);
  const at = (from) => [Math.max(0, from), Math.min(Math.max(0, from) + SECONDS, end)];
  if (here !== null && here !== undefined) return at(Math.min(Math.max(here - SECONDS / 2, begin), last));
  const [voice] = draft.mode === "tracks" ? draft.speeches : [];
  const heard = voice?.holds === "speech" ? await lookAt(voice.id).then((job) => job.result.facts.voiced, () => []) : [];
  const person = meant(facts, draft.speaker);
  const score = (from) => {
    let sum = 0;
    for (let now = from + 0.15; now < from + SECONDS; now += 0.3) {
      const said = heard.some(([a, b]) => a <= now - begin && now - begin < b);
      sum += (person && boxAt(person, now) ? 2 : 0) + (person && speaksAt(person, now) ? 1 : 0) + (said ? 1.5 : 0);
    }
    return sum;
  };
  let best = begin, most = -1;
  for (let from = begin; from <= last && from < begin + 600; from += 0.5) {
    const now = score(from);
    if (now > most + 1e-6) [best, most] = [from, now];
  }
  return at(best);
}

/** A loop of the mouth, which stays in the middle as the head moves. */
function looped(address, facts, from, name, signal) {
  const video = h("video", { src: address, loop: true, muted: true, autoplay: true, playsInline: true, "aria-label": t("preview.label", { name: t(`quality.${name}`) }) });
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) video.autoplay = false;
  const person = meant(facts, draft.speaker), { width, height } = facts?.media ?? {};
  const zoom = () => {
    const box = person && (boxAt(person, from + video.currentTime) ?? person.box);
    if (box) {
      const [left, top, wide, high] = box, side = Math.min(0.66 * wide, width), tall = 0.75 * side;
      const x = Math.min(Math.max(0, left + wide / 2 - side / 2), width - side);
      const y = Math.min(Math.max(0, top + 0.77 * high - tall / 2), Math.max(0, height - tall));
      video.style.transform = `scale(${width / side}) translate(${(-100 * x) / width}%, ${(-100 * y) / height}%)`;
      video.style.top = "0";
    }
    if (signal.aborted) return;
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(zoom);
  };
  zoom();
  video.addEventListener("timeupdate", zoom, { signal });
  return video;
}

function estimates(tiles, signal) {
  let timer = 0;
  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (missing(draft)) return tiles.forEach((each) => (each.time.textContent = ""));
      for (const each of tiles) {
        try {
          const { seconds } = await api("POST", "/estimates", body(draft, { quality: each.name }), {}, signal);
          each.time.textContent = seconds === null ? "" : t("quality.time", { length: duration(seconds) });
        } catch (error) {
          if (error.name === "AbortError") return;
          each.time.textContent = "";
        }
      }
    }, 500);
  };
  watch(["source", "speeches", "text", "mode", "trim", "options", "speaker", "task"], ask, signal);
  ask();
}
