// One job: how far it is, and what came of it.
import { api, ended, file, follow } from "./api.js";
import { announce, button, fill, h, notice, toast } from "./dom.js";
import { change, draft } from "./draft.js";
import { lookAt } from "./look.js";
import { named, subject, uploadOf } from "./names.js";
import { done } from "./result.js";
import { duration, has, percent, t, when } from "./words.js";

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
  follow(id, tell, signal, (lost) => bar?.away(lost));
}

function heading(job) {
  const back = async () => {
    if (draft.source?.id !== subject(job)) await restore(job);
    location.hash = "#/";
  };
  const name = h("h1", {}, t(`made.${job.kind}`));
  named(name, subject(job));
  return h(
    "header",
    {},
    h("div", {}, name, h("p", { class: "soft small" }, `${t(`made.${job.kind}`)} · ${when(job.created)}`)),
    ["dub", "animate"].includes(job.kind) && button(t("job.change"), back, { sign: "again" }),
  );
}

/** Make the draft what the job was asked for, as far as the page knows its fields. */
async function restore(job) {
  const { inputs, options } = job, source = await uploadOf(inputs.video ?? inputs.photo);
  if (!source) return toast(t("look.gone"), "hint");
  const speeches = [];
  for (const [role, id] of Object.entries(inputs)) {
    const found = /^(audio|segments)/.test(role) ? await uploadOf(id) : null;
    if (found) speeches.push({ id, name: found.name, holds: found.holds === "video" ? "speech" : found.holds, size: found.size, language: role.split(".")[1] ?? options.language ?? "" });
  }
  const { speaker = "auto", quality = "standard", trim = null, text = "", voice = "", language = "", ...others } = options;
  change({
    source: { id: source.id, name: source.name, holds: source.holds, size: source.size }, task: job.kind, speeches, text, voice, language, speaker, quality,
    mode: text ? "script" : "tracks", trim: trim ? trim.split("-").map(Number) : null, options: { [job.kind]: others }, previews: {},
  });
}

function running(job, signal) {
  const bar = h("progress", { max: "1", "aria-label": t("job.progress") });
  const share = h("span", { class: "share digits" }), left = h("span", { class: "soft" }), stage = h("p", { role: "status" });
  const gone = h("div", { role: "status" });
  const live = h("img", { class: "live waits", alt: t("job.live"), hidden: true });
  const { video, photo } = job.inputs;
  // Until the first frame is made, the source's own picture stands there.
  if (["dub", "animate"].includes(job.kind)) {
    lookAt(video ?? photo, () => {}, signal).then((look) => {
      if (!live.hidden || !look.result.files.poster) return;
      live.src = file(look.id, "poster");
      live.hidden = false;
    }, () => {});
  }
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
  let began = null, said = "", rendering = false;
  const refresh = () => {
    if (signal.aborted || !live.isConnected) return;
    if (!rendering) return void setTimeout(refresh, 500);
    const next = new Image();
    next.addEventListener("load", () => {
      live.src = next.src;
      live.hidden = false;
      live.classList.remove("waits");
      setTimeout(refresh, 1000);
    });
    next.addEventListener("error", () => setTimeout(refresh, 2500));
    next.src = `/v1/jobs/${job.id}/live.jpg?${Date.now()}`;
  };
  const update = (now) => {
    const done = now.progress?.share ?? 0, name = now.progress?.stage ?? "";
    rendering = now.state === "running" && name === "render" && now.progress.done > 0;
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
    gone,
    h("p", { class: "soft small" }, t("job.leave")),
  );
  return { element, update, away: (lost) => lost !== Boolean(gone.children.length) && fill(gone, lost && notice("warning", t("job.away"))) };
}

function failed(job, signal, again) {
  const cancelled = job.state === "cancelled";
  const text = cancelled ? t("job.cancelled") : t("job.failed", { reason: job.reason ?? "" });
  return notice(cancelled ? "hint" : "problem", text, h("div", { class: "row" }, button(t("again"), again, { kind: "main", sign: "again" })));
}

