// Files go to the server in pieces (tus 1.0), and go on where they stopped.
import { Refused, api, refused } from "./api.js";
import { t } from "./words.js";

const PIECE = 4 << 20, KEPT = "labial.uploads";
const WAITS = [500, 1000, 2000, 4000, 8000, 15000, 30000];

const mark = (file) => `${file.name}|${file.size}|${file.lastModified}`;
const known = () => {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
};
const remember = (key, id) => {
  const all = known();
  if (id) all[key] = id;
  else delete all[key];
  localStorage.setItem(KEPT, JSON.stringify(all));
};

// While a tab sends a file it holds a lock of its name, so that another tab knows it.
const lockOf = (key) => `labial.upload.${key}`, here = new Set();

/** Names of files whose upload a reload has interrupted. */
export async function interrupted() {
  const locks = (await navigator.locks?.query())?.held ?? [];
  const busy = new Set(locks.map((each) => each.name));
  return Object.keys(known()).filter((key) => !here.has(key) && !busy.has(lockOf(key))).map((key) => key.split("|")[0]);
}

/** Forget an upload that was interrupted. */
export function forget(name) {
  for (const key of Object.keys(known())) if (key.split("|")[0] === name) remember(key, null);
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const headers = { "Tus-Resumable": "1.0.0", "X-Requested-With": "labial" };

function send(method, path, more, body, signal, tell) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    for (const [name, value] of Object.entries({ ...headers, ...more })) request.setRequestHeader(name, value);
    if (tell) request.upload.addEventListener("progress", (event) => tell(event.loaded));
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () => reject(new Refused(0, "network", t("error.network"))));
    request.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError")));
    const stop = () => request.abort();
    signal?.addEventListener("abort", stop, { once: true });
    request.addEventListener("loadend", () => signal?.removeEventListener("abort", stop));
    request.send(body);
  });
}

function answered(request) {
  let body = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // A HEAD, or a proxy's own page.
  }
  if (request.status >= 400) throw refused(request.status, body);
  return body;
}

async function create(file, signal) {
  const more = { "Upload-Length": String(file.size), "Upload-Metadata": `filename ${base64(file.name)}` };
  const request = await send("POST", "/v1/uploads", more, null, signal);
  return answered(request)?.id ?? request.getResponseHeader("Location").split("/").pop();
}

async function offsetOf(id, signal) {
  const request = await send("HEAD", `/v1/uploads/${id}`, {}, null, signal);
  answered(request);
  return Number(request.getResponseHeader("Upload-Offset"));
}

/** Wait until the network may be back. */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const end = (act, value) => (clearTimeout(timer), over.abort(), act(value));
    const timer = setTimeout(() => end(resolve), milliseconds);
    addEventListener("online", () => end(resolve), { signal: over.signal });
    signal?.addEventListener("abort", () => end(reject, new DOMException("stopped", "AbortError")), { signal: over.signal });
  });
}

/**
 * Send a file and wait until the server has looked at it.
 * `tell(share, state)`: state is sending, waiting (for the network) or checking.
 * Returns the upload; raises Refused with the reason where the file is no good.
 */
export function upload(file, tell, signal) {
  const key = mark(file), sent = () => sending(file, key, tell, signal);
  // Where another tab sends the same file, this one sends it beside.
  return navigator.locks ? navigator.locks.request(lockOf(key), { mode: "shared" }, sent) : sent();
}

async function sending(file, key, tell, signal) {
  here.add(key);
  try {
    return await pieces(file, key, tell, signal);
  } finally {
    here.delete(key);
  }
}

async function pieces(file, key, tell, signal) {
  let id = known()[key], offset = 0;
  if (id) {
    try {
      offset = await offsetOf(id, signal);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      id = null;
    }
  }
  let tries = 0;
  for (;;) {
    try {
      if (!id) {
        id = await create(file, signal);
        remember(key, id);
        offset = 0;
      }
      while (offset < file.size) {
        const part = file.slice(offset, offset + PIECE), begin = offset;
        const more = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
        const shown = (sent) => tell((begin + sent) / file.size, "sending");
        const request = await send("PATCH", `/v1/uploads/${id}`, more, part, signal, shown);
        if (request.status === 409) offset = await offsetOf(id, signal);
        else {
          answered(request);
          offset = Number(request.getResponseHeader("Upload-Offset") ?? offset + part.size);
        }
        tries = 0;
      }
      break;
    } catch (error) {
      const broken = error.code === "network" || error.status >= 500;
      if (error.name === "AbortError" || !broken || tries >= 40) {
        if (error.name !== "AbortError") remember(key, null);
        throw error;
      }
      tell(offset / file.size, "waiting");
      await pause(WAITS[Math.min(tries++, WAITS.length - 1)], signal);
      if (id) offset = await offsetOf(id, signal).catch(() => offset);
    }
  }
  try {
    return await settled(id, tell, signal);
  } finally {
    remember(key, null);
  }
}

async function settled(id, tell, signal) {
  for (let wait = 150, tries = 0; ; wait = Math.min(wait * 1.4, 1500)) {
    let found;
    try {
      found = await api("GET", `/uploads/${id}`, undefined, {}, signal);
    } catch (error) {
      if (!(error.code === "network" || error.status >= 500) || tries >= 40) throw error;
      tell(1, "waiting");
      await pause(WAITS[Math.min(tries++, WAITS.length - 1)], signal);
      continue;
    }
    if (found.state === "ready") return found;
    if (found.state === "refused") throw new Refused(0, "refused", found.reason ?? t("error.file"));
    tries = 0;
    tell(1, "checking");
    await pause(wait, signal);
  }
}
