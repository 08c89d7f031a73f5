// The camera and the microphone, in a dialog; a recording is a file like any other.
import { announce, button, fill, h, icon, notice } from "./dom.js";
import { clock, t } from "./words.js";

const KINDS = {
  video: ["video/mp4;codecs=avc1,mp4a.40.2", "video/webm;codecs=vp9,opus", "video/webm"],
  audio: ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"],
};

/** Whether this browser lets a page record. */
export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);

/** Record `what` ("video" or "audio"); returns a file, or null where nothing was kept. */
export function record(what) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "record", "aria-labelledby": "record-title" });
    let stream = null, file = null, address = "";
    const leaving = new AbortController();
    const done = (kept) => {
      leaving.abort();
      for (const track of stream?.getTracks() ?? []) track.stop();
      if (address) URL.revokeObjectURL(address);
      dialog.close();
      dialog.remove();
      resolve(kept);
    };
    const stage = h("div", { class: "stack" });
    const bar = h("div", { class: "row" });
    const cancel = () => button(t("cancel"), () => done(null), { kind: "plain end" });
    fill(dialog, h("div", { class: "body" }, h("h2", { id: "record-title" }, t(`record.${what}`)), stage, bar));
    dialog.addEventListener("cancel", (event) => (event.preventDefault(), done(null)));

    const ready = async () => {
      fill(stage, h("p", { class: "soft" }, t("record.asking")));
      fill(bar, cancel());
      const asked = what === "video" ? { video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" }, audio: true } : { audio: { echoCancellation: false, noiseSuppression: false } };
      try {
        stream ??= await navigator.mediaDevices.getUserMedia(asked);
      } catch (error) {
        const why = error.name === "NotAllowedError" ? "record.denied" : "record.missing";
        fill(stage, notice("problem", t(why)));
        return;
      }
      if (leaving.signal.aborted) return stream.getTracks().forEach((track) => track.stop());
      const seen = what === "video" ? h("video", { class: "mirror", muted: true, autoplay: true, playsInline: true, srcObject: stream }) : level(stream, leaving.signal);
      fill(stage, seen, h("p", { class: "soft small" }, t(`record.${what}.tip`)));
      const start = button(t("record.start"), () => run(seen), { kind: "main", sign: what === "video" ? "camera" : "mic" });
      fill(bar, start, cancel());
      start.focus();
    };

    const run = (seen) => {
      const type = KINDS[what].find((each) => MediaRecorder.isTypeSupported(each)) ?? "";
      const recorder = new MediaRecorder(stream, { ...(type && { mimeType: type }), videoBitsPerSecond: 8e6, audioBitsPerSecond: 192e3 });
      const parts = [], began = performance.now(), time = h("span", { class: "digits" });
      recorder.addEventListener("dataavailable", (event) => event.data.size && parts.push(event.data));
      recorder.addEventListener("stop", () => {
        clearInterval(timer);
        if (leaving.signal.aborted) return;
        const plain = recorder.mimeType.split(";")[0], tail = plain.endsWith("mp4") ? (what === "video" ? "mp4" : "m4a") : plain.split("/")[1];
        const stamp = new Date().toISOString().slice(0, 19).replace("T", " ").replaceAll(":", ".");
        file = new File(parts, `${t(`record.${what}.name`)} ${stamp}.${tail}`, { type: plain });
        review();
      });
      const timer = setInterval(() => (time.textContent = clock((performance.now() - began) / 1000, 1)), 100);
      leaving.signal.addEventListener("abort", () => clearInterval(timer));
      recorder.start(1000);
      announce(t("record.running"));
      const stop = button(t("record.stop"), () => recorder.stop(), { kind: "main", sign: "close" });
      fill(stage, seen);
      fill(bar, stop, h("span", { class: "row" }, h("span", { class: "dot" }), t("record.running"), time), cancel());
      stop.focus();
    };

    const review = () => {
      address = URL.createObjectURL(file);
      const shown = h(what, { src: address, controls: true, playsInline: true, "aria-label": file.name });
      const keep = button(t("record.keep"), () => done(file), { kind: "main", sign: "good" });
      fill(stage, shown);
      fill(bar, keep, button(t("record.again"), () => (URL.revokeObjectURL(address), ready()), { sign: "again" }), cancel());
      keep.focus();
    };

    document.body.append(dialog);
    dialog.showModal();
    ready();
  });
}

/** How loud the microphone is. */
function level(stream, signal) {
  const bar = h("div", { class: "level", role: "img", "aria-label": t("record.level") }, h("i"));
  const context = new AudioContext(), meter = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(meter);
  const samples = new Float32Array(meter.fftSize);
  signal.addEventListener("abort", () => context.close());
  const tick = () => {
    if (signal.aborted) return;
    meter.getFloatTimeDomainData(samples);
    const peak = samples.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    bar.style.setProperty("--level", Math.min(1, Math.sqrt(peak)).toFixed(2));
    requestAnimationFrame(tick);
  };
  tick();
  return h("div", { class: "row" }, icon("mic"), h("div", { class: "grow" }, bar));
}
