// The explorer's pages of token sets.
import {
  address,
  apart,
  choice,
  element,
  featureAddress,
  figure,
  get,
  label,
  link,
  scores,
  short,
  table,
  token,
  tokens,
} from "./elements.js";

export async function setsPage(p) {
  const rows = (await get("sets")).filter((r) => !p.family || r.family === p.family);
  const families = [...new Set(rows.map((r) => r.family))];
  return [
    "Token sets",
    element("h1", {}, "Token sets"),
    element(
      "div",
      { class: "filters" },
      choice("family", families, p.family, (v) => {
        location.hash = address("sets", { family: v });
      }),
    ),
    table(
      "Token sets",
      [
        ["set", "text", (r) => link(address("set", { model: r.model, set: r.token_set }), r.token_set)],
        ["family", "text", (r) => r.family],
        ["size", "number", (r) => short(r.size)],
        ["first tokens", "tokens", (r) => tokens(r.first_tokens)],
        ["model", "text", (r) => r.model],
      ],
      rows,
    ),
  ];
}

export async function setPage(p, overview) {
  const data = await get("set", p),
    s = data.set,
    saes = overview.saes.filter((o) => o.model === s.model),
    shown = element("div");
  const pick = element(
    "select",
    { "aria-label": "SAE of the figure", onchange: () => show() },
    ...saes.map((o, i) => element("option", { value: i, selected: i === saes.length - 1 }, o.sae)),
  );
  const draw = async () => {
    const o = saes[pick.value],
      of = { sae: o.sae, set: s.token_set },
      most = element("div");
    shown.replaceChildren(
      figure(
        { name: "manhattan", ...of },
        {
          title: "Every feature",
          onpoint: (d) => {
            location.hash = featureAddress({ ...o, feature: d.feature });
          },
        },
      ),
      most,
    );
    for (const r of await get("promoters", { ...of, model: s.model })) {
      most.append(
        figure(
          { name: "feature", ...of, feature: r.feature },
          { title: `Feature ${r.feature}, effect ${short(r.effect)}` },
        ),
      );
    }
  };
  const show = () => draw().catch((e) => shown.append(element("p", { class: "error", role: "alert" }, e.message)));
  if (saes.length) show();
  return [
    s.token_set,
    element(
      "h1",
      {},
      s.token_set,
      element("span", { class: "quiet" }, short(s.size) + " tokens · " + s.family + " · " + s.model),
    ),
    element(
      "p",
      {},
      ...data.tokens.map((t) => element("span", { class: "chip" }, token(t))),
      s.size > data.tokens.length ? "…" : null,
    ),
    element("h2", {}, "Features most enriched"),
    data.features.length === 0
      ? element(
          "p",
          { class: "quiet" },
          "No feature has a score: none is computed, or the set is empty or holds every token.",
        )
      : element(
          "div",
          {},
          ...apart(data.features, 15, (direction) => [
            [direction + " by", "number", (r) => link(featureAddress(r), String(r.feature))],
            ["layer", "number", (r) => r.layer],
            ...scores,
            ["label", "words", label],
            direction === "promoted"
              ? ["promotes", "tokens", (r) => tokens((r.top_tokens || []).slice(0, 8))]
              : ["suppresses", "tokens", (r) => tokens((r.bottom_tokens || []).slice(0, 8))],
          ]),
        ),
    element("p", { class: "actions" }, "SAE ", pick),
    shown,
  ];
}
