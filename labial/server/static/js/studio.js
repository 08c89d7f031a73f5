// The studio: what is dubbed, what it is to say, how well, and off it goes.
import { findings, verdict } from "./advice.js";
import { announce, button, fill, h, icon, notice, unique } from "./dom.js";
import { change, clear, draft, watch } from "./draft.js";
import { goBar } from "./go.js";
import { ACCEPT, chooser, droppable, incoming, take } from "./intake.js";
import { lookAgain, lookAt } from "./look.js";
import { more } from "./more.js";
import { people } from "./people.js";
import { quality } from "./quality.js";
import { canRecord, record } from "./record.js";
import { speech } from "./speech.js";
import { stage } from "./stage.js";
import { trim } from "./trim.js";
import { forget, interrupted } from "./upload.js";
import { bytes, clock, number, percent, t } from "./words.js";
import { wave } from "./wave.js";

const TASKS = { video: ["dub", "check", "fix"], photo: ["animate"], speech: ["visemes"] };

/** Show the studio. */
export function showStudio(main, above) {
  let inner = null;
  const draw = () => {
    inner?.abort();
    inner = new AbortController();
    above.addEventListener("abort", () => inner.abort());
    if (draft.source) bench(main, inner.signal);
    else hero(main, inner.signal);
  };
  watch(["source"], draw, above);
  watch(["speeches"], () => draft.source || draw(), above);
  draw();
}

function hero(main, signal) {
  const drop = h(
    "div",
    { class: "drop" },
    bigIcon("file"),
    h("p", {}, t(matchMedia("(pointer: coarse)").matches ? "hero.begin" : "hero.drop")),
    h(
      "div",
      { class: "row" },
      chooser(t("hero.choose"), { accept: ACCEPT, kind: "main" }),
      canRecord() && button(t("hero.record"), async () => {
        const file = await record("video");
        if (file) take([file]);
      }, { sign: "camera" }),
    ),
    h("p", { class: "soft small" }, t("hero.kinds")),
    incoming(null, signal),
  );
  const waiting = h("div", { class: "stack" });
  waiting.hidden = true;
  interrupted().then((names) => {
    waiting.hidden = !names.length;
    fill(waiting, ...names.map((name) => {
      const told = notice("hint", t("upload.left", { name }), h("div", { class: "row" }, button(t("upload.forget"), () => (forget(name), told.remove()), { kind: "plain" })));
      return told;
    }));
  });
  const step = (n) => h("li", {}, h("span", { class: "num", "aria-hidden": "true" }, String(n)), h("b", {}, t(`hero.step.${n}`)), h("span", {}, t(`hero.step.${n}.about`)));
  const scripts = draft.speeches.length > 0 && notice("good", t("hero.waiting", { name: draft.speeches[0].name }));
  fill(main, h("div", { class: "hero" }, h("h1", {}, t("hero.title")), h("p", {}, t("hero.about")), waiting, scripts, drop, h("ol", { class: "steps" }, step(1), step(2), step(3))));
  droppable(main, { signal });
}

function bigIcon(name) {
  const made = icon(name);
  made.classList.add("big");
  return made;
}

function bench(main, signal) {
  const { source } = draft, screen = stage(signal);
  const seen = h("section", { class: "card", "aria-label": t("look.title") }), told = h("div", {});
  const facts = h("span", { class: "soft small" }, bytes(source.size ?? 0));
  const right = h("div", { class: "right" });
  const cut = h("div", {});
  let found = null;
  const panel = new AbortController();
  let cards = panel;
  const draw = () => {
    cards.abort();
    cards = new AbortController();
    signal.addEventListener("abort", () => cards.abort());
    steps(right, { source: () => found, video: screen.video, signal: cards.signal });
  };
  watch(["task"], draw, signal);
  draw();
  const title = h("div", { class: "title" }, h("h1", {}, source.name), h("div", { class: "row" }, facts, button(t("studio.other"), () => clear(), { kind: "plain", sign: "again" })));
  fill(main, h("div", { class: "studio" }, title, h("div", { class: "left" }, screen.element, incoming(false, signal), seen, cut, told), right));
  droppable(main, { signal });

  const look = () => {
    const bar = h("progress", { max: "1", "aria-label": t("look.running") }), share = h("span", { class: "soft small digits" });
    fill(seen, h("p", { class: "row" }, h("span", { class: "spin" }), t("look.running"), share), bar);
    const tell = (job) => {
      const now = job.progress?.share;
      if (job.state !== "running" || !now) return;
      bar.value = now;
      share.textContent = percent(now);
    };
    lookAt(source.id, tell, signal).then(looked, (error) => {
      if (error.name === "AbortError" || signal.aborted) return;
      const gone = error.status === 404;
      const again = button(t(gone ? "studio.other" : "again"), () => (gone ? clear() : (lookAgain(source.id), look())), { sign: "again" });
      fill(seen, notice("problem", gone ? t("look.gone") : error.message, h("div", { class: "row" }, again)));
    });
  };
  const looked = (job) => {
    found = job.result.facts;
    facts.textContent = about(found, source);
    screen.looked(found, job);
    const go = screen.video && ((at) => (screen.video.currentTime = at));
    const who = source.holds === "video" && found.people.length > 0;
    const advice = [h("header", {}, h("h2", {}, t("advice.title")), verdict(found.worst)), findings(found.findings, go)];
    fill(seen, ...(who ? [h("h2", {}, t("people.title")), people(found, job, signal)] : advice));
    const choosing = () => (seen.hidden = who && draft.task !== "dub");
    watch(["task"], choosing, signal);
    choosing();
    fill(told, who && h("section", { class: "card", "aria-label": t("advice.title") }, ...advice));
    if (source.holds === "video" && found.media.seconds > 0.5) {
      const shown = () => (cut.hidden = draft.task !== "dub");
      fill(cut, h("section", { class: "card", "aria-labelledby": "trim-title" }, h("h2", { id: "trim-title" }, t("trim.title")), trim(found, screen.video, signal)));
      watch(["task"], shown, signal);
      shown();
    }
    if (screen.place) fill(screen.place, wave(found, { player: screen.video, signal }));
    announce(t("look.done", { count: found.people.length }));
    change({ look: job.id });
  };
  look();
}

function about(facts, source) {
  const { width, height, fps, seconds } = facts.media;
  return [width && `${width} × ${height}`, fps && seconds > 0 && t("media.fps", { value: number(fps, 2) }), seconds > 0 && clock(seconds, 1), bytes(source.size ?? 0)].filter(Boolean).join(" · ");
}

/** What is to be done, and all that it needs. */
function steps(place, { source, video, signal }) {
  const tasks = TASKS[draft.source.holds] ?? ["dub"], name = unique("task");
  const choice = (task) => h("label", {}, h("input", { type: "radio", name, value: task, checked: draft.task === task, onchange: () => {
    change({ task });
    place.querySelector(`input[value="${task}"]`)?.focus();
  } }), h("span", {}, t(`task.${task}`)));
  const speaks = ["dub", "animate"].includes(draft.task);
  fill(
    place,
    tasks.length > 1 && h("div", { class: "segments", role: "radiogroup", "aria-label": t("task.title") }, ...tasks.map(choice)),
    speaks ? speech("1", signal) : h("section", { class: "card" }, h("h2", {}, t(`task.${draft.task}`)), h("p", { class: "soft" }, t(`task.${draft.task}.about`))),
    speaks && quality("2", source, video, signal),
    h("section", { class: "card", "aria-label": t("more.title") }, more(draft.task, signal, draft.task === "visemes")),
    goBar(signal),
  );
}
