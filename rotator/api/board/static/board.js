// The board's one module. Pages work without it for reading; with it they stay true by themselves, and act.
// live: a stream says that something changed, and the page is fetched again: what is shown is always what the service
//       renders, never a sum made here. acts: a form goes to the API as JSON, once, however often it is sent.

const BEAT_MS = 10_000; // So often the page is asked for when nothing is told: a dead line tells nothing either.
const ANSWER_MS = 8_000; // So long an answer may take before what is shown is called old.
const GATHER_MS = 1_000; // Changes within it are one.
const SPOKEN_MS = 5_000; // So often at most a screen reader is told of the count.

const $ = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const main = $("main");
const line = $("#live");
const said = $("#said");

// ── The page as it is now ───────────────────────────────────────────────────────────────────────────────────────────

const AT_WORK = "details.act[open], dialog[open], form[aria-busy]";
const isAtWork = (element) => element.matches(AT_WORK) || $(AT_WORK, element) !== null;

const keyOf = (node) => node.dataset?.key ?? null;

function isSame(old, now) {
  return old.nodeType === now.nodeType && old.nodeName === now.nodeName && keyOf(old) === keyOf(now);
}

// Make `old` as `now` is, and keep what a person has there: focus, scroll, what is open, what is half written.
function become(old, now) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  if (old.isEqualNode(now) || (keyOf(old) !== null && isAtWork(old))) return;
  const isOpening = old.nodeName === "DETAILS";
  for (const { name } of [...old.attributes]) {
    if (!now.hasAttribute(name) && !(isOpening && name === "open")) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) !== value && !(isOpening && name === "open")) old.setAttribute(name, value);
  }
  const chosen = old.nodeName === "SELECT" ? old.value : null;
  if (!["INPUT", "TEXTAREA"].includes(old.nodeName)) childrenBecome(old, now);
  if (chosen !== null) old.value = chosen;
}

function childrenBecome(old, now) {
  const keyed = new Map([...old.children].filter((each) => keyOf(each) !== null).map((each) => [keyOf(each), each]));
  const wanted = new Set([...now.children].map(keyOf));
  let place = old.firstChild;
  for (const fresh of [...now.childNodes]) {
    let found = keyed.get(keyOf(fresh)) ?? null;
    // What a person works at stays where it is, though it waits no more: it is his to close.
    while (!found && place && keyOf(place) !== null && !wanted.has(keyOf(place)) && isAtWork(place)) {
      place.classList.add("gone");
      place = place.nextSibling;
    }
    if (!found && place && keyOf(place) === null && isSame(place, fresh)) found = place;
    if (!found) {
      old.insertBefore(document.importNode(fresh, true), place);
    } else {
      if (found === place) place = place.nextSibling;
      else old.insertBefore(found, place);
      become(found, fresh);
    }
  }
  while (place) {
    const next = place.nextSibling;
    if (keyOf(place) !== null && isAtWork(place)) place.classList.add("gone");
    else place.remove();
    place = next;
  }
}

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
    if (new URL(answer.url).pathname.startsWith("/sign-in")) location.assign(answer.url);
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (address === location.href) show(page);
    else isOutdated = true;
  }
}

function show(page) {
  for (const part of all("[data-part]", page)) {
    const here = $(`[data-part="${CSS.escape(part.dataset.part)}"]`);
    if (here) become(here, part);
  }
  document.title = page.title;
  main.dataset.asOf = $("main", page).dataset.asOf;
  measure();
  speak();
}

// A link or a question within what is shown changes only that: the page stays, and back leads back.
async function follow(address) {
  if (address !== location.href) history.pushState(null, "", address);
  try {
    await refresh();
    for (const each of all("form.filter input")) if (each !== document.activeElement) each.value = each.defaultValue;
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
addEventListener("popstate", () => follow(location.href));

// ── Live, and honest when it is not ─────────────────────────────────────────────────────────────────────────────────

let source = null;
let last = main.dataset.after ?? "";
let again_ms = 1_000;
let beat = performance.now();
let gathering = null;

function tell(state, text) {
  if (line.textContent !== text) line.textContent = text;
  line.dataset.state = state;
}

function lost() {
  tell("lost", `NOT LIVE since ${main.dataset.asOf.slice(11, 19)} UTC: what you see may be old`);
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
    tell("live", `live · as of ${main.dataset.asOf.slice(11, 19)} UTC`);
  } else if (line.dataset.state === "lost") lost();
}

function connect() {
  source?.close();
  const address = new URL(main.dataset.live, location.href);
  if (last) address.searchParams.set("after", last);
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
    mine.addEventListener(name, (event) => {
      last = event.lastEventId || last;
      gathering ??= setTimeout(() => ((gathering = null), truth()), GATHER_MS);
    });
  }
}

if (main.dataset.live) {
  connect();
  setInterval(() => {
    if (performance.now() - beat > 3 * BEAT_MS) lost(); // It slept: nobody knows what happened meanwhile.
    beat = performance.now();
    truth();
  }, BEAT_MS);
  addEventListener("offline", lost);
  addEventListener("online", connect);
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && (lost(), connect()));
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
  return wholes.length
    ? { query: `?${new URLSearchParams(fields)}`, type: "application/octet-stream", body: whole ?? "" }
    : { query: "", type: "application/json", body: JSON.stringify(fields) };
}

async function act(form) {
  const problem = $(".problem", form);
  problem.replaceChildren();
  form.setAttribute("aria-busy", "true");
  form.dataset.sent ??= newKey();
  const { query, type, body } = given(form);
  const headers = { "Content-Type": type, "Idempotency-Key": form.dataset.sent };
  const token = $("meta[name=csrf-token]")?.content;
  if (token) headers["X-CSRF-Token"] = token;
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
  said.textContent = [fill(form.dataset.done), ...lines].join(" ");
  if (form.dataset.next) return location.assign(fill(form.dataset.next));
  form.reset();
  const opened = form.closest("details.act");
  if (opened) opened.open = false;
  refresh().catch(lost);
}

function refused(form, problem, told) {
  const lines = [told.detail || told.title, ...(told.mend ? [`→ ${told.mend}`] : []), ...(told.open ?? told.warnings ?? [])];
  problem.replaceChildren(...lines.map((each) => Object.assign(document.createElement("p"), { textContent: each })));
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
    follow(`${location.pathname}?${new URLSearchParams(new FormData(form))}`);
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

// ── Said aloud, and measured ────────────────────────────────────────────────────────────────────────────────────────

let speaking = null;

function speak() {
  speaking ??= setTimeout(() => {
    speaking = null;
    const text = $("[data-spoken]")?.textContent.replace(/\s+/g, " ").trim() ?? "";
    const aloud = $("#aloud");
    if (aloud && aloud.textContent !== text) aloud.textContent = text;
  }, SPOKEN_MS);
}

// How long it was between any two milestones that a person chose.
function measure() {
  const [from, to] = all("select[data-moment]").map((each) => Date.parse(each.value));
  const answer = $("#between");
  if (!answer || Number.isNaN(from) || Number.isNaN(to)) return;
  const s = Math.round(Math.abs(to - from) / 100) / 10;
  const units = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
  const large = units.findIndex(([size]) => s >= size);
  const words = large < 0 ? `${s} s` : units.slice(large, large + 2).map(([size, name], at) =>
    `${Math.floor((at ? s % units[large][0] : s) / size)} ${name}`).join(" ");
  answer.textContent = to < from ? `${words} earlier` : words;
}
document.addEventListener("change", measure);
measure();
