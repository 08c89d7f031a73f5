// Sound as a curve, with the shapes of the mouth under it.
import { h, announce } from "./dom.js";
import { clock, duration, t } from "./words.js";

const HEIGHT = 60, MOUTHS = 50, AXIS = 18;
// How far each viseme opens the mouth, how wide it is, and what stands out of it.
const SHAPES = {
  PP: [0.02, 0.72, "closed"], FF: [0.16, 0.8, "teeth"], TH: [0.28, 0.76, "teeth"],
  DD: [0.3, 0.8, "open"], kk: [0.34, 0.78, "open"], CH: [0.3, 0.56, "round"], SS: [0.16, 0.86, "teeth"],
  nn: [0.24, 0.78, "open"], RR: [0.3, 0.6, "round"], aa: [1, 0.84, "open"], E: [0.6, 0.9, "open"],
  I: [0.36, 0.98, "open"], ih: [0.36, 0.98, "open"], O: [0.72, 0.56, "round"], oh: [0.72, 0.56, "round"],
  U: [0.34, 0.4, "round"], ou: [0.34, 0.4, "round"],
};

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * Draw sound. `facts`: those of a look: media.seconds, peaks, phones.
 * `player` (a video or audio element) moves the needle and is moved by a click.
 */
export function wave(facts, { player = null, offset = 0, signal } = {}) {
  const seconds = facts.media.seconds || 1, mouths = facts.phones ?? [];
  const peaks = heights(facts.peaks);
  const canvas = h("canvas", {}), needle = h("span", { class: "needle", hidden: !player });
  const words = t("wave.about", { length: duration(seconds), count: mouths.length });
  const box = h("div", { class: "wave", tabindex: "0", role: "group", "aria-label": words }, canvas, needle);
  let wide = 0;
  const draw = () => {
    const room = box.clientWidth;
    if (!room) return;
    // So that a phone has room for its name, but no canvas is larger than browsers have.
    wide = Math.min(Math.max(room, mouths.length ? seconds * 150 : 0), 12000);
    paint(canvas, peaks, mouths, seconds, wide);
  };
  const seen = new ResizeObserver(draw);
  seen.observe(box);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw, { signal });
  const themed = new MutationObserver(draw);
  themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  signal?.addEventListener("abort", () => (seen.disconnect(), themed.disconnect()));
  if (player) {
    const move = () => {
      const x = (Math.min(Math.max(player.currentTime + offset, 0), seconds) / seconds) * wide;
      needle.style.transform = `translateX(${x}px)`;
      if (!player.paused && (x < box.scrollLeft || x > box.scrollLeft + box.clientWidth - 40)) box.scrollLeft = x - 40;
    };
    const go = () => {
      move();
      if (!player.paused && !signal?.aborted) requestAnimationFrame(go);
    };
    player.addEventListener("play", go, { signal });
    for (const name of ["seeked", "timeupdate"]) player.addEventListener(name, move, { signal });
    box.addEventListener("click", (event) => {
      const x = event.clientX - canvas.getBoundingClientRect().left;
      player.currentTime = Math.max(0, (x / wide) * seconds - offset);
    });
    box.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.1, ArrowRight: 0.1 }[event.key];
      if (!step) return;
      event.preventDefault();
      player.currentTime = Math.min(Math.max(0, player.currentTime + step), seconds);
      const at = player.currentTime + offset, now = mouths.find((each) => each.onset <= at && at < each.release);
      announce(`${clock(at, 1)} ${now?.name ?? ""}`);
    });
  }
  return box;
}

/** How far each pair of lowest and highest sample reaches from silence, 0..1. */
export const heights = (pairs) => (pairs ?? []).map(([low, high]) => Math.max(-low, high));

function paint(canvas, peaks, mouths, seconds, wide) {
  const high = HEIGHT + (mouths.length ? MOUTHS : 0) + AXIS, fine = Math.min(devicePixelRatio || 1, 2);
  canvas.width = wide * fine;
  canvas.height = high * fine;
  canvas.style.width = `${wide}px`;
  canvas.style.height = `${high}px`;
  const pen = canvas.getContext("2d");
  pen.scale(fine, fine);
  curve(pen, peaks, 0, 0, wide, HEIGHT, color("wave"));
  pen.font = "11px system-ui, sans-serif";
  pen.textAlign = "center";
  for (const each of mouths) {
    const x = (each.onset / seconds) * wide, w = ((each.release - each.onset) / seconds) * wide;
    mouth(pen, x, HEIGHT, w, MOUTHS, each);
  }
  pen.fillStyle = color("soft");
  const step = [0.5, 1, 2, 5, 10, 30, 60, 300, 600].find((each) => (each / seconds) * wide > 56) ?? 600;
  pen.textAlign = "left";
  for (let at = 0; at < seconds; at += step) pen.fillText(clock(at, step < 1 ? 1 : 0), (at / seconds) * wide + 3, high - 5);
}

/** Draw peaks (0..1, from the left to the right) into a rectangle. */
export function curve(pen, peaks, left, top, wide, high, ink) {
  if (!peaks.length) return;
  const most = Math.max(0.05, ...peaks), middle = top + high / 2;
  pen.fillStyle = ink;
  const bars = Math.min(peaks.length, Math.floor(wide / 3));
  for (let i = 0; i < bars; i++) {
    const from = Math.floor((i * peaks.length) / bars), to = Math.max(from + 1, Math.floor(((i + 1) * peaks.length) / bars));
    let peak = 0;
    for (let k = from; k < to; k++) peak = Math.max(peak, peaks[k]);
    const half = Math.max(1, (peak / most) * (high / 2 - 5));
    pen.fillRect(left + (i * wide) / bars, middle - half, Math.max(1, wide / bars - 1), 2 * half);
  }
}

function mouth(pen, x, top, w, high, { viseme, name }) {
  const [open, width, kind] = SHAPES[viseme] ?? SHAPES.DD;
  const size = Math.min(Math.max(w * 0.9, 7), 26), middle = x + w / 2, at = top + 15;
  pen.strokeStyle = pen.fillStyle = color(kind);
  pen.lineWidth = 2;
  pen.beginPath();
  pen.ellipse(middle, at, Math.max(1.5, (size * width) / 2), Math.max(0.5, (open * Math.min(1.5 * size, 24)) / 2), 0, 0, 2 * Math.PI);
  pen.stroke();
  if (kind === "teeth" && size > 8) pen.fillRect(middle - size * 0.22, at - 1, size * 0.44, 2);
  if (w > 9) {
    pen.fillStyle = color("soft");
    pen.fillText(name, middle, top + high - 6);
  }
}
