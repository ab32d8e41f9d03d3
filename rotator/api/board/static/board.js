// The board's module. Pages can be read without it; with it they stay true by themselves, and act.
// A stream says that something changed, and the page is fetched again: what is shown is always what the service renders,
// never a sum made here. A form goes to the API as JSON, once, however often it is sent.

import { measure } from "./between.js";
import { become } from "./become.js";
import { keepingPlace } from "./place.js";
import { plain } from "./plain.js";

const BEAT_MS = 10_000; // So often the page is asked for when nothing is told: a dead line tells nothing either.
const ANSWER_MS = 8_000; // So long an answer may take before what is shown is called old.
const GATHER_MS = 1_000; // Changes within it are one.
const SPOKEN_MS = 5_000; // So often at most a screen reader is told of the count.
const TOLD = 10; // So many lines at most of why not.
const SAID_MS = 20_000; // So long it stands there what became of an act.

const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const main = $("main");
const line = $("#live");
const said = $("#said");
const clock = () => `${main.dataset.asOf.slice(11, 19)} UTC`;

// ── The page as it is now ───────────────────────────────────────────────────────────────────────────────────────────

let running = null;
let isOutdated = false;

// Fetch the page and show what differs; what is asked for while it is under way is asked again after it.
function refresh() {
  isOutdated = true;
  running ??= untilTrue().finally(() => (running = null));
  return running;
}

async function untilTrue() {
  while (isOutdated) {
    isOutdated = false;
    const address = location.href;
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(ANSWER_MS) });
    if (new URL(answer.url).pathname.startsWith("/sign-in")) return location.assign(answer.url);
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (address === location.href) show(page);
    else isOutdated = true;
  }
}

function show(page) {
  const parts = all("[data-part]").map((here) => [here, $(`[data-part="${CSS.escape(here.dataset.part)}"]`, page)]);
  if (parts.some(([, part]) => !part)) return location.reload(); // It is another page by now.
  keepingPlace(() => parts.forEach(([here, part]) => become(here, part)));
  document.title = page.title;
  Object.assign(main.dataset, $("main", page).dataset);
  measure();
  speak();
}

// A link or a question within what is shown changes only that: the page stays, and back leads back.
async function follow(address, isBack = false) {
  if (address !== location.href) history.pushState(null, "", address);
  at = location.pathname + location.search;
  try {
    await refresh();
    for (const each of all("form.filter")) if (isBack || !each.contains(document.activeElement)) each.reset();
    if (location.hash) $(location.hash)?.scrollIntoView();
  } catch {
    location.assign(address);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-part] a[href]");
  const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button);
  if (!link || !isPlain || link.hasAttribute("download") || link.pathname !== location.pathname) return;
  if (link.origin !== location.origin || link.search === location.search) return;
  event.preventDefault();
  follow(link.href);
});
// A leap within the page (the skip link, say) is told as a step of history too: the page is the same.
let at = location.pathname + location.search;
addEventListener("popstate", () => at !== location.pathname + location.search && follow(location.href, true));

// ── Live, and honest when it is not ─────────────────────────────────────────────────────────────────────────────────

let source = null;
let again_ms = 1_000;
let beat = performance.now();
let gathering = null;

function tell(state, text) {
  line.role = state === "lost" ? "alert" : null;
  line.dataset.state = state;
  if (line.textContent !== text) line.textContent = text;
}

function lost() {
  tell("lost", `NOT LIVE since ${clock()}: what you see may be old`);
}

// Nothing is called live before all of it was fetched while the stream was open.
async function truth() {
  const through = source;
  try {
    await refresh();
  } catch {
    return lost();
  }
  if (through === source && source?.readyState === EventSource.OPEN) {
    tell("live", `live · as of ${clock()}`);
  } else if (line.dataset.state === "lost") lost();
  if (main.dataset.again) soon(); // What stood before is shown, and what is so now is being made.
}

function soon() {
  gathering ??= setTimeout(() => ((gathering = null), truth()), GATHER_MS);
}

function connect() {
  source?.close();
  const address = new URL(main.dataset.live, location.href);
  if (main.dataset.after) address.searchParams.set("after", main.dataset.after); // where what is shown stands
  const mine = (source = new EventSource(address));
  mine.onopen = () => ((again_ms = 1_000), truth());
  mine.onerror = () => {
    mine.close();
    if (mine !== source) return;
    lost();
    setTimeout(() => mine === source && connect(), again_ms);
    again_ms = Math.min(again_ms * 2, BEAT_MS);
  };
  for (const name of ["evidence", "counts"]) {
    mine.addEventListener(name, soon);
  }
}

if (main.dataset.live) {
  if (!document.hidden) connect(); // Nor does one that was opened behind another.
  setInterval(() => {
    if (document.hidden) return;
    if (performance.now() - beat > 3 * BEAT_MS) lost(); // It slept: nobody knows what happened meanwhile.
    beat = performance.now();
    truth();
  }, $('[data-part="being-read"]') ? GATHER_MS : BEAT_MS);
  addEventListener("offline", lost);
  addEventListener("online", () => document.hidden || connect());
  // A browser has six lines to a service: a page that nobody sees keeps none of them.
  document.addEventListener("visibilitychange", () => {
    if (line.dataset.state === "live") tell("still", `as of ${clock()}`);
    if (document.hidden) source = source?.close() ?? null;
    else (beat = performance.now()), connect();
  });
}

