// All jobs: the newest first, by kind and state, to open and to delete.
import { api, content, ended, file, tidy } from "./api.js";
import { announce, button, fill, h, icon, notice } from "./dom.js";
import { named, subject } from "./names.js";
import { previews } from "./quality.js";
import { percent, t, when } from "./words.js";

const KINDS = ["dub", "animate", "check", "fix", "visemes"], STATES = ["queued", "running", "done", "failed", "cancelled"];
const SIGNS = { dub: "sound", animate: "person", check: "good", fix: "again", visemes: "mic" };

/** Show the list. */
export function showHistory(main, signal) {
  const list = h("ul", { class: "jobs" }), end = h("div", { class: "row" });
  const filter = (name, all) => {
    const select = h("select", { onchange: () => load() }, h("option", { value: "" }, t("history.all")), ...all.map((each) => h("option", { value: each }, t(`${name}.${each}`))));
    return [select, h("label", { class: "field" }, h("span", {}, t(`history.${name}`)), select)];
  };
  const [kind, kinds] = filter("kind", KINDS), [state, states] = filter("state", STATES);
  fill(main, h("div", { class: "history" }, h("div", { class: "filters" }, h("h1", {}, t("title.history")), h("div", { class: "row" }, kinds, states)), list, end));
  let turn = 0, timer = 0;
  // By a job's id: the list may have been read again since a row was asked about.
  const rows = new Map();
  const gone = (id) => {
    const shown = rows.get(id)?.[1], next = shown?.nextElementSibling ?? shown?.previousElementSibling;
    shown?.remove();
    rows.delete(id);
    (next?.querySelector("a") ?? document.getElementById("main")).focus();
    if (!list.children.length) load();
  };
  // Those that wait or run go on while they are looked at.
  const later = () => {
    clearTimeout(timer);
    if (!signal.aborted && [...rows.values()].some(([job]) => !ended(job))) timer = setTimeout(renew, document.hidden ? 10000 : 3000);
  };
  const renew = async () => {
    for (const [id, [old, shown]] of [...rows]) {
      if (ended(old) || !shown.isConnected || signal.aborted) continue;
      const job = await api("GET", `/jobs/${id}`, undefined, {}, signal).then(tidy, () => null);
      if (!job || !shown.isConnected || (job.state === old.state && job.progress?.share === old.progress?.share)) continue;
      const made = row(job, gone), focus = [...shown.querySelectorAll("a, button")].indexOf(document.activeElement);
      shown.replaceWith(made);
      rows.set(id, [job, made]);
      made.querySelectorAll("a, button")[focus]?.focus();
    }
    later();
  };
  const load = async (cursor = "") => {
    const mine = ++turn, asked = new URLSearchParams({ limit: "50" });
    for (const [name, value] of [["kind", kind.value], ["state", state.value], ["cursor", cursor]]) if (value) asked.set(name, value);
    let page;
    try {
      page = await api("GET", `/jobs?${asked}`, undefined, {}, signal);
    } catch (error) {
      if (error.name !== "AbortError") fill(end, notice("problem", error.message, h("div", { class: "row" }, button(t("again"), () => load(cursor), { sign: "again" }))));
      return;
    }
    if (mine !== turn) return;
    if (!cursor) (fill(list), rows.clear());
    const hidden = previews();
    const shown = page.items.map(tidy).filter((job) => job.kind !== "look" && !hidden.has(job.id));
    for (const job of shown) {
      rows.set(job.id, [job, row(job, gone)]);
      list.append(rows.get(job.id)[1]);
    }
    later();
    fill(end, page.next && button(t("history.more"), () => load(page.next), { sign: "plus" }));
    if (!list.children.length && !page.next) {
      fill(end, h("div", { class: "card empty grow" }, h("p", { class: "soft" }, t("history.none")), h("a", { class: "button main", href: "#/" }, t("history.begin"))));
    }
  };
  load();
}

function row(job, gone) {
  const preview = Object.keys(job.result?.files ?? {}).find((name) => /^(preview|picture|poster)/.test(name));
  const { photo } = job.inputs;
  const thumb = photo && job.state === "done" ? h("img", { class: "thumb", src: content(photo), alt: "", loading: "lazy" }) : preview ? h("img", { class: "thumb", src: file(job.id, preview), alt: "", loading: "lazy" }) : h("span", { class: "thumb" }, icon(SIGNS[job.kind] ?? "file"));
  const name = t(`kind.${job.kind}`), stamp = when(job.created);
  const remove = button(t("history.delete", { name: `${name}, ${stamp}` }), async () => {
    if (!(await sure(t("history.sure")))) return remove.focus();
    if (!ended(job)) await api("POST", `/jobs/${job.id}/cancel`).catch(() => {});
    await api("DELETE", `/jobs/${job.id}`);
    gone(job.id);
    announce(t("history.deleted"));
  }, { sign: "bin", only: true });
  const share = job.state === "running" && job.progress?.share ? ` ${percent(job.progress.share)}` : "";
  const sign = { done: "good", failed: "problem", cancelled: "close" }[job.state] ?? "hint";
  const link = h("a", { href: `#/jobs/${job.id}` }, name);
  named(link, subject(job));
  return h(
    "li",
    {},
    thumb,
    h("div", { class: "about" }, h("div", { class: "row" }, link, h("span", { class: `chip state ${job.state}` }, icon(sign), t(`state.${job.state}`) + share)), h("span", { class: "soft small" }, `${name} · ${stamp}`), job.state === "failed" && h("span", { class: "small" }, job.reason ?? "")),
    h("div", { class: "row" }, remove),
  );
}

/** Ask before something is lost. */
function sure(words) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "sure" });
    const done = (answer) => (dialog.close(), dialog.remove(), resolve(answer));
    fill(dialog, h("div", { class: "body" }, h("p", { id: "sure" }, words), h("div", { class: "row" }, button(t("history.yes"), () => done(true), { kind: "main", sign: "bin" }), button(t("cancel"), () => done(false)))));
    dialog.addEventListener("cancel", (event) => (event.preventDefault(), done(false)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
