// The explorer's page of what a search finds.
import {
  address,
  element,
  featureAddress,
  get,
  label,
  link,
  table,
  token,
  tokenLink,
  tokenList,
  whole,
} from "./elements.js";

// Columns of a table of features, with those that are between a feature's layer and its SAE.
const ofFeatures = (...columns) => [
  ["feature", "number", (r) => link(featureAddress(r), String(r.feature))],
  ["layer", "number", (r) => r.layer],
  ...columns,
  ["SAE", "text", (r) => r.sae],
];
const labelled = ofFeatures(
  ["label", "words", label],
  ["promotes", "tokens", (r) => tokenList(r.model, r.top_token_ids, r.top_tokens, "promotes")],
);

// The kinds of what is found, in their order, each with the columns of its table.
const kinds = [
  ["features", "Features of this number", labelled],
  [
    "tokens",
    "Tokens",
    [
      ["token", "tokens", (r) => tokenLink(r.model, r.token_id, r.text, "promotes")],
      ["id", "number", (r) => r.token_id],
      ["model", "text", (r) => r.model],
    ],
  ],
  [
    "sets",
    "Token sets",
    [
      ["set", "text", (r) => link(address("set", { model: r.model, set: r.token_set }), r.token_set)],
      ["family", "text", (r) => r.family],
      ["tokens", "number", (r) => r.members],
      ["model", "text", (r) => r.model],
    ],
  ],
  ["labels", "Features by label", labelled],
  [
    "explanations",
    "Features by explanation",
    ofFeatures(["explanation", "words", (r) => r.description], ["by", "text", (r) => r.explainer]),
  ],
  ["notes", "Notes of your own", ofFeatures(["label", "words", (r) => r.label], ["note", "words", (r) => r.note])],
];

export async function searchPage(p) {
  if (!(p.q || "").trim())
    return [
      "Search",
      element("h1", {}, "Search"),
      element(
        "p",
        {},
        "Look for a part of a token, a token set, a label, an explanation or a note, or for a feature's number: " +
          "63 in every SAE, 29/63 in layer 29.",
      ),
    ];
  const data = await get("search", { q: p.q }),
    some = kinds.filter(([kind]) => data[kind].total > 0);
  const heading = element("h1", {}, "Search", element("span", { class: "quiet" }, token(p.q)));
  if (some.length === 0)
    return [
      "Search: " + p.q,
      heading,
      element("p", { role: "status" }, "No token, token set, label, explanation, note or feature number has it."),
    ];
  return [
    "Search: " + p.q,
    heading,
    element(
      "p",
      { class: "quiet", role: "status" },
      some.map(([kind, title]) => `${title}: ${whole(data[kind].total)}`).join(" · "),
    ),
    ...some.map(([kind, title, columns]) =>
      element(
        "section",
        {},
        element("h2", {}, title),
        table(title, columns, data[kind].rows),
        data[kind].total > data[kind].rows.length
          ? element(
              "p",
              { class: "pager" },
              `The first ${data[kind].rows.length}. `,
              link(address("sql", { q: data[kind].query }), `All ${whole(data[kind].total)} in SQL`),
            )
          : null,
      ),
    ),
  ];
}
