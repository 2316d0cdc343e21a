// The explorer's pages. The address after # says what is shown, so that it can be
// shared and the browser's history works; data comes from /api.
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
  outside,
  scores,
  short,
  table,
  token,
  tokens,
  whole,
} from "./elements.js";
import { sqlPage } from "./query.js";
import { setPage, setsPage } from "./sets.js";

const main = document.getElementById("main");
let overview = null,
  turn = 0;

// One page of the table of features.
async function featuresPage(p) {
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

async function featurePage(p) {
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
          ["token", "tokens", (r) => link(address("features", { token: r.text }), token(r.text))],
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
  const near = nearest(f, of);
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
    near,
  ];
}

// The features with the nearest decoder directions: SAE by SAE, the feature's own and
// its neighbours first, for as long as the page is shown.
function nearest(f, of) {
  const mine = turn,
    status = element("p", { class: "quiet", role: "status" }, "…"),
    box = element("div");
  const apart = (s) => (s.sae === f.sae ? -1 : Math.abs((s.layer ?? 0) - (f.layer ?? 0)));
  const saes = overview.saes.filter((s) => s.model === f.model).sort((a, b) => apart(a) - apart(b));
  (async () => {
    let rows = [];
    for (const [i, s] of saes.entries()) {
      const more = await get("similar", { ...of, of: s.sae });
      if (mine !== turn) return;
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
            ["promotes", "tokens", (r) => tokens((r.top_tokens || []).slice(0, 6))],
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

async function layersPage() {
  const found = new Map((await get("layers")).map((r) => [r.sae, r])),
    rows = overview.saes.map((s) => ({ ...s, ...found.get(s.sae) }));
  const few = rows.reduce((n, r) => n + r.features, 0) <= 150000; // an animation of more is no page
  return [
    "Layers",
    element("h1", {}, "Layers"),
    table(
      "SAEs",
      [
        ["SAE", "text", (r) => link(address("layer", { sae: r.sae }), r.sae)],
        ["release", "text", (r) => r.release],
        ["model", "text", (r) => r.model],
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
    figure({ name: "layers" }),
    few ? figure({ name: "layer-scatter" }) : null,
  ];
}

async function layerPage(p) {
  const open = (detail) => {
    location.hash = address("feature", { ...p, feature: detail.feature });
  };
  return [
    p.sae,
    element("h1", {}, p.sae),
    element("p", { class: "pager" }, link(address("features", p), "its features"), link("#/layers", "all layers")),
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

const pages = {
  features: featuresPage,
  feature: featurePage,
  layers: layersPage,
  layer: layerPage,
  sets: setsPage,
  set: setPage,
  sql: sqlPage,
};

async function show() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?"),
    name = pages[path] ? path : "features";
  const mine = ++turn;
  main.classList.add("waiting");
  let parts;
  try {
    if (!overview) {
      overview = await get("overview");
      document.getElementById("database").textContent = overview.database;
      document.getElementById("version").textContent = overview.version;
    }
    parts = await pages[name](Object.fromEntries(new URLSearchParams(query || "")), overview);
  } catch (e) {
    parts = [
      "Error",
      element("h1", {}, "That did not work"),
      element("p", { class: "error", role: "alert" }, e.message),
    ];
  }
  if (mine !== turn) return; // another page was asked for meanwhile
  const [title, ...content] = parts;
  document.title = title + " · saedb";
  for (const a of document.querySelectorAll(".bar nav a")) {
    const current = a.dataset.page === name || a.dataset.page === name + "s";
    current ? a.setAttribute("aria-current", "page") : a.removeAttribute("aria-current");
  }
  const focused = document.activeElement;
  main.classList.remove("waiting");
  main.replaceChildren(...content.filter((c) => c));
  main.dataset.page = name;
  if (!focused || focused === document.body || !focused.isConnected) main.focus({ preventScroll: true });
}

const find = document.getElementById("token");
document.getElementById("find").onsubmit = (e) => {
  e.preventDefault();
  const text = find.value;
  if (/^\d+$/.test(text) && overview.saes.length === 1)
    location.hash = featureAddress({ ...overview.saes[0], feature: Number(text) });
  else if (/^\d+$/.test(text))
    location.hash = address("features", { min_feature: text, max_feature: text, sort: "layer" });
  else location.hash = address("features", { token: text });
};
document.addEventListener("keydown", (e) => {
  if (e.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
    e.preventDefault();
    find.focus();
    find.select();
  }
});
addEventListener("hashchange", () => {
  window.scrollTo(0, 0);
  show();
});
show();
