// The explorer's page of one feature.
import {
  address,
  apart,
  element,
  featureAddress,
  figure,
  get,
  label,
  link,
  outside,
  scores,
  short,
  table,
  tokenLink,
  tokenList,
} from "./elements.js";
import { throughLens } from "./lens.js";

export async function featurePage(p, overview, shown) {
  const data = await get("feature", p),
    f = data.feature,
    of = { sae: f.sae, feature: f.feature };
  const facts = element(
    "dl",
    { class: "facts" },
    ...["skewness", "kurtosis", "mean", "std", "log_sparsity", "cos_skewness", "cos_kurtosis"].map((k) =>
      element("div", {}, element("dt", {}, k.replace("_", " ")), element("dd", {}, short(f[k]))),
    ),
  );
  const ends = (direction, title) =>
    element(
      "section",
      {},
      element("h2", {}, title),
      table(
        title,
        [
          ["", "number", (r) => r.rank],
          ["token", "tokens", (r) => tokenLink(f.model, r.token_id, r.text, title.toLowerCase())],
          ["id", "number", (r) => r.token_id],
          ["logit weight", "number", (r) => short(r.logit_weight)],
        ],
        data.tokens.filter((t) => t.direction === direction),
      ),
    );
  const curve = element("div"),
    spread = element("div");
  const show = (set) => {
    curve.replaceChildren(figure({ name: "running-sum", ...of, set }));
    spread.replaceChildren(figure({ name: "feature", ...of, set }, { title: "Logit weights, " + set + " apart" }));
  };
  const enriched =
    data.enrichment.length === 0
      ? element("p", { class: "quiet" }, "No enrichment is computed; saedb load sets, then saedb compute.")
      : element(
          "div",
          {},
          ...apart(data.enrichment, 10, (direction) => [
            [direction, "text", (r) => link(address("set", { model: f.model, set: r.token_set }), r.token_set)],
            ["size", "number", (r) => r.size],
            ...scores,
            [
              "",
              "text",
              (r) =>
                element(
                  "button",
                  {
                    type: "button",
                    "aria-label": "running sum of " + r.token_set,
                    onclick: () => {
                      show(r.token_set);
                      curve.scrollIntoView({ block: "nearest" });
                    },
                  },
                  "running sum",
                ),
            ],
          ]),
        );
  const near = nearest(f, of, overview, shown);
  const step = (d) => address("feature", { ...of, feature: f.feature + d });
  const title = element(
    "h1",
    {},
    "Feature " + f.feature,
    element("span", { class: "quiet" }, f.sae + " · layer " + f.layer + " · " + f.model),
  );
  const meaning =
    f.label || f.role
      ? element(
          "p",
          { class: "meaning" },
          f.label,
          f.role ? element("span", { class: "quiet" }, "role: " + f.role) : null,
        )
      : null;
  const ways = element(
    "p",
    { class: "pager" },
    f.feature > 0 ? link(step(-1), "← previous") : null,
    link(step(1), "next →"),
    link(address("layer", { sae: f.sae }), "its layer"),
    outside(f.neuronpedia_url, "Neuronpedia"),
  );
  const explained = data.explanations.map((e) =>
    element(
      "p",
      { class: "explanation" },
      e.description,
      element("span", { class: "quiet" }, [e.explainer, e.type].filter(Boolean).join(" · ")),
    ),
  );
  spread.append(figure({ name: "feature", ...of }, { title: "Logit weights" }));
  return [
    "Feature " + f.feature,
    title,
    meaning,
    ways,
    ...explained,
    facts,
    element("div", { class: "two" }, ends("promoted", "Promotes"), ends("suppressed", "Suppresses")),
    spread,
    element("section", {}, element("h2", {}, "Enrichment"), enriched),
    curve,
    throughLens(f),
    near,
  ];
}

// The features with the nearest decoder directions: SAE by SAE, the feature's own and
// its neighbours first, for as long as the page is shown.
function nearest(f, of, overview, shown) {
  const status = element("p", { class: "quiet", role: "status" }, "…"),
    box = element("div");
  const apart = (s) => (s.sae === f.sae ? -1 : Math.abs((s.layer ?? 0) - (f.layer ?? 0)));
  const saes = overview.saes.filter((s) => s.model === f.model).sort((a, b) => apart(a) - apart(b));
  (async () => {
    let rows = [];
    for (const [i, s] of saes.entries()) {
      const more = await get("similar", { ...of, of: s.sae });
      if (!shown()) return;
      rows = rows
        .concat(more)
        .sort((a, b) => b.cosine - a.cosine)
        .slice(0, 10);
      box.replaceChildren(
        table(
          "Nearest decoder directions",
          [
            ["feature", "number", (r) => link(featureAddress(r), String(r.feature))],
            ["layer", "number", (r) => r.layer],
            ["cosine", "number", (r) => short(r.cosine)],
            ["label", "words", label],
            ["promotes", "tokens", (r) => tokenList(r.model, r.top_token_ids, r.top_tokens, "promotes", 6)],
          ],
          rows,
        ),
      );
      status.textContent =
        i + 1 < saes.length
          ? `Of ${i + 1} of ${saes.length} SAEs …`
          : saes.length === 1
            ? "Of this SAE."
            : `Of all ${saes.length} SAEs of the model.`;
    }
  })().catch((e) => box.replaceChildren(element("p", { class: "error", role: "alert" }, e.message)));
  return element("section", {}, element("h2", {}, "Nearest decoder directions"), status, box);
}
