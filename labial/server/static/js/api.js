// REST, as /openapi.json describes it.
import { t } from "./words.js";

/** What the server refused, or why it could not be asked; `code` is "network" then. */
export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

/** Told when the server wants to know who asks. */
export const door = new EventTarget();

/** Raise what a response says is wrong. */
export function refused(status, body) {
  const said = body?.error;
  if (status === 401) door.dispatchEvent(new Event("signin"));
  return new Refused(status, said?.code ?? String(status), said?.message ?? t("error.status", { status: String(status) }));
}

/** Ask the server; the answer's JSON, or null where it has none. */
export async function api(method, path, body, headers = {}, signal) {
  const given = { method, headers: { Accept: "application/json", "X-Requested-With": "labial", ...headers }, signal };
  if (body !== undefined) {
    given.body = JSON.stringify(body);
    given.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(`/v1${path}`, given);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "network", t("error.network"));
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new Refused(response.status, "answer", t("error.status", { status: String(response.status) }));
  }
  if (!response.ok) throw refused(response.status, answer);
  return answer;
}

export const content = (upload) => `/v1/uploads/${upload}/content`;
export const file = (job, name) => `/v1/jobs/${job}/files/${encodeURIComponent(name)}`;

/** Submit a job. The key makes a second click, or a second try, the same job. */
export const submit = (body, key) => api("POST", "/jobs", body, { "Idempotency-Key": key });

/** A job with its files by their names. */
export function tidy(job) {
  if (!job.result || !Array.isArray(job.result.files)) return job;
  return { ...job, result: { ...job.result, files: Object.fromEntries(job.result.files.map((each) => [each.name, each])) } };
}

export const ended = (job) => ["done", "failed", "cancelled"].includes(job.state);

/**
 * Follow a job until it ends: `tell(job)` now and whenever something changes.
 * `away(lost)` is told when the server does not answer, and when it does again.
 */
export function follow(id, tell, signal, away = () => {}) {
  let source = null, timer = 0, over = false;
  const stop = () => {
    over = true;
    source?.close();
    clearTimeout(timer);
  };
  const told = (job) => {
    if (over) return;
    if (ended(job)) stop();
    away(false);
    tell(tidy(job));
  };
  const ask = async () => {
    let lost = false;
    try {
      told(await api("GET", `/jobs/${id}`, undefined, {}, signal));
    } catch (error) {
      if (error.name === "AbortError" || over) return;
      if (error.status === 404 || error.status === 401) {
        stop();
        tell(null, error);
        return;
      }
      away(true);
      lost = true;
    }
    if (over) return;
    if (source?.readyState === EventSource.CLOSED) listen();
    // A stream that is open says nothing as long as nothing changes.
    if (lost || source?.readyState !== EventSource.OPEN) timer = setTimeout(ask, 2000);
  };
  const listen = () => {
    source = new EventSource(`/v1/jobs/${id}/events`);
    for (const name of ["progress", "state"]) source.addEventListener(name, (event) => told(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      clearTimeout(timer);
      if (!over) timer = setTimeout(ask, 1000);
    });
  };
  signal?.addEventListener("abort", stop);
  ask().then(() => over || source || listen());
  return stop;
}

/** A job's end, as a promise. */
export function finished(id, signal, tell = () => {}) {
  return new Promise((resolve, reject) => {
    follow(id, (job, error) => {
      if (!job) return reject(error);
      tell(job);
      if (job.state === "done") resolve(job);
      else if (ended(job)) reject(new Refused(0, job.state, job.reason ?? t(`state.${job.state}`)));
    }, signal);
  });
}
