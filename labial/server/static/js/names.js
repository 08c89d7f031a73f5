// How the files that jobs are made of are called.
import { api } from "./api.js";

const known = new Map();

/** The upload that a job is about: its picture, or else its sound. */
export const subject = ({ inputs }) => inputs.video ?? inputs.photo ?? inputs.audio ?? inputs.media ?? Object.values(inputs)[0];

/** An upload, or null where it is no longer there. */
export function uploadOf(id) {
  if (!known.has(id)) known.set(id, api("GET", `/uploads/${id}`).catch(() => null));
  return known.get(id);
}

/** Put the name of an upload into an element as soon as it is known. */
export async function named(element, id) {
  const found = id && (await uploadOf(id));
  if (found?.name) element.textContent = found.name;
  return element;
}
