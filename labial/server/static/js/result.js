// What came of a job: before and after, files, sound and mouth, and the report.
import { api, content, file } from "./api.js";
import { compare } from "./compare.js";
import { fill, h, icon } from "./dom.js";
import { local } from "./draft.js";
import { lookAt } from "./look.js";
import { uploadOf } from "./names.js";
import { clock, has, languageName, t, when } from "./words.js";
import { wave } from "./wave.js";

const languageOf = (name) => name.split(".").slice(1).join(".");
const playable = ({ type }) => /^(video|audio)\//.test(type ?? "video/mp4");
const ofKind = (job, kind) => Object.keys(job.result.files).filter((name) => name.split(".")[0] === kind);

/** All of a job's result. */
export function done(job, signal) {
  const outputs = ofKind(job, "output"), place = h("div", { class: "stack" });
  const seen = outputs.length > 0 && playable(job.result.files[outputs[0]]);
  const sound = h("div", {}), reports = ofKind(job, "report");
  const told = h("div", { class: "stack" });
  const shown = (name, video, signal) => {
    const mine = outputs.length > 1 ? reports.filter((each) => languageOf(each) === languageOf(name)) : reports;
    fill(sound, heard(job, languageOf(name), video, signal));
    fill(told, mine.map((each) => reported(job, each, video)));
  };
  if (seen) watched(job, outputs, place, shown, signal);
  else shown(outputs[0] ?? "", null, signal);
  const picture = ofKind(job, "picture").length > 0 && h("img", { src: file(job.id, "picture"), alt: t("job.picture") });
  const open = !outputs.length || ["check", "fix"].includes(job.kind);
  return h(
    "div",
    { class: "results" },
    seen && place,
    picture && h("section", { class: "card" }, picture),
    h(
      "section",
      { class: "card", "aria-label": t("job.files") },
      h("div", { class: "downloads" }, ...outputs.map((name) => download(job, name, outputs.length > 1)), job.expires && h("span", { class: "soft small" }, t("job.expires", { date: when(job.expires) }))),
      h("details", { open }, h("summary", {}, t("job.summary")), h("p", { class: "summary", tabindex: "0" }, plain(job.result.summary))),
    ),
    sound,
    told,
  );
}

/** The player; `shown(name, video, signal)` is told which of the outputs it plays. */
function watched(job, outputs, place, shown, signal) {
  const { inputs, options } = job, source = inputs.video;
  const before = source ? local.get(source) ?? content(source) : null;
  const offset = options?.trim ? Number(options.trim.split("-")[0]) || 0 : 0;
  const stage = h("div", {});
  let leave = null;
  const show = (name) => {
    leave?.abort();
    leave = new AbortController();
    signal.addEventListener("abort", () => leave.abort());
    const made = compare({ before, after: file(job.id, name), offset, rate: rateOf(job, name), signal: leave.signal });
    fill(stage, made.element);
    shown(name, made.video, leave.signal);
  };
  const choice = (name, k) => h("label", {}, h("input", { type: "radio", name: "shown", value: name, checked: k === 0, onchange: () => show(name) }), h("span", {}, languageName(languageOf(name))));
  show(outputs[0]);
  fill(place, outputs.length > 1 && h("div", { class: "segments", role: "radiogroup", "aria-label": t("job.language") }, ...outputs.map(choice)), stage);
}

/** What was done, with the page's own names: people count from 1, and options are called as in the form. */
function plain(summary) {
  const option = (given, name) => {
    const key = `option.${name.replaceAll("-", "_")}`;
    return has(key) ? `“${t(key)}”` : given;
  };
  return summary.replace(/\bperson (\d+)\b/g, (_, number) => `person ${Number(number) + 1}`).replace(/--([a-z-]+)/g, option);
}

function rateOf(job, name) {
  const facts = job.result.facts ?? {}, mine = facts[languageOf(name) || "output"] ?? facts;
  return mine.fps ?? (mine.frames && mine.seconds ? mine.frames / mine.seconds : 25);
}

function download(job, name, several) {
  const language = languageOf(name);
  const words = several ? t("job.download.language", { language: languageName(language) }) : t("job.download");
  return h("a", { class: "button main", href: file(job.id, name), download: true }, icon("save"), words);
}

/** What the report says, in the page's own words and colours; its pictures are behind a link. */
function reported(job, name, video) {
  const language = languageOf(name), address = file(job.id, name), said = h("div", { class: "stack" });
  const numbers = language ? `numbers.${language}` : "numbers";
  const open = h("a", { class: "button", href: address, target: "_blank", rel: "noopener" }, icon("open"), t("job.report.open"));
  if (job.result.files[numbers]) {
    api("GET", `/jobs/${job.id}/files/${numbers}`).then((facts) => fill(said, verdicts(facts.verdicts), moments(facts.moments, video)), (error) => fill(said, h("p", {}, error.message)));
  } else fill(said, h("iframe", { class: "report", sandbox: "allow-scripts", loading: "lazy", title: t("job.report"), src: address }));
  return h("section", { class: "card" }, h("header", {}, h("h2", {}, t("job.report"), language && ` · ${languageName(language)}`), open), said);
}

const MARKS = { good: "good", fair: "warning", poor: "problem" };

const verdicts = (all) =>
  h("ul", { class: "findings" }, ...all.map(({ mark, words }) => h("li", { class: MARKS[mark] }, icon(MARKS[mark]), h("span", {}, h("span", { class: "unseen" }, `${t(`mark.${mark}`)}: `), words))));

function moments(all, video) {
  if (!all.length) return h("p", { class: "soft" }, t("job.moments.none"));
  const go = (seconds) => {
    video.pause();
    video.currentTime = seconds;
    video.scrollIntoView({ block: "center" });
  };
  return h(
    "div",
    { class: "stack" },
    h("h3", {}, t("job.moments")),
    h("ul", { class: "moments" }, ...all.map(({ seconds, words }) => h("li", { class: "row" }, video ? h("button", { type: "button", onclick: () => go(seconds) }, clock(seconds, 2)) : h("b", { class: "digits" }, clock(seconds, 2)), h("span", { class: "grow" }, words)))),
  );
}

/** The sound that drives the mouth, with its shapes. */
function heard(job, language, video, signal) {
  const speech = job.inputs.audio ?? job.inputs[`audio.${language}`];
  if (!speech || job.kind === "visemes") return null;
  const section = h("section", { class: "card", "aria-labelledby": "wave-title", hidden: true });
  uploadOf(speech).then(async (found) => {
    if (!["speech", "video"].includes(found?.holds)) return section.remove();
    const look = await lookAt(speech, () => {}, signal);
    section.hidden = false;
    fill(section, h("h2", { id: "wave-title" }, t("job.wave")), wave(look.result.facts, { player: video, signal }));
  }).catch(() => section.remove());
  return section;
}
