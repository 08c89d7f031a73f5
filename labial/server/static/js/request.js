// The draft as the body of a job.
import { t } from "./words.js";

/** Options that have a place of their own on the page; the form shows all others. */
export const PLACED = new Set(["speaker", "quality", "trim", "text", "voice", "language"]);

// What takes the length of the whole speech, or all languages, means nothing for three seconds.
const NOT_OF_PREVIEW = ["sync_mode", "stretch_audio", "mux", "codec", "crf", "preset", "lossless", "keep_audio", "loudness"];

const scripted = (draft) => draft.mode === "script" || draft.speeches.some((each) => each.holds === "script" || each.holds === "segments");

/** Whether a voice has to speak. */
export const needsVoice = (draft) => ["dub", "animate"].includes(draft.task) && scripted(draft);

/** Why there is nothing to do yet, in words; "" where there is. */
export function missing(draft) {
  if (!draft.source) return t("missing.source");
  if (!["dub", "animate"].includes(draft.task)) return "";
  if (draft.mode === "script") return draft.text.trim() ? "" : t("missing.text");
  if (!draft.speeches.length) return t("missing.speech");
  const codes = draft.speeches.filter((each) => each.holds !== "segments").map((each) => each.language);
  if (draft.task === "animate" && draft.speeches.length > 1) return t("missing.one");
  if (codes.length > 1 && (codes.includes("") || new Set(codes).size < codes.length)) return t("missing.languages");
  return "";
}

/** The body that POST /v1/jobs takes. */
export function body(draft, { quality = draft.quality } = {}) {
  const { task, source } = draft, inputs = {}, options = { ...(draft.options[task] ?? {}) };
  const made = { kind: task, inputs, options };
  if (task === "visemes") inputs.audio = source.id;
  else inputs[task === "animate" ? "photo" : "video"] = source.id;
  if (task === "dub" || task === "animate") {
    options.quality = task === "animate" && quality === "pro" ? "standard" : quality;
    if (draft.mode === "script") options.text = draft.text.trim();
    else spoken(draft.speeches, inputs, options);
    if (scripted(draft)) {
      if (draft.voice) options.voice = draft.voice;
      if (draft.language) options.language = draft.language;
    }
  }
  if (task === "dub") {
    options.speaker = draft.speaker;
    if (draft.trim) options.trim = draft.trim.join("-");
    if (draft.report && !draft.trim) made.report = true;
  }
  if (draft.container && ["dub", "animate", "fix"].includes(task)) made.container = draft.container;
  return made;
}

function spoken(speeches, inputs, options) {
  const voices = speeches.filter((each) => each.holds !== "segments"), [one] = voices;
  for (const each of speeches) if (each.holds === "segments") inputs.segments = each.id;
  if (voices.length === 1) {
    inputs.audio = one.id;
    if (one.language) options.language = one.language;
  } else for (const each of voices) inputs[`audio.${each.language}`] = each.id;
}

/** The body of a look at the mouth for some seconds. */
export function previewBody(draft, quality, from, to) {
  const made = body(draft, { quality });
  for (const name of NOT_OF_PREVIEW) delete made.options[name];
  const voices = Object.keys(made.inputs).filter((role) => role.startsWith("audio."));
  if (voices.length) {
    const first = made.inputs[voices[0]];
    for (const role of voices) delete made.inputs[role];
    made.inputs.audio = first;
  }
  // The same words at the same moments as in the whole: speech does not begin with the part.
  if (!made.inputs.segments) made.options.speech_at ??= draft.trim?.[0] ?? 0;
  Object.assign(made.options, { trim: `${from.toFixed(2)}-${to.toFixed(2)}`, codec: "h264" });
  delete made.report;
  return { ...made, container: "mp4", keep_days: 1 };
}
