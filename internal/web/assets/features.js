// The explorer's page of the table of features.
import {
  address,
  choice,
  element,
  featureAddress,
  get,
  label,
  link,
  outside,
  short,
  table,
  tokens,
  whole,
} from "./elements.js";

// One page of the table of features.
export async function featuresPage(p, overview) {
  const by = p.sort || "skewness",
    order = p.order || "desc",
    offset = Number(p.offset || 0),
    limit = 50;
  const data = await get("features", { ...p, limit });
  const go = (changes) => {
    location.hash = address("features", { ...p, offset: 0, ...changes });
  };
  const bound = (name, key) => {
    const input = element("input", {
      type: "number",
      step: "any",
      value: p[key] || "",
      "aria-label": (key.startsWith("min") ? "least " : "greatest ") + name,
      onchange: () => go({ [key]: input.value }),
    });
    return input;
  };
  const range = (name, key) =>
    element("span", {}, name + " ", bound(name, "min_" + key), " to ", bound(name, "max_" + key));
  const unique = (key) => [...new Set(overview.saes.map((s) => s[key]))];
  const find = element("input", {
    type: "search",
    value: p.token || "",
    "aria-label": "token that the feature promotes",
    onchange: () => go({ token: find.value }),
  });
  const filters = element(
    "div",
    { class: "filters" },
    unique("release").length > 1 ? choice("release", unique("release"), p.release, (v) => go({ release: v })) : null,
    choice("SAE", unique("sae"), p.sae, (v) => go({ sae: v })),
    choice(
      "layer",
      unique("layer").sort((a, b) => a - b),
      p.layer,
      (v) => go({ layer: v }),
    ),
    element("label", {}, "promotes ", find),
    range("skewness", "skewness"),
    range("kurtosis", "kurtosis"),
    element(
      "button",
      {
        type: "button",
        onclick: () => {
          location.hash = "#/features";
        },
      },
      "Clear",
    ),
  );
  const sorting = {
    by,
    order,
    change: (sort) => go({ sort, order: sort === by && order === "desc" ? "asc" : "desc" }),
  };
  const grid = table(
    "Features",
    [
      ["feature", "number", (r) => link(featureAddress(r), String(r.feature)), "feature"],
      ["layer", "number", (r) => r.layer, "layer"],
      ["skewness", "number", (r) => short(r.skewness), "skewness"],
      ["kurtosis", "number", (r) => short(r.kurtosis), "kurtosis"],
      ["std", "number", (r) => short(r.std), "std"],
      ["log sparsity", "number", (r) => short(r.log_sparsity), "log_sparsity"],
      ["label", "words", label],
      ["promotes", "tokens", (r) => tokens(r.top_tokens)],
      ["suppresses", "tokens", (r) => tokens((r.bottom_tokens || []).slice(0, 4))],
      ["SAE", "text", (r) => r.sae],
      ["", "text", (r) => outside(r.neuronpedia_url, "Neuronpedia")],
    ],
    data.rows,
    sorting,
  );
  const pager = element(
    "nav",
    { class: "pager", "aria-label": "Pages of features" },
    element(
      "button",
      { type: "button", disabled: offset === 0, onclick: () => go({ offset: Math.max(0, offset - limit) }) },
      "Previous",
    ),
    element(
      "span",
      { role: "status" },
      data.total === 0
        ? "No features"
        : `${whole(offset + 1)} to ${whole(Math.min(offset + limit, data.total))} of ${whole(data.total)} features`,
    ),
    element(
      "button",
      { type: "button", disabled: offset + limit >= data.total, onclick: () => go({ offset: offset + limit }) },
      "Next",
    ),
  );
  return ["Features", element("h1", {}, "Features"), filters, pager, grid];
}
