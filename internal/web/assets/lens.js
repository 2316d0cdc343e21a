// What a feature comes to write through a lens, beside what it writes directly.
import { address, element, get, link, scores, short, table, tokenLink } from "./elements.js";

const ends = { promoted: "promotes", suppressed: "suppresses" };

// The section of a feature's page, hidden where the feature is computed through no lens.
export function throughLens(f) {
  const box = element("div"),
    select = element("select", { onchange: () => draw() }),
    section = element(
      "section",
      { hidden: true },
      element("h2", {}, "Through a lens"),
      element("label", {}, "lens ", select),
      box,
    );
  const ask = (lens) => get("through", { sae: f.sae, feature: f.feature, lens });
  const failed = (e) => box.replaceChildren(element("p", { class: "error", role: "alert" }, e.message));
  const draw = () =>
    ask(select.value)
      .then((found) => box.replaceChildren(...sideBySide(f, select.value, found)))
      .catch(failed);
  ask()
    .then(({ lenses }) => {
      if (lenses.length === 0) return;
      select.replaceChildren(...lenses.map((name) => element("option", { value: name }, name)));
      section.hidden = false;
      draw();
    })
    .catch((e) => {
      section.hidden = false;
      failed(e);
    });
  return section;
}

function sideBySide(f, lens, found) {
  const t = found.feature,
    moved =
      t.rank_correlation === null
        ? "not computed (saedb compute --lens --rank-correlation)"
        : short(t.rank_correlation);
  const facts = [
    ["label", f.label || "–", t.label || "–"],
    ["role", f.role || "–", t.role || "–"],
    ...["skewness", "kurtosis", "mean", "std"].map((k) => [k, short(f[k]), short(t[k])]),
  ];
  const direct = "directly",
    through = "through " + lens;
  return [
    element(
      "p",
      { class: "note" },
      `From behind block ${t.lens_layer}. Of the ten tokens at either end, ${t.top_overlap} are among those promoted ` +
        `directly and ${t.bottom_overlap} among those suppressed; rank correlation over all tokens: ${moved}.`,
    ),
    table("Figures directly and through the lens", columns(["", direct, through]), facts),
    ...Object.entries(ends).map(([direction, end]) =>
      table(
        "Tokens " + direction + ", directly and through the lens",
        [
          ["", "number", (r) => r.rank],
          [direction + " " + direct, "tokens", (r) => tokenLink(f.model, r.token_id, r.text, end)],
          ["logit weight", "number", (r) => short(r.logit_weight)],
          [direction + " " + through, "tokens", (r) => tokenLink(f.model, r.through_token_id, r.through_text, end)],
          ["logit weight", "number", (r) => short(r.through_logit_weight)],
        ],
        found.tokens.filter((r) => r.direction === direction),
      ),
    ),
    found.enrichment.length === 0
      ? element("p", { class: "quiet" }, "No enrichment is computed through it.")
      : table(
          "Enrichment through the lens",
          [
            ["set", "text", (r) => link(address("set", { model: f.model, set: r.token_set }), r.token_set)],
            ["direction", "text", (r) => r.direction],
            ...scores,
          ],
          found.enrichment,
        ),
  ];
}

// Columns of rows that are lists, by their headings.
const columns = (names) => names.map((name, i) => [name, "text", (r) => r[i]]);
