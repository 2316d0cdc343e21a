// The explorer's page of two features, or two SAEs, side by side.
import { address, element, featureAddress, figure, get, link, short, table, token, tokens, whole } from "./elements.js";

const tail = (sae) => sae.split("/").slice(1).join("/") || sae;

export async function comparePage(p, overview) {
  const ask = form(p, overview),
    title = element("h1", {}, "Compare");
  if (!p.sae || !p.other_sae)
    return ["Compare", title, element("p", { class: "quiet" }, "Two SAEs of one model, or a feature of each."), ask];
  const content = p.feature && p.other ? await features(p) : await saes(p);
  return ["Compare", title, ask, ...content];
}

// What is compared is asked for by SAE, and by feature where both are given.
function form(p, overview) {
  const sae = (key, name) =>
      element(
        "select",
        { "aria-label": name, name: key },
        ...overview.saes.map((s) => element("option", { value: s.sae, selected: s.sae === p[key] }, s.sae)),
      ),
    feature = (key, name) =>
      element("input", { type: "number", min: 0, step: 1, name: key, value: p[key] || "", "aria-label": name });
  const fields = {
    sae: sae("sae", "first SAE"),
    feature: feature("feature", "feature of the first SAE"),
    other_sae: sae("other_sae", "second SAE"),
    other: feature("other", "feature of the second SAE"),
  };
  if (!p.other_sae && overview.saes.length > 1) fields.other_sae.selectedIndex = 1;
  return element(
    "form",
    {
      class: "filters",
      "aria-label": "What is compared",
      onsubmit: (e) => {
        e.preventDefault();
        location.hash = address(
          "compare",
          Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, field.value])),
        );
      },
    },
    fields.sae,
    element("label", {}, "feature ", fields.feature),
    element("span", {}, "with"),
    fields.other_sae,
    element("label", {}, "feature ", fields.other),
    element("button", { type: "submit", class: "primary" }, "Compare"),
    element("span", { class: "quiet" }, "Without features, the SAEs themselves."),
  );
}

async function features(p) {
  const data = await get("compare", p),
    [a, b] = data.features,
    [like] = data.likeness,
    name = (f) => `${f.layer ?? tail(f.sae)}/${f.feature}`;
  const one = (f) =>
    element(
      "section",
      {},
      element(
        "h2",
        {},
        link(featureAddress(f), "Feature " + f.feature),
        " ",
        element("span", { class: "quiet" }, f.sae),
      ),
      f.label ? element("p", { class: "meaning" }, f.label) : null,
      element("p", {}, "promotes ", tokens(f.top_tokens)),
      element("p", {}, "suppresses ", tokens(f.bottom_tokens)),
      element("p", { class: "quiet" }, `skewness ${short(f.skewness)}, kurtosis ${short(f.kurtosis)}`),
      figure({ name: "feature", sae: f.sae, feature: f.feature }, { title: "Logit weights of " + name(f) }),
    );
  const ends = (direction, title) =>
    element(
      "section",
      {},
      element("h2", {}, title),
      table(
        title,
        [
          ["token", "tokens", (r) => token(r.text)],
          ["difference", "number", (r) => short(r.difference)],
          [name(a), "number", (r) => short(r.logit_weight)],
          [name(b), "number", (r) => short(r.other_logit_weight)],
        ],
        data.tokens.filter((t) => t.direction === direction),
      ),
    );
  return [
    element(
      "p",
      { class: "meaning" },
      `Cosine of the decoder directions ${short(like.cosine)}; rank correlation of the logit weights ` +
        `${short(like.rank_correlation)}.`,
    ),
    element("div", { class: "two" }, one(a), one(b)),
    element("div", { class: "two" }, ends("higher", "Higher in " + name(a)), ends("lower", "Higher in " + name(b))),
    element("h2", {}, "Token sets, the largest difference first"),
    data.sets.length === 0
      ? element("p", { class: "quiet" }, "No enrichment is computed of either.")
      : table(
          "Token sets",
          [
            ["set", "text", (r) => link(address("set", { model: data.model, set: r.token_set }), r.token_set)],
            ["size", "number", (r) => short(r.size)],
            ["effect in " + name(a), "number", (r) => short(r.effect)],
            ["q-value", "number", (r) => short(r.q_value)],
            ["effect in " + name(b), "number", (r) => short(r.other_effect)],
            ["q-value", "number", (r) => short(r.other_q_value)],
          ],
          data.sets,
        ),
  ];
}

async function saes(p) {
  const data = await get("compare-saes", p);
  if (data.command)
    return [
      element("p", {}, "The nearest features of the two are not stored. Once this has run, they are here:"),
      element("pre", {}, data.command),
    ];
  const [a, b] = data.cosines,
    pair = (feature, nearest, from) =>
      from === p.sae
        ? address("compare", { ...p, feature, other: nearest })
        : address("compare", { ...p, feature: nearest, other: feature });
  const alone = (rows, of, other) =>
    element(
      "section",
      {},
      element("h2", {}, `Least like any of ${tail(other)}`),
      table(
        "Features of " + of,
        [
          [tail(of), "number", (r) => link(featureAddress(r), String(r.feature))],
          ["nearest", "number", (r) => link(pair(r.feature, r.nearest, of), String(r.nearest))],
          ["cosine", "number", (r) => short(r.cosine)],
          ["promotes", "tokens", (r) => tokens((r.top_tokens || []).slice(0, 5))],
        ],
        rows,
      ),
    );
  const bins = [...new Set(data.histogram.map((h) => h.cosine))];
  const having = (sae, cosine) => data.histogram.find((h) => h.sae === sae && h.cosine === cosine)?.features ?? 0;
  return [
    element(
      "p",
      { class: "meaning" },
      `${whole(a.mutual)} features of ${tail(a.sae)} (of ${whole(a.features)}) and of ${tail(b.sae)} ` +
        `(of ${whole(b.features)}) are each other's nearest by the cosine of their decoder directions. The mean of ` +
        `the nearest cosine is ${short(a.mean_cosine)} and ${short(b.mean_cosine)}.`,
    ),
    element("h2", {}, "Each other's nearest"),
    table(
      "Each other's nearest",
      [
        ["compare", "text", (r) => link(pair(r.one.feature, r.other.feature, a.sae), "both")],
        ["cosine", "number", (r) => short(r.cosine)],
        [tail(a.sae), "number", (r) => link(featureAddress(r.one), String(r.one.feature))],
        ["promotes", "tokens", (r) => tokens((r.one.top_tokens || []).slice(0, 5))],
        [tail(b.sae), "number", (r) => link(featureAddress(r.other), String(r.other.feature))],
        ["promotes", "tokens", (r) => tokens((r.other.top_tokens || []).slice(0, 5))],
      ],
      data.mutual,
    ),
    element("div", { class: "two" }, alone(data.alone, a.sae, b.sae), alone(data.other_alone, b.sae, a.sae)),
    element("h2", {}, "Cosine with the nearest"),
    table(
      "Features by cosine with the nearest",
      [
        ["cosine", "text", (c) => `${c.toFixed(2)} to ${(c + 0.05).toFixed(2)}`],
        [tail(a.sae), "number", (c) => whole(having(a.sae, c))],
        [tail(b.sae), "number", (c) => whole(having(b.sae, c))],
      ],
      bins,
    ),
  ];
}
