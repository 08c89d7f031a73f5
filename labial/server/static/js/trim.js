// Which part of the video is made: two handles, and the same as numbers.
import { button, h } from "./dom.js";
import { change, draft, watch } from "./draft.js";
import { clock, duration, t } from "./words.js";
import { curve, heights } from "./wave.js";

const LEAST = 0.2;

/** Handles over a timeline; `video` shows what a handle is at. */
export function trim(facts, video, signal) {
  const whole = facts.media.seconds, frame = 1 / (facts.media.fps || 25);
  const canvas = h("canvas", { "aria-hidden": "true" });
  const track = h("div", { class: "track" }, canvas, h("span", { class: "cut before" }), h("span", { class: "cut after" }), h("span", { class: "kept" }));
  const handles = ["from", "to"].map((end) => h("button", { type: "button", class: `handle plain ${end}`, role: "slider", "aria-label": t(`trim.handle.${end}`), "aria-valuemin": "0", "aria-valuemax": whole.toFixed(2) }));
  const line = h("div", { class: "trim" }, track, h("span", { class: "at" }), ...handles);
  const fields = ["from", "to"].map((end) => h("input", { type: "number", min: "0", max: whole.toFixed(2), step: "0.01", inputMode: "decimal", "data-end": end }));
  const length = h("p", { class: "soft small digits", "aria-live": "polite" });
  const all = button(t("trim.all"), () => change({ trim: null, previews: {} }), { kind: "plain" });
  const range = () => draft.trim ?? [0, whole];

  const set = (end, value, show = true) => {
    let [from, to] = range();
    if (!Number.isFinite(value)) return shown();
    if (end === "from") from = Math.min(Math.max(0, value), to - LEAST);
    else to = Math.max(Math.min(whole, value), from + LEAST);
    const kept = [Math.round(from * 1000) / 1000, Math.round(to * 1000) / 1000];
    change({ trim: from <= 0.001 && to >= whole - 0.001 ? null : kept, previews: {} });
    if (show && video?.readyState) video.currentTime = Math.max(0, (end === "from" ? from : to - frame) + 1e-4);
  };
  const shown = () => {
    const now = range();
    line.style.setProperty("--a", now[0] / whole);
    line.style.setProperty("--b", now[1] / whole);
    handles.forEach((each, k) => {
      each.setAttribute("aria-valuenow", now[k].toFixed(2));
      each.setAttribute("aria-valuetext", clock(now[k], 2));
      if (document.activeElement !== fields[k]) fields[k].value = now[k].toFixed(2);
    });
    length.textContent = draft.trim ? t("trim.length", { length: duration(now[1] - now[0]) }) : t("trim.none");
    all.disabled = !draft.trim;
  };
  const at = (event) => {
    const room = track.getBoundingClientRect();
    return ((event.clientX - room.left) / room.width) * whole;
  };
  handles.forEach((each, k) => {
    const end = k ? "to" : "from";
    each.addEventListener("pointerdown", (event) => (each.setPointerCapture(event.pointerId), video?.pause()));
    each.addEventListener("pointermove", (event) => each.hasPointerCapture(event.pointerId) && set(end, at(event)));
    each.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 1 : frame, now = range()[k];
      const value = { ArrowLeft: now - step, ArrowDown: now - step, ArrowRight: now + step, ArrowUp: now + step, PageDown: now - 5, PageUp: now + 5, Home: k ? range()[0] : 0, End: k ? whole : range()[1] }[event.key];
      if (value === undefined) return;
      event.preventDefault();
      set(end, value);
    });
    fields[k].addEventListener("change", () => set(end, fields[k].valueAsNumber));
    fields[k].addEventListener("blur", shown);
  });
  track.addEventListener("click", (event) => video && (video.currentTime = at(event)));
  video?.addEventListener("timeupdate", () => line.style.setProperty("--at", video.currentTime / whole), { signal });
  watch(["trim"], shown, signal);
  const paint = () => {
    const { width, height } = track.getBoundingClientRect();
    if (!width) return;
    canvas.width = 2 * width;
    canvas.height = 2 * height;
    curve(canvas.getContext("2d"), heights(facts.peaks), 0, 0, canvas.width, canvas.height, getComputedStyle(track).getPropertyValue("--wave"));
  };
  const seen = new ResizeObserver(paint);
  seen.observe(track);
  const themed = new MutationObserver(paint);
  themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  signal.addEventListener("abort", () => (seen.disconnect(), themed.disconnect()));
  shown();
  const named = fields.map((field, k) => h("label", { class: "field" }, h("span", {}, t(k ? "trim.to" : "trim.from")), field));
  return h("div", { class: "stack" }, line, h("div", { class: "trim-fields" }, ...named, all), length);
}
