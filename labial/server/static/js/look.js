// What the server sees and hears in an upload: asked once, known by everybody.
import { api, finished, submit } from "./api.js";

const asked = new Map();

/** Look at an upload; returns the job when it is done. `tell` hears of its progress. */
export function lookAt(upload, tell = () => {}, signal) {
  // The same key is the same job, also after a reload and in another window.
  asked.get(upload) ?? asked.set(upload, submit({ kind: "look", inputs: { media: upload } }, `look-${upload}`).then(revived));
  const job = asked.get(upload);
  job.catch(() => asked.delete(upload));
  return job.then(({ id }) => finished(id, signal, tell));
}

async function revived(job) {
  return job.state === "failed" || job.state === "cancelled" ? api("POST", `/jobs/${job.id}/retry`) : job;
}

/** Forget a look that failed, so that it is asked for anew. */
export const lookAgain = (upload) => asked.delete(upload);

/** Where a person's face is at a time: [left, top, width, height] in pixels, or null. */
export function boxAt(person, seconds) {
  const rows = person.boxes ?? [];
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].time <= seconds + 1e-4) low = middle + 1;
    else high = middle;
  }
  const before = rows[low - 1], after = rows[low];
  if (!before?.box) return null;
  if (!after?.box) return before.box;
  const share = (seconds - before.time) / (after.time - before.time || 1);
  return before.box.map((value, k) => value + share * (after.box[k] - value));
}

/** Whether a person is heard to speak at a time. */
export function speaksAt(person, seconds) {
  let said = 0;
  for (const row of person.boxes ?? []) {
    if (row.time > seconds) break;
    said = row.speaking;
  }
  return said > 0.5;
}

/** The person whom the choice of a speaker means, where that is clear. */
export function meant(facts, speaker) {
  const people = facts?.people ?? [];
  const chosen = people.find((each) => String(each.person) === speaker);
  return chosen ?? [...people].sort((a, b) => b.speaks - a.speaks || b.seconds - a.seconds)[0] ?? null;
}
