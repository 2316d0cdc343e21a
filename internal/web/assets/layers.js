// The explorer's pages of SAEs: all, and one.
import { address, element, featureAddress, figure, get, link, short, table } from "./elements.js";

export async function layersPage(p, overview) {
  const found = new Map((await get("layers")).map((r) => [r.sae, r])),
    rows = overview.saes.map((s) => ({ ...s, ...found.get(s.sae) }));
  const few = rows.reduce((n, r) => n + r.features, 0) <= 150000; // an animation of more is no page
  // A point of a layer leads to its SAE, to the table of features where the layer has several.
  const open = (d) => {
    const at = overview.saes.filter((s) => String(s.layer) === String(d.layer)),
      one = at.length === 1 ? at[0] : null;
    if (one && d.feature !== undefined) location.hash = featureAddress({ ...one, feature: d.feature });
    else if (one) location.hash = address("layer", { sae: one.sae });
    else if (at.length > 1)
      location.hash = address("features", { layer: d.layer, min_feature: d.feature, max_feature: d.feature });
  };
  return [
    "Layers",
    element("h1", {}, "Layers"),
    table(
      "SAEs",
      [
        ["SAE", "text", (r) => link(address("layer", { sae: r.sae }), r.sae)],
        ["release", "text wide", (r) => r.release],
        ["model", "text wide", (r) => r.model],
        ["layer", "number", (r) => r.layer],
        ["features", "number", (r) => short(r.features)],
        ["beyond chance", "number", (r) => short(r.beyond_chance)],
        [
          "expected by chance",
          "number",
          (r) => (typeof r.expected_by_chance === "number" ? r.expected_by_chance.toFixed(1) : "–"),
        ],
        ["architecture", "text", (r) => r.architecture || ""],
        ["tokens counted", "text", (r) => r.tokens || "not computed"],
        ["source", "text", (r) => r.source],
        ["SHA-256", "text", (r) => element("span", { title: r.sha256 }, r.sha256.slice(0, 12) + "…")],
      ],
      rows,
    ),
    figure({ name: "layers" }, { onpoint: open }),
    few ? figure({ name: "layer-scatter" }, { onpoint: open }) : null,
  ];
}

export async function layerPage(p) {
  const open = (detail) => {
    location.hash = address("feature", { ...p, feature: detail.feature });
  };
  return [
    p.sae,
    element("h1", {}, p.sae),
    element(
      "p",
      { class: "pager" },
      link(address("features", p), "its features"),
      link(address("map", p), "its map"),
      link("#/layers", "all layers"),
    ),
    figure({ name: "skew-kurtosis", ...p }, { title: "Skewness and kurtosis", onpoint: open }),
    element(
      "div",
      { class: "two" },
      figure({ name: "skewness", ...p }, { title: "Skewness" }),
      figure({ name: "kurtosis", ...p }, { title: "Kurtosis" }),
    ),
    figure({ name: "manhattan", ...p }, { title: "Strongest token sets", onpoint: open }),
  ];
}
