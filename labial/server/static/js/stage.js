// The video or the photo, with boxes around the people in it.
import { content, file } from "./api.js";
import { h, notice } from "./dom.js";
import { change, draft, local, watch } from "./draft.js";
import { boxAt } from "./look.js";
import { muter, transport, wholeScreen } from "./player.js";
import { t } from "./words.js";

const LABEL_ROOM = 0.1;

/** Show the source. `looked(facts, job)` is to be called when the look is there. */
export function stage(signal) {
  const { id, holds, name } = draft.source;
  const address = local.get(id) ?? content(id);
  const boxes = h("div", { class: "boxes", role: "group", "aria-label": t("people.boxes") });
  const screen = h("div", { class: "screen", tabindex: "-1" });
  const holder = h("div", { class: "stack" }, screen);
  if (holds === "photo") {
    const photo = h("img", { class: "photo", src: address, alt: t("stage.photo", { name }) });
    screen.append(h("div", { class: "frame" }, photo, boxes));
    return { element: holder, video: null, looked: (facts) => drawn(boxes, facts, () => facts.people.map((p) => p.box), signal, false) };
  }
  if (holds === "speech") {
    const sound = h("audio", { src: address, preload: "metadata", "aria-label": name });
    const place = h("div", { class: "stack" });
    holder.replaceChildren(place, sound, transport(sound, { rate: 25, more: [muter(sound)], keys: place, signal }));
    return { element: holder, video: sound, place, looked: () => {} };
  }
  const video = h("video", { src: address, preload: "auto", playsInline: true, "aria-label": t("stage.video", { name }) });
  const frame = h("div", { class: "frame" }, video, boxes);
  screen.append(frame);
  let moved = () => {};
  const controls = (rate) => transport(video, { rate, keys: screen, moved: (at) => moved(at), more: [muter(video), wholeScreen(screen)].filter(Boolean), signal });
  holder.append(controls(25));
  let broken = false, found = null;
  video.addEventListener("error", () => {
    broken = true;
    holder.replaceChildren(screen, notice("hint", t("stage.unplayable")));
    if (found) still();
  });
  const still = () => {
    const [facts, job] = found;
    if (!job.result.files.poster) return;
    video.replaceWith(h("img", { class: "photo", src: file(job.id, "poster"), alt: t("stage.video", { name }) }));
    const at = facts.people[0]?.time ?? 0;
    drawn(boxes, facts, () => facts.people.map((person) => boxAt(person, at)), signal)(at);
  };
  const looked = (facts, job) => {
    found = [facts, job];
    if (broken) return still();
    holder.replaceChildren(screen, controls(facts.media.fps));
    const draw = drawn(boxes, facts, (at) => facts.people.map((person) => boxAt(person, at)), signal);
    moved = draw;
    draw(video.currentTime);
  };
  return { element: holder, video, looked };
}

/** Make a box for each person and return what moves them; `choice`: a click says who speaks. */
function drawn(layer, facts, where, signal, choice = true) {
  const { width, height } = facts.media;
  const made = facts.people.map((person) => {
    const tag = h("span", { "aria-hidden": "true" }, t("people.number", { number: person.person + 1 }));
    // Of a photo the largest face speaks, there is nothing to choose.
    if (draft.source.holds === "photo") return h("span", { class: "box" });
    if (!choice) return h("span", { class: "box" }, tag);
    return h("button", { type: "button", class: "box", "aria-label": t("people.choose", { number: person.person + 1 }), onclick: () => change({ speaker: String(person.person), previews: {} }) }, tag);
  });
  layer.replaceChildren(...made);
  const pressed = () => draft.source?.holds === "video" && made.forEach((each, k) => each.setAttribute("aria-pressed", String(draft.speaker === String(facts.people[k].person))));
  watch(["speaker"], pressed, signal);
  pressed();
  const move = (at) => {
    where(at).forEach((box, k) => {
      made[k].hidden = !box;
      if (!box) return;
      const [left, top, wide, high] = box;
      made[k].classList.toggle("low", top / height < LABEL_ROOM);
      Object.assign(made[k].style, { left: `${(100 * left) / width}%`, top: `${(100 * top) / height}%`, width: `${(100 * wide) / width}%`, height: `${(100 * high) / height}%` });
    });
  };
  move(0);
  return move;
}
