/* What this device keeps: entries that wait, that were not accepted, that were put aside; and the day's lists. */

import { able, beApp, everything, listen, send, stand, start, tryAgain } from "./ticks.js";

const kept = document.getElementById("kept");
const words = kept.dataset;

function what({ body }) {
  const key = `event${body.kind.split("_").map((part) => part[0].toUpperCase() + part.slice(1)).join("")}`;
  const number = body.counts ? `: ${words.people.replace("{n}", body.counts.women + body.counts.children + body.counts.men)}` : "";
  return words[key] + number;
}

function line(event, ...buttons) {
  const item = document.createElement("li");
  const text = document.createElement("p");
  const name = document.createElement("strong");
  name.textContent = [event.about?.name, what(event)].filter(Boolean).join(": ");
  text.append(name);
  const where = document.createElement("p");
  where.className = "quiet";
  where.textContent = `${event.about?.title ?? ""} · ${new Date(event.body.occurred_at).toLocaleString(document.documentElement.lang, { timeZone: "Asia/Shanghai" })}`;
  item.append(text, where);
  if (event.code && event.standing !== "waiting") {
    const why = document.createElement("p");
    why.className = "wrong";
    why.textContent = event.said ?? words.invalid;
    item.append(why);
  }
  const actions = document.createElement("p");
  actions.className = "actions";
  for (const [label, does] of buttons) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-outline-primary";
    button.append(label);
    const whom = document.createElement("span");
    whom.className = "visually-hidden";
    whom.textContent = ` ${name.textContent}`;
    button.append(whom);
    button.addEventListener("click", does);
    actions.append(button);
  }
  if (buttons.length) item.append(actions);
  return item;
}

function fill(id, items, { always = false } = {}) {
  const section = document.getElementById(id);
  section.querySelector("ul").replaceChildren(...items);
  section.hidden = !items.length && !always;
}

async function showAll() {
  const events = (await everything()).sort((a, b) => (a.body.occurred_at < b.body.occurred_at ? -1 : 1));
  const of = (standing) => events.filter((event) => event.standing === standing);
  const waiting = of("waiting");
  fill("waiting", waiting.map((event) => line(event)), { always: true });
  document.querySelector("#waiting .empty").hidden = waiting.length > 0;
  document.getElementById("send-now").hidden = !waiting.length;
  fill("refused", of("refused").map((event) => line(event,
    [words.again, () => tryAgain(event.id)], [words.aside, () => stand(event.id, "aside")])));
  fill("aside", of("aside").map((event) => line(event, [words.back, () => stand(event.id, "refused")])));
}

/** Lists that open without network. */
async function showLists() {
  if (!("caches" in window) || !(await caches.has("desk-pages"))) return;
  const pages = await caches.open("desk-pages");
  const items = [];
  for (const request of await pages.keys()) {
    if (!request.url.endsWith("/roll")) continue;
    const page = new DOMParser().parseFromString(await (await pages.match(request)).text(), "text/html");
    const link = document.createElement("a");
    link.href = new URL(request.url).pathname;
    link.textContent = `${page.querySelector("main .time")?.textContent ?? ""} ${page.querySelector("h1")?.textContent ?? ""}`;
    const item = document.createElement("li");
    item.append(link);
    items.push(item);
  }
  fill("lists", items);
}

if (able) {
  listen(showAll);
  document.getElementById("send-now").addEventListener("click", () => send());
  beApp();
  await showLists();
  await start();
}
