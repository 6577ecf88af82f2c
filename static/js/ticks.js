/* What a device at the desk keeps until it is sent, and how it is sent: the other end is facilities/attendance/devices.py.

   An event is never changed once it is made; only where it stands changes: waiting, sent, refused or put aside. It may be
   sent any number of times: its id says that it is the same. Sent ones stay for a while, because a list that was kept
   before they were sent does not know of them. */

const NAME = "huimin-desk";
const MOST_AT_ONCE = 200;
const AGAIN = 15_000;
const KEEP_SENT = 2 * 24 * 3600 * 1000;

const channel = new BroadcastChannel(NAME);
const listeners = new Set();
let opening;
let hindered = "";  // why the last attempt to send did not come through: "offline", "sign-in" or nothing

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("events", { keyPath: "id" }).createIndex("standing", "standing");
      request.result.createObjectStore("facts");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

async function within(store, mode, work) {
  const transaction = (await open()).transaction(store, mode, { durability: "strict" });
  const request = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

const fact = (name) => within("facts", "readonly", (store) => store.get(name));
const note = (name, value) => within("facts", "readwrite", (store) => store.put(value, name));

/** Ids that grow with time (RFC 9562, version 7), as the server's do: of two entries of one moment the later one stands. */
function newId() {
  const octets = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  for (let n = 0; n < 6; n += 1) octets[n] = Math.floor(now / 256 ** (5 - n)) % 256;
  octets[6] = (octets[6] & 0x0f) | 0x70;
  octets[8] = (octets[8] & 0x3f) | 0x80;
  const digits = [...octets].map((octet) => octet.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** A name for this device that says nothing: head counts are added up by it. */
export async function device() {
  let name = await fact("device");
  if (!name) await note("device", (name = `desk-${newId().slice(-12)}`));
  return name;
}

/** The server's time, as far as this device has learned how far its own clock is off. */
export async function moment() {
  return new Date(Date.now() + ((await fact("offset")) ?? 0)).toISOString();
}

export const everything = () => within("events", "readonly", (store) => store.getAll());

/** Keep events; `about` is what a person needs to know of them later: a shortened name, and which session. */
export async function keep(bodies, about) {
  const [made, from] = [await moment(), await device()];
  const events = bodies.map((body) => ({
    id: newId(), standing: "waiting", made, about,
    body: { occurred_at: made, device: from, ...body },
  }));
  await within("events", "readwrite", (store) => { events.forEach((event) => store.add(event)); });
  tell();
  return events;
}

async function change(events) {
  await within("events", "readwrite", (store) => { events.forEach((event) => store.put(event)); });
  tell();
}

export async function stand(id, standing) {
  const event = await within("events", "readonly", (store) => store.get(id));
  if (event) await change([{ ...event, standing }]);
}

/** Refused ones once more: somebody else may be signed in now, or a day has been reopened. */
export async function tryAgain(id) {
  await stand(id, "waiting");
  return send();
}

/** It says nothing of who asks: it is out of order, or has too much to do. */
const isOut = (answer) => answer.status >= 500 || answer.status === 429;

/** Who is signed in here, for sending; the reason as a word where nobody can. */
async function pass() {
  let answer;
  try {
    answer = await fetch("/desk/pass", { redirect: "manual", cache: "no-store" });
  } catch {
    return "offline";
  }
  if (isOut(answer)) return "offline";
  if (!answer.ok) {
    await forgetLists();  // whoever is not let in has no names here either
    await signedOut();
    return "sign-in";
  }
  const found = await answer.json();
  if (await wantsOut()) {  // said where there was no network
    const asked = { method: "POST", redirect: "manual", headers: { "X-CSRFToken": found.csrf_token } };
    const out = await fetch("/sign-out", asked).catch(() => null);
    if (out?.type !== "opaqueredirect") return "offline";  // not done: it is tried again, and nothing else before
    await signedOut();
    location.replace("/sign-in");
    return "sign-in";
  }
  await note("offset", Date.parse(found.now) - Date.now());
  if ((await fact("user")) !== found.user) {
    await forgetLists();
    await note("user", found.user);
    await tryForSomebodyElse();
  }
  return found;
}

/** What one may not enter, another may. */
async function tryForSomebodyElse() {
  const foreign = (await everything()).filter((event) => event.standing === "refused" && event.code === "not_found");
  if (foreign.length) await change(foreign.map((event) => ({ ...event, standing: "waiting" })));
}

/** That somebody signed out here and the server could not be told; the service worker keeps it (`OUT` there). */
const OUT = "/sign-out-wanted";
const wantsOut = async () => "caches" in window && Boolean(await (await caches.open("desk-files")).match(OUT));
const signedOut = async () => { if ("caches" in window) await (await caches.open("desk-files")).delete(OUT); };

/** Lists of names that are kept for being offline; nobody else may find them. */
export async function forgetLists() {
  if ("caches" in window) await caches.delete("desk-pages");
}

/** Send what waits, oldest first, whichever page asks: one at a time. True where nothing waits any more. */
export function send() {
  return navigator.locks.request(`${NAME}-send`, async () => {
    const way = await pass();
    hindered = typeof way === "string" ? way : "";
    const waiting = (await everything()).filter((event) => event.standing === "waiting");
    if (!hindered) await forgetSent();
    for (let start = 0; start < waiting.length && !hindered; start += MOST_AT_ONCE) {
      await post(waiting.slice(start, start + MOST_AT_ONCE), way);
    }
    tell();
    return !hindered;
  });
}

async function post(events, way) {
  let answer;
  try {
    answer = await fetch("/desk/events", {
      method: "POST", redirect: "manual",
      headers: { "Content-Type": "application/json", "X-CSRFToken": way.csrf_token },
      body: JSON.stringify({ events: events.map(({ id, body }) => ({ id, ...body })) }),
    });
  } catch {
    hindered = "offline";
    return;
  }
  if (answer.ok) {
    const results = new Map((await answer.json()).results.map((result) => [result.id, result]));
    await change(events.map((event) => {
      const { outcome, code, said } = results.get(event.id);
      return { ...event, standing: outcome === "refused" ? "refused" : "sent", sent: Date.now(), code, said };
    }));
  } else if (answer.status === 422 && events.length > 1) {
    for (const event of events) await post([event], way);  // one of them is not understood: the others are not held up
  } else if (answer.status === 422) {
    await change([{ ...events[0], standing: "refused", code: "invalid" }]);
  } else {
    hindered = isOut(answer) ? "offline" : "sign-in";
  }
}

async function forgetSent() {
  const old = (await everything()).filter((e) => e.standing === "sent" && e.sent < Date.now() - KEEP_SENT);
  if (old.length) await within("events", "readwrite", (store) => { old.forEach((event) => store.delete(event.id)); });
}

/** Whenever something was kept, sent or refused, here or on another page of this device. */
export function listen(listener) {
  listeners.add(listener);
}

function hear() {
  listeners.forEach((listener) => listener());
}

function tell() {
  channel.postMessage("changed");
  hear();
}

channel.onmessage = hear;

/** The strip at the top: what waits, and what was not accepted. Nothing to say: it is not there. */
async function showStrip(strip) {
  const events = await everything();
  const count = (standing) => events.filter((event) => event.standing === standing).length;
  const [waiting, refused, offline] = [count("waiting"), count("refused"), hindered === "offline" || !navigator.onLine];
  const words = [
    offline ? strip.dataset.offline : "",
    waiting ? strip.dataset.waiting.replace("{n}", waiting) : "",
    waiting && hindered === "sign-in" ? strip.dataset.signIn : "",
    refused ? strip.dataset.refused.replace("{n}", refused) : "",
  ].filter(Boolean).join(" ");
  const text = strip.querySelector(".strip-words");
  if (text.textContent !== words) text.textContent = words;
  strip.querySelector(".strip-link").hidden = !(waiting || refused) || location.pathname === strip.dataset.address;
  strip.classList.toggle("strip-refused", refused > 0);
  strip.hidden = !words;
}

/** Whether this device was ever one of a desk. */
export async function exists() {
  return (await indexedDB.databases?.())?.some(({ name }) => name === NAME) ?? false;
}

/** The desk's pages open without network from then on. */
export function beApp() {
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/service-worker.js");
}

/** On every page of the desk: the strip, and sending as soon as there is a way. */
export async function start() {
  const strip = document.getElementById("strip");
  if (strip) listen(() => showStrip(strip));
  const trySending = () => send().catch((error) => console.error(error.name));
  window.addEventListener("online", trySending);
  window.addEventListener("offline", hear);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) trySending(); });
  setInterval(async () => {
    if (hindered || (await everything()).some((event) => event.standing === "waiting")) trySending();
  }, AGAIN);
  hear();
  await trySending();
}

/** This device can keep what is entered; where it cannot, pages work as they do without a script. */
export const able = "indexedDB" in window && "locks" in navigator;
