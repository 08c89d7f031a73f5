// One job: how far it is, and what came of it.
import { api, content, ended, file, follow } from "./api.js";
import { compare } from "./compare.js";
import { announce, button, fill, h, icon, notice, toast } from "./dom.js";
import { change, draft, local } from "./draft.js";
import { lookAt } from "./look.js";
import { duration, has, languageName, percent, t, when } from "./words.js";
import { wave } from "./wave.js";

/** Show a job, whatever becomes of it. */
export function showJob(main, id, signal) {
  const place = h("div", { class: "job" }, h("p", { class: "row" }, h("span", { class: "spin" }), t("job.loading")));
  fill(main, place);
  let shown = "", bar = null;
  const tell = (job, error) => {
    if (signal.aborted) return;
    if (!job) {
      const text = error.status === 404 ? t("job.gone") : error.message;
      return fill(place, h("h1", {}, t("title.job")), notice("problem", text, h("div", { class: "row" }, h("a", { class: "button", href: "#/" }, t("nav.studio")))));
    }
    const state = ended(job) ? job.state : "under way";
    if (state !== shown) {
      shown = state;
      bar = state === "under way" ? running(job, signal) : null;
      const drawn = { done, failed, cancelled: failed }[state];
      fill(place, heading(job), bar ? bar.element : drawn(job, signal, again));
      document.title = `${t(`state.${job.state}`)} · ${t("title.job")}`;
      if (!bar) announce(t(`state.${job.state}`));
    }
    bar?.update(job);
  };
  const again = async () => {
    await api("POST", `/jobs/${id}/retry`);
    showJob(main, id, signal);
  };
  follow(id, tell, signal);
}

function heading(job) {
  const back = () => {
    const { source } = draft;
    if (!source) restore(job);
    location.hash = "#/";
  };
  return h(
    "header",
    {},
    h("div", {}, h("h1", {}, t(`made.${job.kind}`)), h("p", { class: "soft small" }, when(job.created))),
    h("div", { class: "row" }, button(t("job.change"), back, { sign: "back" }), h("a", { class: "button plain", href: "#/jobs" }, t("nav.history"))),
  );
}

/** Make the draft what the job was asked for, as far as the page knows its fields. */
function restore(job) {
  const { inputs, options } = job.request, id = inputs.video ?? inputs.photo;
  if (!id) return;
  const speeches = Object.entries(inputs).filter(([role]) => role.startsWith("audio")).map(([role, upload]) => ({ id: upload, name: t("job.voice"), holds: "speech", language: role.split(".")[1] ?? options.language ?? "" }));
  change({ source: { id, name: t("job.source"), holds: inputs.photo ? "photo" : "video", size: 0 }, task: job.kind, speeches, mode: options.text ? "script" : "tracks", text: options.text ?? "", speaker: options.speaker ?? "auto", quality: options.quality ?? "standard" });
}

function running(job, signal) {
  const bar = h("progress", { max: "1", "aria-label": t("job.progress") });
  const share = h("span", { class: "share digits" }), left = h("span", { class: "soft" }), stage = h("p", { role: "status" });
  const live = h("img", { class: "live", alt: t("job.live"), hidden: true });
  const cancel = button(t("job.cancel"), async () => {
    cancel.disabled = true;
    cancel.lastChild.textContent = t("job.cancelling");
    try {
      await api("POST", `/jobs/${job.id}/cancel`);
    } catch (error) {
      cancel.disabled = false;
      cancel.lastChild.textContent = t("job.cancel");
      toast(error.message);
    }
  }, { sign: "close" });
  let began = null, said = "";
  const refresh = () => {
    if (signal.aborted || !live.isConnected) return;
    const next = new Image();
    next.addEventListener("load", () => {
      live.src = next.src;
      live.hidden = false;
      setTimeout(refresh, 1000);
    });
    next.addEventListener("error", () => setTimeout(refresh, 2500));
    next.src = `/v1/jobs/${job.id}/live.jpg?${Date.now()}`;
  };
  const update = (now) => {
    const done = now.progress?.share ?? 0, name = now.progress?.stage ?? "";
    if (now.state === "running") bar.value = done;
    else bar.removeAttribute("value");
    share.textContent = now.state === "running" ? percent(done) : "";
    const words = now.state === "queued" ? t("job.queued") : has(`stage.${name}`) ? t(`stage.${name}`) : name ? t("stage.other", { name }) : t("stage.begin");
    if (words !== said) stage.textContent = said = words;
    if (done > 0.02) began ??= [Date.now() / 1000, done];
    const estimated = now.estimate && now.started ? now.estimate - (Date.now() - new Date(now.started)) / 1000 : null;
    const paced = began && done > began[1] + 0.05 ? ((1 - done) * (Date.now() / 1000 - began[0])) / (done - began[1]) : null;
    const rest = paced ?? estimated;
    left.textContent = now.state === "running" && rest > 1 ? t("job.left", { length: duration(rest) }) : "";
    if (now.state === "running") document.title = `${percent(done)} · ${t("title.job")}`;
  };
  setTimeout(() => ["dub", "animate"].includes(job.kind) && refresh(), 800);
  const element = h(
    "section",
    { class: "card progress", "aria-label": t("job.progress") },
    live,
    h("div", { class: "row" }, share, h("div", { class: "grow" }, stage, left), cancel),
    bar,
    h("p", { class: "soft small" }, t("job.leave")),
  );
  return { element, update };
}

