// The explorer's page of one token: which features write it or are excited by it.
import {
  address,
  element,
  featureAddress,
  get,
  link,
  remember,
  short,
  table,
  tabs,
  token,
  tokenLink,
  whole,
} from "./elements.js";

// The ends of a ranking that features are found by, and what a feature of each does.
const atEnds = [
  ["promotes", "promote it"],
  ["suppresses", "suppress it"],
  ["excited_by", "are excited by it"],
];
const most = 200;

export async function tokenPage(p, overview) {
  const data = await get("token", { model: p.model, id: p.id }),
    t = data.token;
  const total = (end) =>
    data.counts.filter((c) => c.parameter === end && c.token_id === t.token_id).reduce((n, c) => n + c.features, 0);
  const kinds = atEnds
    .filter(([end]) => end !== "excited_by" || data.counts.some((c) => c.parameter === end))
    .map(([end, does]) => [
      end,
      `${whole(total(end))} features ${does}`,
      () => [heat(data, end, overview), features(data, end, total(end))],
    ]);
  return [
    token(t.text),
    element(
      "h1",
      {},
      element("code", {}, token(t.text)),
      element("span", { class: "quiet" }, `token ${t.token_id} · ${t.model}`),
    ),
    facts(t),
    element(
      "p",
      {},
      ...(data.sets.length === 0
        ? ["It is in no token set."]
        : [
            "In the token sets: ",
            ...data.sets.flatMap((s, i) => [
              i > 0 ? ", " : "",
              link(address("set", { model: t.model, set: s.token_set }), s.token_set),
              element("small", { class: "quiet" }, ` ${whole(s.size)} tokens`),
            ]),
          ]),
    ),
    tabs("End of the ranking", kinds, p.end, (end) => remember("token", p, { end })),
  ];
}

function facts(t) {
  const said = [];
  if (t.token !== null && t.token !== t.text) said.push(`The tokenizer spells it ${t.token}.`);
  if (t.is_special) said.push("It is a special token.");
  if (t.is_padding) said.push("It is padding: no token of the tokenizer.");
  return said.length > 0 ? element("p", { class: "quiet" }, said.join(" ")) : null;
}

// How many features of each SAE have the token, or the same word spelt otherwise, at an end.
function heat(data, end, overview) {
  const saes = overview.saes.filter((s) => s.model === data.token.model),
    named = new Set(saes.map((s) => s.layer)).size === saes.length;
  const counts = data.counts.filter((c) => c.parameter === end),
    at = new Map(counts.map((c) => [c.token_id + " " + c.sae, c])),
    greatest = Math.max(1, ...counts.map((c) => c.features));
  const cell = (t, s) => {
    const c = at.get(t.token_id + " " + s.sae);
    if (!c) return element("td", { class: "none" }, "·");
    const made = element(
      "td",
      {},
      element(
        "a",
        {
          href: address("features", { [end]: t.token_id, model: data.token.model, sae: s.sae }),
          title: `${c.features} features of ${s.sae}, the best rank ${c.best}`,
        },
        String(c.features),
        element("small", {}, " #" + c.best),
      ),
    );
    made.style.setProperty("--heat", (15 + (70 * c.features) / greatest).toFixed(0) + "%");
    return made;
  };
  const row = (t) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, tokenLink(data.token.model, t.token_id, t.text, end)),
      ...saes.map((s) => cell(t, s)),
    );
  const heads = saes.map((s) =>
    element("th", { scope: "col" }, link(address("layer", { sae: s.sae }), named ? "layer " + s.layer : s.sae)),
  );
  return element(
    "section",
    {},
    element("h2", {}, "By layer"),
    element(
      "p",
      { class: "note" },
      "How many features have it among the tokens that are stored of that end, and # the best of its ranks there;" +
        " below it, the same word with other capitals or spaces.",
    ),
    element(
      "div",
      { class: "scroll heat", role: "region", "aria-label": "Features by token and layer", tabindex: "0" },
      element(
        "table",
        {},
        element("caption", { class: "hidden" }, "Features by token and layer"),
        element("thead", {}, element("tr", {}, element("td"), ...heads)),
        element("tbody", {}, ...data.spellings.map(row)),
      ),
    ),
  );
}

// The features, by layer, those of the best ranks where they are many.
function features(data, end, total) {
  const t = data.token,
    box = element("div", {}, element("p", { class: "quiet" }, total > 0 ? "…" : "None."));
  if (total > 0)
    get("features", { [end]: t.token_id, model: t.model, sort: "rank", limit: most })
      .then((found) => {
        const rows = found.rows.sort((a, b) => (a.layer ?? 0) - (b.layer ?? 0) || a.rank - b.rank);
        box.replaceChildren(
          table(
            "Features",
            [
              ["layer", "number", (r) => r.layer],
              ["feature", "number", (r) => link(featureAddress(r), String(r.feature))],
              ["rank", "number", (r) => r.rank],
              [end === "excited_by" ? "input weight" : "logit weight", "number", (r) => short(r.weight)],
              ["label", "words", (r) => r.label || "–"],
              ["SAE", "text wide", (r) => r.sae],
            ],
            rows,
          ),
        );
      })
      .catch((e) => box.replaceChildren(element("p", { class: "error", role: "alert" }, e.message)));
  return element(
    "section",
    {},
    element("h2", {}, "Features"),
    total > most ? element("p", { class: "note" }, `The ${most} of the best ranks, by layer.`) : null,
    element("p", {}, link(address("features", { [end]: t.token_id, model: t.model }), "in the table of features")),
    box,
  );
}
