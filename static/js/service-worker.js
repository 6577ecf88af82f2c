/* Lets the desk open where there is no network. It keeps two things apart: files, which are the same for everybody, and
   pages with names, which are kept for one day and are gone as soon as somebody signs out or is no longer let in. */

const FILES = "desk-files";
const PAGES = "desk-pages";
const OUT = "/sign-out-wanted";
const SHELL = "/desk/waiting";
const PATIENCE = 4000;
const DAY = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai", dateStyle: "short" });

const isList = (path) => path === "/desk" || /^\/desk\/sessions\/\d+\/roll$/.test(path);
const isFile = (path) => path.startsWith("/static/") || path.startsWith("/bootstrap/static/") || path === "/manifest.webmanifest";

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keepShell());
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** The page that is there when no other is: nobody's, so it is asked for as nobody; with the files that it needs. */
async function keepShell() {
  const files = await caches.open(FILES);
  const answer = await fetch(SHELL, { credentials: "omit" });
  if (!answer.ok) return;
  const page = await answer.clone().text();
  await files.put(SHELL, answer);
  const needed = [...page.matchAll(/(?:href|src)="(\/[^"]+\.(?:css|js|svg|woff2?))[^"]*"/g)].map((found) => found[1]);
  await files.addAll([...new Set([...needed, ..."ticks roll scan desk waiting".split(" ").map((name) => `/static/js/${name}.js`)])]);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  if (request.method === "POST" && url.pathname === "/sign-out") event.respondWith(signOut(request));
  else if (request.method !== "GET") return;
  else if (isFile(url.pathname)) event.respondWith(file(request, event));
  else if (isList(url.pathname) && !url.search) event.respondWith(list(request));
  else if (request.mode === "navigate" && url.pathname.startsWith("/desk")) event.respondWith(fetch(request).catch(shell));
});

/** The server says which pages are of the day. */
const isKept = (answer) => answer.ok && answer.headers.has("X-Huimin-Keep");

async function forgetYesterday(pages) {
  for (const request of await pages.keys()) {
    const made = new Date((await pages.match(request)).headers.get("Date"));
    if (DAY.format(made) !== DAY.format(new Date())) await pages.delete(request);
  }
}

/** From the device at once, and renewed behind it. */
async function file(request, event) {
  const files = await caches.open(FILES);
  const kept = await files.match(request, { ignoreSearch: true });
  const fresh = fetch(request).then((answer) => {
    if (answer.ok) event.waitUntil(files.put(request, answer.clone()));
    return answer;
  });
  if (!kept) return fresh;
  event.waitUntil(fresh.catch(() => undefined));
  return kept;
}

/** From the network where there is one; else what was kept today. */
async function list(request) {
  const pages = await caches.open(PAGES);
  const path = new URL(request.url).pathname;
  await forgetYesterday(pages);
  const network = fetch(request).then(async (answer) => {
    if (answer.status >= 500) throw new Error("no answer of ours");
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) await caches.delete(PAGES);
    else if (isKept(answer)) await pages.put(path, answer.clone());
    return answer;
  });
  try {
    return await Promise.race([network, new Promise((_, reject) => { setTimeout(reject, PATIENCE, "slow"); })]);
  } catch {
    const kept = await pages.match(path);
    if (kept) return kept;
    return network.catch(() => (request.mode === "navigate" ? shell() : Response.error()));
  }
}

async function shell() {
  return (await (await caches.open(FILES)).match(SHELL)) ?? Response.error();
}

/** Names leave the device first, network or not; what was entered and not sent stays. */
async function signOut(request) {
  await caches.delete(PAGES);
  if (request.mode !== "navigate") return fetch(request);
  return fetch(request).catch(async () => {
    await (await caches.open(FILES)).put(OUT, new Response(""));  // told as soon as there is a network (ticks.js)
    return shell();
  });
}

/** The day's lists, and no others. */
async function keepLists(addresses) {
  const pages = await caches.open(PAGES);
  await forgetYesterday(pages);
  const wanted = new Set(addresses.map((address) => new URL(address).pathname));
  for (const request of await pages.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/desk" && !wanted.has(pathname)) await pages.delete(request);
  }
  for (const path of wanted) {
    const answer = await fetch(path, { redirect: "manual" }).catch(() => null);
    if (!answer) return;
    if (isKept(answer)) await pages.put(path, answer);
  }
}

self.addEventListener("message", (event) => {
  if (event.data?.keep) event.waitUntil(keepLists(event.data.keep));
});
