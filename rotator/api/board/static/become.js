// Make what is shown like what the service has rendered, and leave alone what a person has there: focus, scroll, what is
// open, what is half written. Elements with `data-key` are the same thing wherever they stand.

const AT_WORK = "details.act[open], dialog[open], form[aria-busy]";
const isAtWork = (element) => element.matches(AT_WORK) || element.querySelector(AT_WORK) !== null;
const keyOf = (node) => node.dataset?.key ?? null;

export function become(old, now) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return;
  }
  if (old.isEqualNode(now) || (keyOf(old) !== null && isAtWork(old))) return;
  const isMine = (name) => name === "open" && old.nodeName === "DETAILS";
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && !isMine(name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) {
    if (old.getAttribute(name) !== value && !isMine(name)) old.setAttribute(name, value);
  }
  const chosen = old.nodeName === "SELECT" ? old.value : null;
  if (!["INPUT", "TEXTAREA"].includes(old.nodeName)) childrenBecome(old, now);
  if (chosen !== null) old.value = chosen;
}

function childrenBecome(old, now) {
  const keyed = new Map(); // What is called alike stays in its order: two sentences may lead to one page.
  for (const each of old.children) keyed.set(keyOf(each), [...(keyed.get(keyOf(each)) ?? []), each]);
  const wanted = new Set([...now.children].map(keyOf));
  const isSame = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;
  let place = old.firstChild;
  for (const fresh of [...now.childNodes]) {
    // What a person works at stays where it is, though it waits no more: it is his to close.
    while (place && keyOf(place) !== null && !wanted.has(keyOf(place)) && isAtWork(place)) {
      place.classList.add("gone");
      place = place.nextSibling;
    }
    let found = keyOf(fresh) === null ? null : (keyed.get(keyOf(fresh))?.shift() ?? null);
    if (!found && keyOf(fresh) === null && place && keyOf(place) === null && isSame(place, fresh)) found = place;
    if (!found) {
      old.insertBefore(document.importNode(fresh, true), place);
      continue;
    }
    if (found === place) place = place.nextSibling;
    else old.insertBefore(found, place);
    found.classList?.remove("gone");
    become(found, fresh);
  }
  while (place) {
    const next = place.nextSibling;
    if (keyOf(place) !== null && isAtWork(place)) place.classList.add("gone");
    else place.remove();
    place = next;
  }
}
