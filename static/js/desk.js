/* The desk's first page: takes the day's lists onto the device, so that they open where there is no network. */

import { able, beApp, start } from "./ticks.js";

async function keepLists() {
  const lists = [...document.querySelectorAll("[data-keep] a[data-roll]")].map((link) => link.href);
  const worker = await navigator.serviceWorker.ready;
  if (lists.length) worker.active.postMessage({ keep: lists });
}

if (able) {
  beApp();
  await start();
  if ("serviceWorker" in navigator && navigator.onLine) await keepLists();
}
