// Play, pause, one frame on and back, and where it is: for one video or several in step.
import { button, fill, h, icon } from "./dom.js";
import { clock, t } from "./words.js";

/**
 * The controls of a video.
 * `more`: elements that come after the buttons. `keys`: an element in which the space bar and the
 * arrows work. `moved(seconds)` is called whenever the time changes.
 */
export function transport(video, { rate = 25, seconds = 0, more = [], keys = null, moved = () => {}, signal } = {}) {
  const step = 1 / (rate || 25);
  const length = () => (Number.isFinite(video.duration) ? video.duration : seconds);
  const seek = h("input", { type: "range", min: "0", max: "1000", step: "any", value: "0", "aria-label": t("player.time") });
  const time = h("span", { class: "clock digits" });
  const play = button(t("player.play"), () => toggle(), { sign: "play", only: true });
  const go = (at) => {
    video.currentTime = Math.min(Math.max(0, at), Math.max(0, length() - step / 2));
    shown();
  };
  const toggle = () => (video.paused ? video.play().catch(() => {}) : video.pause());
  const frame = (n) => {
    video.pause();
    go(Math.round(video.currentTime / step + n) * step + step / 4);
  };
  const shown = () => {
    const whole = length(), at = video.currentTime;
    time.textContent = `${clock(at, 2)} / ${clock(whole, 2)}`;
    if (whole && !seek.matches(":active")) seek.value = (1000 * at) / whole;
    seek.setAttribute("aria-valuetext", `${clock(at, 1)} / ${clock(whole, 1)}`);
    moved(at);
  };
  const named = () => {
    const words = t(video.paused ? "player.play" : "player.pause");
    fill(play, icon(video.paused ? "play" : "pause"));
    play.setAttribute("aria-label", words);
    play.title = words;
  };
  const running = () => {
    shown();
    if (!video.paused && !signal?.aborted) requestAnimationFrame(running);
  };
  seek.addEventListener("input", () => go((seek.value / 1000) * length()));
  seek.addEventListener("keydown", (event) => {
    const n = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!n) return;
    event.preventDefault();
    if (event.shiftKey) go(video.currentTime + n);
    else frame(n);
  });
  video.addEventListener("play", () => (named(), running()), { signal });
  video.addEventListener("pause", () => (named(), shown()), { signal });
  for (const name of ["loadedmetadata", "seeked", "durationchange", "timeupdate"]) video.addEventListener(name, shown, { signal });
  video.addEventListener("click", toggle, { signal });
  keys?.addEventListener("keydown", (event) => {
    if (event.target.closest("button, input, select, textarea, a")) return;
    if (event.key === " ") {
      event.preventDefault();
      toggle();
    } else if (event.key === "ArrowLeft") frame(-1);
    else if (event.key === "ArrowRight") frame(1);
  }, { signal });
  shown();
  return h(
    "div",
    { class: "transport", role: "group", "aria-label": t("player.label") },
    seek,
    h(
      "div",
      { class: "row tight" },
      play,
      button(t("player.back"), () => frame(-1), { sign: "back", only: true }),
      button(t("player.on"), () => frame(1), { sign: "on", only: true }),
      time,
      h("div", { class: "row tight end" }, ...more),
    ),
  );
}

/** A button that turns the sound off and on. */
export function muter(video) {
  const made = button(t("player.mute"), () => (video.muted = !video.muted), { sign: "sound", only: true });
  video.addEventListener("volumechange", () => {
    const words = t(video.muted ? "player.unmute" : "player.mute");
    fill(made, icon(video.muted ? "mute" : "sound"));
    made.setAttribute("aria-label", words);
    made.title = words;
  });
  return made;
}

/** A button that shows an element on the whole screen. */
export function wholeScreen(element) {
  if (!document.fullscreenEnabled) return null;
  const toggle = () => (document.fullscreenElement ? document.exitFullscreen() : element.requestFullscreen());
  return button(t("player.screen"), toggle, { sign: "screen", only: true });
}
