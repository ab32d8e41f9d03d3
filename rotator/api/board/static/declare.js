// Where an incident is declared: look at what a report names before it is sent, and say what takes so long once it is.
// Nothing of the report is kept here, and the answer names no secret.

const form = document.querySelector("form[data-declares]");
const preview = document.querySelector("#preview");
const waits = document.querySelector("#waits");

function body() {
  const given = [...form.querySelectorAll("[data-body]")].map((each) => each.files?.[0] ?? each.value);
  return given.find(Boolean) ?? "";
}

function line(name, text) {
  return Object.assign(document.createElement(name), { textContent: text });
}

function shown(found) {
  const table = document.createElement("ul");
  for (const each of found.credentials.slice(0, 40)) {
    const places = each.exposures.map((one) => one.where || one.via.join(" → ") || one.source);
    const more = places.length > 1 ? ` and ${places.length - 1} more` : "";
    const row = line("li", "");
    row.append(line("b", each.kind ?? "not recognised"), " ", line("bdi", each.key), " ", line("span", `${places[0] ?? ""}${more}`));
    table.append(row);
  }
  const rest = found.credentials.length - 40;
  const count = `It names ${found.credentials.length} credential${found.credentials.length === 1 ? "" : "s"}.`;
  preview.replaceChildren(line("p", count), table, ...(rest > 0 ? [line("p", `… and ${rest} more`)] : []));
}

async function look(button) {
  const headers = { "Content-Type": "application/octet-stream" };
  const token = document.querySelector("meta[name=csrf-token]")?.content;
  if (token) headers["X-CSRF-Token"] = token;
  button.disabled = true;
  form.querySelector(".problem").replaceChildren(); // What was wrong with another report is wrong with none of this.
  preview.replaceChildren(line("p", "It is read …"));
  try {
    const answer = await fetch("/api/v1/intake", { method: "POST", headers, body: body() });
    const told = await answer.json();
    if (answer.ok) shown(told);
    else preview.replaceChildren(...[told.detail || told.title, told.where === "body" ? "" : told.where, told.mend].filter(Boolean).map((each) => line("p", each)));
  } catch {
    preview.replaceChildren(line("p", "No answer came. Try again."));
  } finally {
    button.disabled = false;
  }
}

if (form) {
  document.querySelector("#look")?.addEventListener("click", (event) => look(event.target));
  new MutationObserver(() => {
    waits.textContent = form.hasAttribute("aria-busy") ? "Issuers are asked whose these are, and the plan is made. It may take minutes." : "";
  }).observe(form, { attributeFilter: ["aria-busy"] });
}
