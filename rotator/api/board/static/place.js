// Where somebody works by keyboard stays his place: where what held the focus has gone, what now stands there gets it.

const CAN = "summary, a[href], button:not([disabled])";

export function keepingPlace(work) {
  const part = document.activeElement?.closest("[data-part]");
  const item = document.activeElement?.closest("[data-part] li[data-key], [data-part] tr[data-key]");
  const place = item ? [...item.parentElement.children].indexOf(item) : 0;
  work();
  if (!part || document.activeElement !== document.body) return;
  const items = part.querySelectorAll("li[data-key], tr[data-key]");
  const next = (items[Math.min(place, items.length - 1)] ?? part).querySelector(CAN);
  if (!next) part.tabIndex = -1;
  (next ?? part).focus({ preventScroll: true });
}
