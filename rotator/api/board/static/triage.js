// Whom a notice touches: asked of the API, and put in the places that the page has for it. Nothing is summed here; what is
// shown of others stands there as text.

import { plain } from "./plain.js";

const form = document.querySelector("form[data-triages]");
const found = document.querySelector("#found");
const row = document.querySelector("#vendor");
const names = (text) => text.split(",").map((each) => each.trim()).filter(Boolean);
const CUT = ["credentials", "grants", "tasks", "calls", "least_s"]; // What there is to cut: told behind what a priority is of.
let asked = "";

function line(name, ...content) {
  const made = document.createElement(name);
  made.append(...content);
  return made;
}

const word = (text) => line("bdi", plain(String(text ?? "")));
const quiet = (...content) => Object.assign(line("span", ...content), { className: "quiet" });

async function given() {
  const file = form.record.files[0];
  const records = file ? { [file.name]: await file.text() } : {};
  const text = { advisories: names(form.advisories.value), breached: names(form.breached.value), notice: form.notice.value };
  return JSON.stringify({ ...text, records });
}

function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  headers["X-CSRF-Token"] = document.querySelector("meta[name=csrf-token]")?.content ?? "";
  return fetch(path, { method: "POST", headers, body });
}

function refused(told) {
  const lines = [[told.where, told.detail || told.title].filter(Boolean).join(": "), told.mend && `→ ${told.mend}`];
  form.querySelector(".problem").replaceChildren(...lines.filter(Boolean).map((each) => line("p", plain(each))));
}

function term(each) {
  const name = each.name.replace(/_[hs]$/, "").replaceAll("_", " ");
  const unit = /_[hs]$/.test(each.name) ? ` ${each.unit}` : "";
  const value = each.value === null ? "not known" : each.level || `${each.value}${unit}`;
  const by = each.by ? [", by ", word(each.by)] : [];
  const more = each.ask ? [line("br"), quiet("→ ", word(each.ask))] : [];
  const says = line("dd", word(each.why), " ", quiet("(", word(each.source), ...by, ")"), ...more);
  return line("div", line("dt", `${name} `, line("b", plain(value))), says);
}

function vendor(each, notice) {
  const made = document.importNode(row.content, true);
  const slot = (name) => made.querySelector(`[data-slot="${name}"]`);
  const page = `/vendors/${encodeURIComponent(each.vendor)}`;
  slot("priority").textContent = String(each.priority);
  for (const name of ["vendor", "advice", "because"]) slot(name).append(word(each[name]));
  slot("title").append(word(each.title || each.vendor));
  slot("title").href = page;
  slot("paused").textContent = each.paused ? `paused in ${plain(each.paused)}` : "";
  slot("pause").href = `${page}?${new URLSearchParams({ notice: notice.id })}`;
  slot("pause").className = `button ${each.advice === "watch" ? "" : "danger"}`;
  const isFirst = ({ name }) => !CUT.includes(name);
  slot("terms").append(...each.terms.filter(isFirst).map(term));
  slot("cut").append(...each.terms.filter((one) => !isFirst(one)).map(term));
  slot("grounds").append(...each.grounds.map((one) => line("li", line("b", String(one.likelihood)), " ", word(one.why), " ", quiet("(", word(one.source), ")"))));
  for (const button of made.querySelectorAll("[data-memo]")) {
    button.append(Object.assign(line("span", plain(` of the memo on ${each.vendor}`)), { className: "unseen" }));
    button.addEventListener("click", () => memo(each.vendor, button.dataset.memo));
  }
  return made;
}

function shown(told) {
  const { notice, vendors } = told;
  const notes = notice.notes.map((each) => Object.assign(line("p", word(each)), { className: "warning" }));
  const list = Object.assign(line("ol", ...vendors.map((each) => vendor(each, notice))), { className: "ranked" });
  const none = Object.assign(line("p", "It touches no vendor that is registered."), { className: "empty" });
  found.lastElementChild.replaceChildren(line("p", word(notice.title || notice.id)), ...notes, vendors.length ? list : none);
  found.hidden = false;
  found.focus();
}

// The memo is of the notice that was asked for last, whatever stands in the form by now.
async function memo(of, as) {
  const answer = await ask(`/api/v1/vendors/${encodeURIComponent(of)}/memo.${as}`, asked).catch(() => null);
  if (!answer?.ok) return refused((await answer?.json()) ?? { detail: "No answer came. Try again." });
  const link = line("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = `${of}-memo.${as}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // once it was written
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  form.querySelector(".problem").replaceChildren();
  form.setAttribute("aria-busy", "true");
  try {
    const body = await given();
    const answer = await ask("/api/v1/vendors/triage", body);
    const told = await answer.json();
    if (!answer.ok) return refused(told);
    asked = body;
    shown(told);
  } catch {
    refused({ detail: "No answer came. Try again." });
  } finally {
    form.removeAttribute("aria-busy");
  }
});
