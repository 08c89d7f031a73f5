// Files go to the server in pieces (tus 1.0), and go on where they stopped.
import { Refused, api, refused } from "./api.js";
import { t } from "./words.js";

const PIECE = 4 << 20, KEPT = "labial.uploads";
const WAITS = [500, 1000, 2000, 4000, 8000, 15000, 30000];

const mark = (file) => `${file.name}|${file.size}|${file.lastModified}`;
const known = () => JSON.parse(localStorage.getItem(KEPT) ?? "{}");
const remember = (key, id) => {
  const all = known();
  if (id) all[key] = id;
  else delete all[key];
  localStorage.setItem(KEPT, JSON.stringify(all));
};

/** Names of files whose upload a reload has interrupted. */
export const interrupted = () => Object.keys(known()).map((key) => key.split("|")[0]);

/** Forget what was interrupted. */
export const forget = () => localStorage.removeItem(KEPT);

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
    signal?.addEventListener("abort", () => request.abort());
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
    const timer = setTimeout(resolve, milliseconds);
    addEventListener("online", resolve, { once: true });
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    });
  });
}

/**
 * Send a file and wait until the server has looked at it.
 * `tell(share, state)`: state is sending, waiting (for the network) or checking.
 * Returns the upload; raises Refused with the reason where the file is no good.
 */
export async function upload(file, tell, signal) {
  const key = mark(file);
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
  tell(1, "checking");
  try {
    return await settled(id, signal);
  } finally {
    remember(key, null);
  }
}

async function settled(id, signal) {
  for (let wait = 150; ; wait = Math.min(wait * 1.4, 1500)) {
    const found = await api("GET", `/uploads/${id}`, undefined, {}, signal);
    if (found.state === "ready") return found;
    if (found.state === "refused") throw new Refused(0, "refused", found.reason ?? t("error.file"));
    await pause(wait, signal);
  }
}
