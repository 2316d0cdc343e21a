// Both ends of a feature's ranking of the vocabulary, as bars that part at the middle.
import { element, short, tokenLink } from "./elements.js";

// Which features a token leads to, by the end that it stands at.
const finds = { promoted: "promotes", suppressed: "suppresses", excites: "excited_by" };

// A table of rows of {direction, rank, token_id, text, weight, member}: the end of low weights on
// the left, that of high ones on the right, both to one scale. Members of a set are marked.
export function ends(label, model, rows, [low, high], set) {
  const at = (direction) => rows.filter((r) => r.direction === direction);
  const [left, right] = [at(low), at(high)],
    scale = Math.max(...rows.map((r) => Math.abs(r.weight)), Number.MIN_VALUE);
  const body = element("tbody");
  for (let i = 0; i < Math.max(left.length, right.length); i++)
    body.append(
      element(
        "tr",
        {},
        ...side(left[i], "low"),
        element("th", { scope: "row" }, String(i + 1)),
        ...side(right[i], "high"),
      ),
    );
  function side(r, which) {
    if (!r) return [1, 2, 3].map(() => element("td"));
    const bar = element("span", { class: "bar-" + which + (r.weight < 0 ? " negative" : "") });
    bar.style.width = (100 * Math.abs(r.weight)) / scale + "%";
    const text = finds[r.direction]
      ? tokenLink(model, r.token_id, r.text, finds[r.direction])
      : tokenLink(model, r.token_id, r.text);
    text.title = "token " + r.token_id;
    const cells = [
      element("td", { class: "number" }, short(r.weight)),
      element("td", { class: "bar-cell" }, bar),
      element(
        "td",
        { class: "end-token" },
        r.member ? element("span", { class: "member", role: "img", "aria-label": "of " + set }, "●") : null,
        text,
      ),
    ];
    return which === "low" ? cells : cells.reverse();
  }
  const heads = [
    ["number", "weight"],
    ["bar-cell", ""],
    ["end-token low", low],
    ["", "rank"],
    ["end-token", high],
    ["bar-cell", ""],
    ["number", "weight"],
  ];
  return element(
    "div",
    { class: "ends", role: "region", "aria-label": label, tabindex: "0" },
    element(
      "table",
      {},
      element("caption", { class: "hidden" }, label),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          ...heads.map(([kind, text]) =>
            element(text ? "th" : "td", { class: kind, scope: text ? "col" : null }, text),
          ),
        ),
      ),
      body,
    ),
  );
}