// ── Acts ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");

function given(form) {
  const fields = {};
  for (const each of form.elements) {
    if (!each.name || each.disabled || "body" in each.dataset) continue;
    if (each.type === "checkbox") fields[each.name] = each.checked;
    else if (each.value !== "") fields[each.name] = each.value;
  }
  // A form with a file, or a place to paste one, sends that as it is, and the fields beside it.
  const wholes = all("[data-body]", form);
  const whole = wholes.map((each) => each.files?.[0] ?? each.value).find(Boolean);
  for (const each of wholes) if (each.files?.[0] && each.dataset.named) fields[each.dataset.named] = each.files[0].name;
  return wholes.length
    ? { query: `?${new URLSearchParams(fields)}`, type: "application/octet-stream", body: whole ?? "" }
    : { query: "", type: "application/json", body: JSON.stringify(fields) };
}

async function act(form) {
  const problem = $(".problem", form);
  problem.replaceChildren();
  said.replaceChildren(); // What became of the one before says nothing of this one.
  form.setAttribute("aria-busy", "true");
  form.dataset.sent ??= newKey();
  const { query, type, body } = given(form);
  const headers = { "Content-Type": type, "Idempotency-Key": form.dataset.sent };
  headers["X-CSRF-Token"] = $("meta[name=csrf-token]")?.content ?? "";
  try {
    const answer = await fetch(form.dataset.path + query, { method: form.dataset.method, headers, body });
    const told = await answer.json();
    delete form.dataset.sent;
    if (answer.ok) done(form, told);
    else refused(form, problem, told);
  } catch {
    problem.textContent = "No answer came: it may be done or not. Send it again; it is done once.";
  } finally {
    form.removeAttribute("aria-busy");
  }
}

function done(form, told) {
  const fill = (text) => text.replace(/\{(\w+)\}/g, (_, name) => [told[name] ?? ""].flat().join(", "));
  const more = { warnings: "", wanted: "Still wanted: ", stopped: "It is kept from going on: ", still: "Still stopped: " };
  const lines = Object.keys(more).filter((name) => told[name]?.length).map((name) => `${more[name]}${told[name].join("; ")}.`);
  if (told.start) lines.push(`Nobody works here: start \`${told.start}\`.`);
  const text = (said.textContent = plain([fill(form.dataset.done), ...lines].join(" ")));
  setTimeout(() => said.textContent === text && said.replaceChildren(), SAID_MS);
  if (form.dataset.next) return location.assign(fill(form.dataset.next));
  form.reset();
  const opened = form.closest("details.act");
  if (opened) (opened.open = false), $("summary", opened).focus();
  refresh().catch(lost);
}

function refused(form, problem, told) {
  const more = told.each ?? told.open ?? told.warnings ?? [];
  const what = told.each ? "It is refused while these are so:" : told.detail || told.title; // its detail has all in one line
  const where = /^(body|query|header)\b/.test(told.where ?? "") ? "" : told.where; // The form shows which field it is.
  const lines = [[where, what].filter(Boolean).join(": "), ...(told.mend ? [`→ ${told.mend}`] : []), ...more.slice(0, TOLD)];
  if (more.length > TOLD) lines.push(`… and ${more.length - TOLD} more`);
  problem.replaceChildren(...lines.map((each) => Object.assign(document.createElement("p"), { textContent: plain(each) })));
  for (const asked of all(`[data-on~="${CSS.escape(told.reason ?? "")}"]`, form)) {
    asked.hidden = false;
    for (const each of all("input, select, textarea", asked)) each.disabled = false;
    $("input, select, textarea", asked).focus();
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("form.act")) {
    event.preventDefault();
    if (!form.hasAttribute("aria-busy")) act(form);
  } else if (form.matches("form.filter")) {
    event.preventDefault();
    const asked = [...new FormData(form)].filter(([, value]) => value !== "");
    follow(`${location.pathname}?${new URLSearchParams(asked)}`);
  }
});
document.addEventListener("toggle", (event) => {
  if (!event.target.matches("details.act")) return;
  if (event.target.open) $("form input:not([type=hidden]), form select, form textarea", event.target)?.focus();
  else refresh().catch(lost);
}, true);
document.addEventListener("keydown", (event) => {
  const opened = event.key === "Escape" && event.target.closest("details.act[open]");
  if (opened) (opened.open = false), $("summary", opened).focus();
});

// ── Said aloud ──────────────────────────────────────────────────────────────────────────────────────────────────────

let speaking = null;

function speak() {
  speaking ??= setTimeout(() => {
    speaking = null;
    const text = $("[data-spoken]")?.textContent.replace(/\s+/g, " ").trim() ?? "";
    const aloud = $("#aloud");
    if (aloud && aloud.textContent !== text) aloud.textContent = text;
  }, SPOKEN_MS);
}
