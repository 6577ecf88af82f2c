/* The roll-call: what stands is what the server said of each person, and what this device has entered since.

   The rule is the server's own (facilities/engine/roll_call.py): of somebody's entries that nobody took back, the one
   with the greatest moment and id stands; `leave` ends a stay and changes nothing else. */

import { able, beApp, device, everything, keep, listen, moment, send, stand, start } from "./ticks.js";
import { canScan, scan } from "./scan.js";

const LOOK_AGAIN = 30_000;
const DAY = 24 * 3600 * 1000;
const TREMBLING = 350;
const roll = document.getElementById("roll");
let mine = [];  // this device's entries of the session, refused ones aside
let own;  // this device's name

const rows = () => [...roll.querySelectorAll("[data-resident]")];
const short = (name) => (name.includes("*") || name.length < 2 ? name : name[0] + "*".repeat(name.length - 1));
const byMoment = (a, b) => a.at - b.at || (a.id < b.id ? -1 : 1);

function entriesOf(resident) {
  return mine.filter((e) => e.body.resident_id === resident && e.body.kind !== "void")
    .map(({ id, body }) => ({ id, kind: body.kind, at: Date.parse(body.occurred_at), late: Boolean(body.late) }));
}

function takenBack() {
  return new Set(mine.filter((e) => e.body.kind === "void").map((e) => e.body.voids));
}

/** What stands of one row: how it looks, and which entry a tap takes back. */
function standing(row, voided = takenBack()) {
  const said = JSON.parse(row.dataset.log).map((e) => ({ ...e, at: Date.parse(e.at) }));
  const known = new Set(said.map((e) => e.id));
  const log = [...said, ...entriesOf(row.dataset.resident).filter((e) => !known.has(e.id))]
    .filter((e) => !voided.has(e.id)).sort(byMoment);
  let [stands, since, left] = [null, null, null];
  for (const entry of log) {
    if (entry.kind === "leave") {
      if (since !== null) [since, left] = [null, entry];
      continue;
    }
    stands = entry;
    if (entry.kind === "present" || entry.kind === "walk_in") since ??= entry.at;
    else [since, left] = [null, null];
  }
  if (!stands) return { look: "open", voids: "" };
  if (stands.kind === "absent" || stands.kind === "excused") return { look: stands.kind, voids: stands.id };
  if (left && since === null) return { look: "left", voids: left.id };
  return { look: stands.late ? "late" : "present", voids: stands.id };
}

function show(row, voided) {
  const { look, voids } = standing(row, voided);
  if (row.dataset.look !== look) {
    row.className = `roll-row roll-${look}`;
    row.querySelector(".roll-state").replaceChildren(roll.querySelector(`template[data-look="${look}"]`).content.cloneNode(true));
    row.querySelector(".roll-does").textContent = look === "open" ? roll.dataset.tap : roll.dataset.undo;
    row.dataset.look = look;
  }
  row.querySelector("input[name=voids]").value = voids;
  row.querySelector(".roll-main").value = look === "open" ? row.dataset.comes : "void";
}

const isHere = (row) => ["present", "late", "left"].includes(row.dataset.look);

/** Walk-ins without a name that nobody took back, in their order. */
function unnamed(voided) {
  const added = mine.filter((e) => e.body.kind === "walk_in" && !e.body.resident_id).map((e) => e.id);
  return [...new Set([...JSON.parse(roll.dataset.unnamed), ...added])].filter((id) => !voided.has(id));
}

/** By device the count that stands. */
function heads(voided) {
  const counts = { ...JSON.parse(roll.dataset.heads) };
  for (const { id, body } of mine.filter((e) => e.body.kind === "head_count" && !voided.has(e.id))) {
    const before = counts[body.device];
    const after = { at: body.occurred_at, id, ...body.counts };
    if (!before || byMoment({ at: Date.parse(before.at), id: before.id }, { at: Date.parse(after.at), id }) < 0) counts[body.device] = after;
  }
  return counts;
}

function showSums(voided) {
  const here = new Map(rows().filter(isHere).map((row) => [row.dataset.resident, row.dataset.category]));
  const [loose, counts] = [unnamed(voided), heads(voided)];
  const people = { women: 0, children: 0, men: 0, unknown: loose.length };
  for (const category of here.values()) people[category] += 1;
  let others = 0;
  for (const [name, count] of Object.entries(counts)) {
    for (const group of ["women", "children", "men"]) {
      people[group] += count[group];
      if (name !== own) others += count[group];
    }
  }
  roll.querySelector("[data-sum=named]").textContent = here.size;
  const [without, number] = [document.getElementById("without"), loose.length + Object.values(counts).reduce((sum, c) => sum + c.women + c.children + c.men, 0)];
  without.textContent = without.dataset.words.replace("{n}", number);
  without.hidden = !number;
  for (const [group, number] of Object.entries(people)) {
    const shown = roll.querySelector(`[data-people=${group}]`);
    shown.textContent = number;
    shown.parentElement.hidden = group === "unknown" && !number;
  }
  const words = roll.querySelector("[data-unnamed-words]");
  words.textContent = words.dataset.unnamedWords.replace("{n}", loose.length);
  document.getElementById("undo-unnamed").hidden = !loose.length;
  const elsewhere = document.getElementById("others");
  elsewhere.hidden = !others;
  elsewhere.textContent = elsewhere.dataset.words.replace("{n}", others);
  const form = document.getElementById("head-count");
  if (!form.contains(document.activeElement) && form.dataset.shown !== (counts[own]?.id ?? "")) {
    for (const input of form.querySelectorAll("input[type=number]")) input.value = counts[own]?.[input.name] ?? 0;
    form.dataset.shown = counts[own]?.id ?? "";
  }
}

