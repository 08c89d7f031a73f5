// The bar at the end: what is missing, how long it will take, and the button that begins.
import { api, submit } from "./api.js";
import { h, toast } from "./dom.js";
import { draft, watch } from "./draft.js";
import { body, missing } from "./request.js";
import { duration, t } from "./words.js";

const FIELDS = ["source", "speeches", "text", "mode", "trim", "options", "speaker", "task", "quality", "voice", "language", "report", "container"];

// A key for each state of the draft: two clicks are one job, a changed draft is another.
let key = "", state = "";
function keyOf(asked) {
  const now = JSON.stringify(asked);
  if (now !== state) {
    state = now;
    key = Array.from(crypto.getRandomValues(new Uint32Array(4)), (each) => each.toString(16)).join("");
  }
  return key;
}

/** The bar; it is shown as soon as there is a source. */
export function goBar(signal) {
  const words = h("p", { id: "go-words", role: "status" });
  const begin = h("button", { type: "button", class: "main", "aria-describedby": "go-words", onclick: start }, t(`go.${draft.task}`));
  let timer = 0, turn = 0;
  async function start() {
    const why = missing(draft);
    if (why) return toast(why, "hint");
    begin.disabled = true;
    try {
      const asked = body(draft);
      const job = await submit(asked, keyOf(asked));
      state = "";
      location.hash = `#/jobs/${job.id}`;
    } catch (error) {
      begin.disabled = false;
      if (error.code === undefined) throw error;
      toast(error.message);
    }
  }
  const shown = () => {
    const why = missing(draft);
    begin.setAttribute("aria-disabled", String(Boolean(why)));
    clearTimeout(timer);
    if (why) return void (words.textContent = why);
    const mine = ++turn;
    timer = setTimeout(async () => {
      try {
        const { seconds, wait } = await api("POST", "/estimates", body(draft), {}, signal);
        if (mine !== turn) return;
        const ready = seconds === null ? t("go.ready") : t("go.time", { length: duration(seconds) });
        words.textContent = wait >= 1 ? `${ready} ${t("go.wait", { length: duration(wait) })}` : ready;
        // Others come to their end.
        if (wait >= 1) timer = setTimeout(() => signal.aborted || shown(), 5000);
      } catch (error) {
        if (error.name === "AbortError" || mine !== turn) return;
        words.textContent = error.status === 404 ? t("go.ready") : error.message;
      }
    }, 350);
  };
  watch(FIELDS, shown, signal);
  shown();
  return h("div", { class: "go" }, words, begin);
}
