// Source and output as one picture under a wipe, in step.
import { h, icon } from "./dom.js";
import { muter, transport, wholeScreen } from "./player.js";
import { percent, t } from "./words.js";

/**
 * `before`: address of the source, or null. `offset`: where in it the output begins, seconds.
 * Returns the element and the output's video.
 */
export function compare({ before, after, offset = 0, rate = 25, poster = null, signal }) {
  const made = h("video", { class: "output", src: after, preload: "auto", playsInline: true, poster, "aria-label": t("compare.after") });
  const filmed = before && h("video", { class: "source", src: before, preload: "auto", playsInline: true, muted: true, tabIndex: -1, "aria-label": t("compare.before") });
  const grip = h(
    "button",
    { type: "button", class: "grip plain", role: "slider", "aria-label": t("compare.wipe"), "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "horizontal" },
    icon("wipe"),
  );
  const frame = h(
    "div",
    { class: "frame" },
    made, filmed, grip,
    h("span", { class: "tag left", "aria-hidden": "true" }, t("compare.before")),
    h("span", { class: "tag right", "aria-hidden": "true" }, t("compare.after")),
  );
  const stage = h("div", { class: before ? "compare" : "compare one", tabindex: "-1" }, frame);
  const broken = h("p", { class: "small", role: "status" });
  wiped(stage, frame, grip);
  const sound = h(
    "select",
    { "aria-label": t("compare.sound"), onchange: () => { made.muted = sound.value !== "after"; if (filmed) filmed.muted = sound.value !== "before"; } },
    h("option", { value: "after" }, t("compare.sound.after")),
    h("option", { value: "before" }, t("compare.sound.before")),
  );
  if (filmed) together(made, filmed, offset, rate, signal);
  for (const [video, name] of [[made, "after"], [filmed, "before"]]) {
    video?.addEventListener("error", () => {
      broken.textContent = t(`compare.broken.${name}`);
      if (name === "before") stage.classList.add("one");
    });
  }
  made.addEventListener("loadedmetadata", () => shaped(made, filmed));
  filmed?.addEventListener("loadedmetadata", () => shaped(made, filmed));
  const speed = h(
    "select",
    { "aria-label": t("compare.speed"), onchange: () => { made.playbackRate = Number(speed.value); if (filmed) filmed.playbackRate = made.playbackRate; } },
    ...[[1, "1 ×"], [0.5, "½ ×"], [0.25, "¼ ×"]].map(([value, words]) => h("option", { value: String(value) }, words)),
  );
  const more = [h("div", {}, speed), before ? h("div", {}, sound) : muter(made), wholeScreen(stage)].filter(Boolean);
  const controls = transport(made, { rate, more, keys: stage, signal });
  return { element: h("div", { class: "stack" }, stage, controls, broken), video: made };
}

/** Another shape than the output's is shown whole. */
function shaped(made, filmed) {
  if (!filmed?.videoWidth || !made.videoWidth) return;
  const unlike = Math.abs(filmed.videoWidth / filmed.videoHeight - made.videoWidth / made.videoHeight) > 0.02;
  filmed.classList.toggle("fit", unlike);
}

function wiped(stage, frame, grip) {
  const set = (share) => {
    const value = Math.round(Math.min(Math.max(share, 0), 1) * 100);
    stage.style.setProperty("--wipe", `${value}%`);
    grip.setAttribute("aria-valuenow", String(value));
    grip.setAttribute("aria-valuetext", t("compare.value", { before: percent(value / 100) }));
  };
  const at = (event) => {
    const room = frame.getBoundingClientRect();
    set((event.clientX - room.left) / room.width);
  };
  grip.addEventListener("pointerdown", (event) => grip.setPointerCapture(event.pointerId));
  grip.addEventListener("pointermove", (event) => grip.hasPointerCapture(event.pointerId) && at(event));
  grip.addEventListener("keydown", (event) => {
    const now = Number(grip.getAttribute("aria-valuenow")) / 100, step = event.shiftKey ? 0.1 : 0.02;
    const share = { ArrowLeft: now - step, ArrowDown: now - step, ArrowRight: now + step, ArrowUp: now + step, Home: 0, End: 1, PageDown: now - 0.1, PageUp: now + 0.1 }[event.key];
    if (share === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(share);
  });
  set(0.5);
}

/** The source runs beside the output. A frame apart is seen, so it is brought back. */
function together(made, filmed, offset, rate, signal) {
  const near = 0.6 / rate;
  const wanted = () => Math.min(made.currentTime + offset, filmed.duration || Infinity);
  const follow = () => {
    const late = wanted() - filmed.currentTime;
    if (made.paused ? Math.abs(late) > 0.001 : Math.abs(late) > 0.25) filmed.currentTime = wanted();
    else if (!made.paused) filmed.playbackRate = made.playbackRate * (Math.abs(late) > near ? 1 + Math.sign(late) * 0.15 : 1);
  };
  const on = (name, act) => made.addEventListener(name, act, { signal });
  on("play", () => filmed.play().catch(() => {}));
  on("pause", () => (filmed.pause(), follow()));
  on("seeking", follow);
  on("seeked", follow);
  on("loadedmetadata", follow);
  on("ended", () => filmed.pause());
  filmed.addEventListener("loadedmetadata", follow, { signal });
  const watch = () => {
    if (signal?.aborted) return;
    if (!made.paused && !filmed.ended) follow();
    if (made.requestVideoFrameCallback) made.requestVideoFrameCallback(watch);
    else setTimeout(watch, 40);
  };
  watch();
}