async function showAll() {
  mine = (await everything()).filter((e) => e.body.session_id === roll.dataset.session && ["waiting", "sent"].includes(e.standing));
  const voided = takenBack();
  for (const row of rows()) show(row, voided);
  showSums(voided);
}

/** When something counts as having happened: now, but not after the days of entering; and who leaves, left by the end. */
async function stamp(body, row) {
  let at = Date.parse(await moment());
  if (body.kind === "leave" && at > Date.parse(roll.dataset.gone)) return new Date(roll.dataset.ends).toISOString();
  if (row) {  // after what stands of the same person, whatever a clock says: the last tap is meant
    const known = [...JSON.parse(row.dataset.log).map((e) => Date.parse(e.at)), ...entriesOf(row.dataset.resident).map((e) => e.at)];
    at = Math.max(at, ...known.map((each) => each + 1));
  }
  return new Date(Math.min(at, Date.parse(roll.dataset.closes))).toISOString();
}

async function enter(bodies, { name = "", rows = [] } = {}) {
  const about = { name: short(name), title: roll.dataset.title };
  const stamped = [];
  for (const [n, body] of bodies.entries()) {
    stamped.push({ session_id: roll.dataset.session, occurred_at: await stamp(body, rows[n]), ...body });
  }
  const kept = await keep(stamped, about);
  await showAll();
  send().then((sent) => sent && lookAgain()).catch((error) => console.error(error.name));
  return kept;
}

function bodyOf(row, pressed) {
  if (pressed === "void") return { kind: "void", voids: row.querySelector("input[name=voids]").value };
  const late = pressed === "late" ? { late: true } : {};
  return { kind: pressed === "late" ? "present" : pressed, resident_id: row.dataset.resident, ...late };
}

function say(words) {
  document.getElementById("said").textContent = words;
}

async function tickRow(row, pressed) {
  if (row.dataset.pending) return;
  const body = bodyOf(row, pressed);
  if (body.kind === "void" && Date.parse(await moment()) > Date.parse(roll.dataset.closes)) {
    location.assign(`${roll.dataset.history}/${body.voids}`);  // on a later day it is asked why
    return;
  }
  row.dataset.pending = "yes";
  try {
    await enter([body], { name: row.dataset.name, rows: [row] });
  } finally {
    delete row.dataset.pending;
  }
  say(roll.dataset.said.replace("{name}", row.dataset.name).replace("{what}", row.querySelector(".roll-state").textContent.trim()));
  const menu = row.querySelector(".roll-more[open]");
  if (menu) {
    menu.open = false;
    row.querySelector(".roll-main").focus();
  }
}

/** What other devices have entered meanwhile; the rows stay where they are, for whoever is about to tap. */
async function lookAgain() {
  let page;
  try {
    const answer = await fetch(roll.dataset.address, { redirect: "manual" });
    if (!answer.ok) return;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return;
  }
  const fresh = page.getElementById("roll");
  if (!fresh) {  // called off meanwhile: the page says so
    location.assign(roll.dataset.address);
    return;
  }
  for (const row of listed()) {  // a place that was given back is not on the list any more
    if (row.dataset.reference && !page.getElementById(row.id) && !entriesOf(row.dataset.resident).length) row.remove();
  }
  for (const name of ["heads", "unnamed"]) roll.dataset[name] = fresh.dataset[name];
  for (const row of fresh.querySelectorAll("[data-resident]")) {
    const here = document.getElementById(row.id);
    if (here) renew(here, row);
    else if (row.dataset.comes === "present") appear(row, fresh);
  }
  await showAll();
}

function renew(here, row) {
  here.dataset.log = row.dataset.log;
  const [shown, said] = [here, row].map((each) => each.querySelector(".roll-times"));
  if (said && shown.textContent !== said.textContent) shown.textContent = said.textContent;
}

function appear(row, fresh) {
  const section = row.closest("section");
  const list = roll.querySelector(`section[aria-labelledby="${section.getAttribute("aria-labelledby")}"] > ul`);
  if (list) list.append(document.adoptNode(row));
  else if (section.parentElement === fresh) roll.querySelector(".desk-forms").before(document.adoptNode(section));
}

// -- finding

const folded = (text) => text.normalize("NFKC").toLowerCase().replace(/\s/g, "");
const listed = () => [...roll.querySelectorAll("section > .roll > [data-resident]")];

