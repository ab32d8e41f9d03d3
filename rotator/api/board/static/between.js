// How long it was between any two milestones that a person chose.

export function measure() {
  const [from, to] = [...document.querySelectorAll("select[data-moment]")].map((each) => Date.parse(each.value));
  const answer = document.querySelector("#between");
  if (!answer || Number.isNaN(from) || Number.isNaN(to)) return;
  const seconds = Math.abs(to - from) / 1000;
  let left = Math.floor(seconds);
  const words = [];
  for (const [size, name] of [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]]) {
    if (left >= size || (size === 1 && !words.length)) words.push(`${Math.floor(left / size)} ${name}`);
    left %= size;
  }
  if (seconds > 0 && seconds < 10) words.splice(0, 1, `${seconds.toFixed(1)} s`); // As in the list beside it.
  answer.textContent = words.slice(0, 2).join(" ") + (to < from ? " earlier" : "");
}

document.addEventListener("change", measure);
measure();
