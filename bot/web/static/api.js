// Requests to our own server: errors carry words for the person, and whether trying again may help.
import { headers } from "./post.js";
import { say } from "./words.js";

export class RequestError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
    this.mayPass = status === 0 || status >= 500 || status === 429;
  }
}

// The server's clock, in milliseconds, as far as its answers have told it; it never stands still or goes back.
let ahead = 0;
let last = 0;

export function now() {
  last = Math.max(last + 1, Date.now() + ahead);
  return last;
}

export async function request(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  };
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new RequestError(say("offline"), 0);
  }
  const told = Date.parse(response.headers.get("Date"));
  // To the second, so within one the own clock is as good.
  if (Math.abs(told - Date.now()) > 1000) ahead = told - Date.now();
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  const content = isJson ? await response.json() : null;
  if (!response.ok) throw new RequestError(content?.error ?? say("offline"), response.status);
  return content;
}

// Also on plain http inside a network, where crypto.randomUUID is missing.
export function makeKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