function filter(input) {
  const wanted = folded(input.value);
  const shown = listed().filter((row) => {
    row.hidden = wanted !== "" && !row.dataset.keys.split(" ").some((key) => key.includes(wanted));
    return !row.hidden;
  });
  document.getElementById("find-said").textContent = !wanted ? "" : shown.length ? roll.dataset.found.replace("{n}", shown.length) : roll.dataset.none;
  return wanted ? shown : [];
}

// -- codes

async function readCode(text) {
  const code = text.trim();
  const said = document.getElementById("scan-said");
  if (!code) return;
  const row = listed().find((each) => each.dataset.code === code || each.dataset.reference === code.toUpperCase().replace(/[\s-]/g, ""));
  if (row) {
    if (!isHere(row)) await tickRow(row, "present");
    said.textContent = roll.dataset.ticked.replace("{name}", row.dataset.name);
    row.scrollIntoView({ block: "nearest" });
    return;
  }
  if (!navigator.onLine) {
    said.textContent = roll.dataset.unknown;
    return;
  }
  const [kept] = await enter([{ kind: "present", ...(code.includes(".") ? { check_in_code: code } : { reference: code }) }]);
  await send();
  const result = (await everything()).find((event) => event.id === kept.id);
  if (result.standing === "refused") await stand(kept.id, "aside");  // it is said here, where it was typed
  said.textContent = result.standing === "sent" ? roll.dataset.ticked.replace("{name}", code) : result.said ?? roll.dataset.unknown;
}

// -- the page

/** What a button means, as a promise that it is kept; nothing where the server has to be asked. */
function meaning(form, submitter) {
  const row = form.closest("[data-resident]");
  if (row) return isTrembling(row) ? Promise.resolve() : tickRow(row, submitter.value);
  if (form.id === "undo-unnamed") return enter([{ kind: "void", voids: unnamed(takenBack()).at(-1) }]);
  if (form.id === "walk-in-form") return walkIn(form);
  if (form.id === "head-count") return countHeads(form);
  if ("all" in submitter.dataset) {
    const open = listed().filter((each) => each.dataset.look === "open" && each.dataset.reference && !each.hidden);
    return open.length ? enter(open.map((each) => bodyOf(each, submitter.value)), { rows: open }) : Promise.resolve();
  }
  return null;  // a number to look up
}

function walkIn(form) {
  if (!form.elements.phone.value.trim()) return enter([{ kind: "walk_in" }]);
  if (navigator.onLine) return null;
  complain(form, roll.dataset.needsNetwork);
  return Promise.resolve();
}

function countHeads(form) {
  const counts = countsOf(form);
  const people = counts.women + counts.children + counts.men;
  if (counts.elders > counts.women + counts.men || counts.disabled > people) complain(form, roll.dataset.tooMany);
  else if (form.reportValidity()) return enter([{ kind: "head_count", counts }]);
  return Promise.resolve();
}

/** Beside the form, until it is sent again. */
function complain(form, words) {
  let line = form.querySelector(".wrong.said-here");
  if (!line) {
    line = document.createElement("p");
    line.className = "wrong said-here";
    line.setAttribute("role", "alert");
    form.append(line);
  }
  line.textContent = words;
}

/** A second tap takes back what the first has ticked, but not one that comes of a shaking hand. */
function isTrembling(row) {
  const before = Number(row.dataset.tapped ?? 0);
  row.dataset.tapped = Date.now();
  return Date.now() - before < TREMBLING;
}

function takeOver() {
  let keeps = true;
  roll.addEventListener("submit", (event) => {
    const [form, submitter] = [event.target, event.submitter];
    if (form.id === "code-form") {
      const field = document.getElementById("code");
      readCode(field.value);
      field.value = "";
      event.preventDefault();
      return;
    }
    form.querySelector(".said-here")?.remove();
    const kept = keeps ? meaning(form, submitter) : null;
    if (!kept) return;
    event.preventDefault();
    kept.catch(() => {  // this device can keep nothing: then as without a script
      keeps = false;
      form.requestSubmit(submitter);
    });
  });
  const find = document.getElementById("find");
  document.getElementById("find-field").hidden = false;
  find.addEventListener("input", () => filter(find));
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const found = filter(find);
    if (found.length === 1 && !isHere(found[0])) tickRow(found[0], "present").then(() => { find.value = ""; filter(find); });
  });
  const camera = document.getElementById("camera");
  canScan().then((possible) => { camera.hidden = !possible; });
  camera.addEventListener("click", () => scan(document.getElementById("view"), camera, readCode));
}

function countsOf(form) {
  return Object.fromEntries([...form.querySelectorAll("input[type=number]")].map((input) => [input.name, Number(input.value) || 0]));
}

async function openInTime() {
  const wait = Date.parse(roll.dataset.opens) - Date.parse(await moment());
  if (!roll.inert || wait > DAY) return;
  setTimeout(() => {
    roll.inert = false;
    document.getElementById("not-yet")?.remove();
  }, Math.max(0, wait));
}

if (able) {
  if (roll) {
    own = await device();
    takeOver();
    listen(showAll);
    setInterval(() => { if (!document.hidden && navigator.onLine) lookAgain(); }, LOOK_AGAIN);
  }
  beApp();
  await start();
  if (roll) await openInTime();
}