function failed(job, signal, again) {
  const cancelled = job.state === "cancelled";
  const text = cancelled ? t("job.cancelled") : t("job.failed", { reason: job.reason ?? "" });
  return notice(cancelled ? "hint" : "problem", text, h("div", { class: "row" }, button(t("again"), again, { kind: "main", sign: "again" })));
}

function done(job, signal) {
  const { result, request } = job, names = Object.keys(result.files);
  const outputs = names.filter((name) => name === "output" || name.startsWith("output."));
  const place = h("div", { class: "stack" });
  if (outputs.length && playable(result.files[outputs[0]])) place.append(...watched(job, outputs, signal));
  const picture = names.includes("picture") && h("img", { src: file(job.id, "picture"), alt: t("job.picture") });
  const reports = names.filter((name) => name.split(".")[0] === "report");
  return h(
    "div",
    { class: "stack" },
    place,
    picture && h("section", { class: "card" }, picture),
    h(
      "section",
      { class: "card", "aria-labelledby": "files-title" },
      h("h2", { id: "files-title" }, t(outputs.length ? "job.files" : "job.nofiles")),
      h("div", { class: "downloads" }, ...outputs.map((name) => download(job, name, outputs.length > 1))),
      h("details", { open: !outputs.length || ["check", "fix"].includes(job.kind) }, h("summary", {}, t("job.summary")), h("p", { class: "summary", tabindex: "0" }, result.summary)),
      h("p", { class: "soft small" }, job.expires && t("job.expires", { date: when(job.expires) })),
    ),
    ...reports.map((name) => reported(job, name)),
    heard(job, request, place.querySelector("video"), signal),
  );
}

const playable = ({ type }) => /^(video|audio)\//.test(type ?? "video/mp4");
const languageOf = (name) => name.split(".").slice(1).join(".");

function watched(job, outputs, signal) {
  const { inputs, options } = job.request, source = inputs.video;
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
  };
  show(outputs[0]);
  if (outputs.length < 2) return [stage];
  const choice = (name, k) => h("label", {}, h("input", { type: "radio", name: "shown", value: name, checked: k === 0, onchange: () => show(name) }), h("span", {}, languageName(languageOf(name))));
  return [h("div", { class: "segments", role: "radiogroup", "aria-label": t("job.language") }, ...outputs.map(choice)), stage];
}

function rateOf(job, name) {
  const facts = job.result.facts ?? {}, mine = facts[languageOf(name) || "output"] ?? facts;
  return mine.fps ?? (mine.frames && mine.seconds ? mine.frames / mine.seconds : 25);
}

function download(job, name, several) {
  const { type, size, key } = job.result.files[name], language = languageOf(name);
  const words = several ? t("job.download.language", { language: languageName(language) }) : t("job.download");
  const tail = (key ?? "").match(/\.[A-Za-z0-9]+$/)?.[0] ?? { "video/mp4": ".mp4", "video/webm": ".webm", "video/quicktime": ".mov" }[type] ?? "";
  return h("a", { class: "button main", href: file(job.id, name), download: `labial${language ? `.${language}` : ""}${tail}`, "data-size": String(size ?? "") }, icon("save"), words);
}

function reported(job, name) {
  const address = file(job.id, name), language = languageOf(name);
  const frame = h("iframe", { class: "report", sandbox: "allow-scripts", loading: "lazy", title: t("job.report"), src: address });
  return h(
    "section",
    { class: "card" },
    h("header", {}, h("h2", {}, t("job.report"), language && ` · ${languageName(language)}`), h("a", { class: "button", href: address, target: "_blank", rel: "noopener" }, icon("open"), t("job.report.open"))),
    frame,
  );
}

/** The sound that drives the mouth, with its visemes, under the player. */
function heard(job, request, video, signal) {
  const speech = Object.entries(request.inputs).find(([role]) => role === "audio" || role.startsWith("audio."))?.[1];
  if (!speech) return null;
  const section = h("section", { class: "card", "aria-labelledby": "wave-title", hidden: true });
  lookAt(speech, () => {}, signal).then((look) => {
    section.hidden = false;
    fill(section, h("h2", { id: "wave-title" }, t("job.wave")), wave(look.result.facts, { player: video, signal }));
  }, () => section.remove());
  return section;
}
