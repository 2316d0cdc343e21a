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
  token,
  tokenList,
  whole,
} from "./elements.js";
import { scatter } from "./scatter.js";

const limit = 50;

// The columns of the table that can be chosen: [name in the address, heading, kind, how a cell is
// made, name to sort by, whether it is shown unless others are chosen].
const number = (name, shown, kind = "number") => [
  name,
  name.replaceAll("_", " "),
  kind,
  (r) => short(r[name]),
  name,
  shown,
];
const choices = [
  number("skewness", true),
  number("kurtosis", true, "number wide"),
  number("std", true, "number wide"),
  number("mean", false),
  number("log_sparsity", true, "number wide"),
  number("cos_mean", false),
  number("cos_std", false),
  number("cos_skewness", false),
  number("cos_kurtosis", false),
  ["role", "role", "text wide", (r) => r.role, undefined, false],
  ["label", "label", "words wide", label, undefined, true],
  [
    "promotes",
    "promotes",
    "tokens",
    (r) => tokenList(r.model, r.top_token_ids, r.top_tokens, "promotes"),
    undefined,
    true,
  ],
  [
    "suppresses",
    "suppresses",
    "tokens wide",
    (r) => tokenList(r.model, r.bottom_token_ids, r.bottom_tokens, "suppresses", 4),
    undefined,
    true,
  ],
  ["sae", "SAE", "text wide", (r) => r.sae, undefined, true],
  ["neuronpedia", "Neuronpedia", "text wide", (r) => outside(r.neuronpedia_url, "Neuronpedia"), undefined, true],
];
const usual = choices.filter((c) => c[5]).map((c) => c[0]);
const chosenColumns = (p) => (p.columns ? p.columns.split(",") : usual);

// What columns the table has, which the address says where they are not the usual ones.
function columnChoice(p, go) {
  const now = chosenColumns(p);
  const change = (name, on) => {
    const wanted = choices.map((c) => c[0]).filter((c) => (c === name ? on : now.includes(c)));
    go({ columns: wanted.join() === usual.join() ? undefined : wanted.join(), offset: p.offset, open: "columns" });
  };
  return element(
    "details",
    { class: "columns", open: p.open === "columns" },
    element("summary", {}, "Columns"),
    ...choices.map(([name, heading]) => {
      const box = element("input", {
        type: "checkbox",
        checked: now.includes(name),
        "data-key": "column " + name,
        onchange: () => change(name, box.checked),
      });
      return element("label", {}, box, " " + heading);
    }),
  );
}

// What a token's place is called at each end that features are found by.
const atEnd = { promotes: "promotes", suppresses: "suppresses", excited_by: "is excited by" };

// What was used last, which has the focus again when it comes after the page.
let used;
function came(box) {
  if (used && !document.activeElement?.dataset.key)
    box.querySelector(`[data-key="${CSS.escape(used)}"]`)?.focus({ preventScroll: true });
}

// One page of the table of features.
export async function featuresPage(p, overview) {
  const data = await pageOf(p),
    offset = Number(p.offset || 0),
    { sort: by, order } = data;
  const go = (changes) => {
    used = document.activeElement?.dataset.key;
    location.hash = address("features", { ...p, offset: undefined, ...changes });
  };
  const sorting = {
    by,
    order,
    change: (sort) => {
      const reverse = sort === by ? order === "desc" : sort === "rank";
      go({ sort, order: reverse ? "asc" : "desc" });
    },
  };
  const [found] = data.tokens;
  const place = found
    ? [
        ["rank", "number", (r) => r.rank, "rank"],
        ["weight", "number", (r) => short(r.weight)],
      ]
    : [];
  const columns = chosenColumns(p);
  const grid = table(
    "Features",
    [
      ["feature", "number", numbered, "feature"],
      ["layer", "number", (r) => r.layer, "layer"],
      ...place,
      ...choices.filter(([name]) => columns.includes(name)).map(([, ...column]) => column.slice(0, 4)),
    ],
    data.rows,
    sorting,
  );
  return [
    "Features",
    element("h1", {}, "Features"),
    filters(p, overview, go),
    chips(p, data.tokens, overview, go),
    facets(p, go),
    scatter(p, go, grid, data.rows, came),
    data.total === 0 ? element("p", { role: "alert" }, none(p, overview)) : null,
    pager(offset, data, go),
    columnChoice(p, go),
    grid,
  ];
}

// A feature's number, with its star.
const numbered = (r) =>
  element(
    "span",
    {},
    r.starred ? element("span", { role: "img", "aria-label": "starred", class: "star" }, "★ ") : null,
    link(featureAddress(r), String(r.feature)),
  );

// The rows that an address asks for; beyond the last of them, the last page, whose address it
// becomes.
async function pageOf(p) {
  const data = await get("features", { ...p, limit });
  if (data.total === 0 || Number(p.offset || 0) < data.total) return data;
  p.offset = String(limit * Math.floor((data.total - 1) / limit));
  history.replaceState(null, "", address("features", p));
  return get("features", { ...p, limit });
}

function filters(p, overview, go) {
  const bound = (name, key) => {
    const input = element("input", {
      type: "number",
      step: "any",
      value: p[key] || "",
      "data-key": key,
      "aria-label": (key.startsWith("min") ? "least " : "greatest ") + name,
      onchange: () => go({ [key]: input.value }),
    });
    return input;
  };
  const range = (name, key) =>
    element("span", {}, name + " ", bound(name, "min_" + key), " to ", bound(name, "max_" + key));
  const unique = (key) => [...new Set(overview.saes.map((s) => s[key]))];
  // What is chosen last holds: an SAE has one layer, one release.
  const keep = (key, v) => overview.saes.some((s) => s.sae === p.sae && String(s[key]) === v);
  const of = (key, values) =>
    choice(key, values, p[key], (v) => go({ [key]: v, sae: v === "" || keep(key, v) ? p.sae : undefined }));
  const find = element("input", {
    type: "search",
    value: p.token || "",
    "data-key": "token",
    title: "Any of the ten highest tokens contains it, in capitals or not. A token's link finds that token alone.",
    onchange: () => go({ token: find.value }),
  });
  const labelled = element("input", {
    type: "search",
    value: p.label || "",
    "data-key": "label",
    onchange: () => go({ label: labelled.value }),
  });
  return element(
    "div",
    { class: "filters" },
    unique("release").length > 1 ? of("release", unique("release")) : null,
    choice("SAE", unique("sae"), p.sae, (v) => {
      const s = overview.saes.find((o) => o.sae === v);
      const fits = (key) => (s && p[key] && String(s[key]) !== p[key] ? undefined : p[key]);
      go({ sae: v, layer: fits("layer"), release: fits("release"), model: fits("model") });
    }),
    of(
      "layer",
      unique("layer").sort((a, b) => a - b),
    ),
    element("label", {}, "a promoted token's text contains ", find),
    element("label", {}, "label contains ", labelled),
    inSet(p, go),
    choice("notes", ["any", "starred"], p.noted, (v) => go({ noted: v })),
    range("skewness", "skewness"),
    range("kurtosis", "kurtosis"),
    element(
      "button",
      {
        type: "button",
        "data-key": "clear",
        onclick: () => {
          location.hash = "#/features";
        },
      },
      "Clear",
    ),
  );
}

// Every filter that holds, in words, with a way to remove it.
function chips(p, tokens, overview, go) {
  const words = [];
  for (const [key, value] of Object.entries(p)) {
    if (value === "" || ["sort", "order", "offset", "limit", "direction", "columns", "open", "x", "y"].includes(key))
      continue;
    if (key === "model" && tokens.length > 0 && overview.models.length === 1) continue; // goes with the token
    const [, side, column] = /^(min|max)_(.+)$/.exec(key) || [];
    const exact = tokens.find((t) => t.parameter === key);
    if (exact) words.push([key, [atEnd[key] + " ", element("b", {}, token(exact.text)), ` (token ${exact.token_id})`]]);
    else if (key === "set")
      words.push([key, [(p.direction || "promoted or suppressed") + " beyond chance: ", element("b", {}, value)]]);
    else if (key === "features") words.push([key, [listed(value)]]);
    else if (key === "label") words.push([key, ["label contains ", element("b", {}, value)]]);
    else if (key === "role") words.push([key, ["role ", element("b", {}, value)]]);
    else if (key === "noted") words.push([key, [value === "starred" ? "starred" : "noted or starred"]]);
    else if (key === "token") words.push([key, ["a promoted token's text contains ", element("b", {}, token(value))]]);
    else if (side) words.push([key, [`${column.replace("_", " ")} ${side === "min" ? "≥" : "≤"} ${value}`]]);
    else if (["sae", "release", "model", "layer"].includes(key))
      words.push([key, [`${key === "sae" ? "SAE" : key} ${value}`]]);
  }
  if (words.length === 0) return null;
  return element(
    "ul",
    { class: "chosen", "aria-label": "Filters that hold" },
    ...words.map(([key, text]) =>
      element(
        "li",
        {},
        element("span", {}, ...text),
        element(
          "button",
          {
            type: "button",
            "aria-label": "remove the filter " + text.map((e) => e.textContent ?? e).join(""),
            onclick: () => go(removed(key)),
          },
          "×",
        ),
      ),
    ),
  );
}

// A list of features by their indices, in words.
function listed(value) {
  const all = value.split(",");
  if (all.length === 1) return "feature " + value;
  return `${whole(all.length)} features: ${all.slice(0, 5).join(", ")}${all.length > 5 ? " …" : ""}`;
}

// What goes with a filter that is removed.
function removed(key) {
  if (key in atEnd) return { [key]: undefined, sort: undefined, order: undefined };
  return key === "set" ? { set: undefined, direction: undefined } : { [key]: undefined };
}

// A choice of a token set, and of whether it is promoted or suppressed, beyond chance.
function inSet(p, go) {
  const box = element("span");
  get("sets")
    .then((sets) => {
      const names = [...new Set(sets.map((s) => s.token_set))];
      if (names.length === 0) return;
      box.replaceChildren(
        choice("set, beyond chance", names, p.set, (v) => go({ set: v, direction: v ? p.direction : undefined })),
        ...(p.set
          ? [" ", choice("direction", ["promoted", "suppressed"], p.direction, (v) => go({ direction: v }))]
          : []),
      );
      came(box);
    })
    .catch(() => box.remove());
  return box;
}

// Small histograms of the features by layer, skewness and kurtosis, whose bars are filters.
function facets(p, go) {
  const box = element("div", { class: "facets" });
  const bars = (title, list) => {
    const most = Math.max(1, ...list.map((b) => b.features));
    const bar = (b) => {
      const one = element("button", {
        type: "button",
        class: b.chosen ? "chosen-bar" : null,
        "data-key": `${title} ${b.name}`,
        "aria-label": `${title} ${b.name}: ${whole(b.features)} features`,
        "aria-pressed": String(b.chosen),
        title: `${b.name}: ${whole(b.features)} features`,
        onclick: () => go(b.chosen ? b.leave : b.choose),
      });
      // Square roots, so that the few of a tail are seen beside the many.
      one.style.setProperty("--height", 100 * Math.sqrt(b.features / most) + "%");
      return one;
    };
    return element(
      "section",
      { "aria-label": "Features by " + title },
      element("h2", {}, title),
      element("div", { class: "bars" }, ...list.map(bar)),
      element(
        "div",
        { class: "ends-of-bars quiet" },
        element("span", {}, list[0].name),
        element("span", {}, list.at(-1).name),
      ),
    );
  };
  const bounds = (statistic) => (b) => {
    const [min, max] = ["min_" + statistic, "max_" + statistic],
      [from, to] = [b.from, b.to].map((v) => (v === null ? undefined : String(v)));
    return {
      name: from === undefined ? `below ${to ?? "all"}` : to === undefined ? `from ${from}` : `${from} to ${to}`,
      features: b.features,
      chosen: (p[min] || undefined) === from && (p[max] || undefined) === to && (p[min] || p[max]) !== undefined,
      choose: { [min]: from, [max]: to },
      leave: { [min]: undefined, [max]: undefined },
    };
  };
  get("facets", p)
    .then((found) => {
      const saes = found.saes.map((s) => ({
        name: s.layer === null ? s.sae : String(s.layer),
        features: s.features,
        chosen: p.sae === s.sae,
        choose: { sae: s.sae, layer: undefined },
        leave: { sae: undefined, layer: undefined },
      }));
      const roles = found.roles.map((r) => ({
        name: r.role,
        features: r.features,
        chosen: p.role === r.role,
        choose: { role: r.role },
        leave: { role: undefined },
      }));
      box.replaceChildren(
        ...[
          saes.length > 1 ? bars("layer", saes) : null,
          roles.length > 1 ? bars("role", roles) : null,
          ...Object.entries(found.histograms).map(([statistic, bins]) =>
            bins.length > 1 ? bars(statistic, bins.map(bounds(statistic))) : null,
          ),
        ].filter(Boolean),
      );
      came(box);
    })
    .catch((e) => box.replaceChildren(element("p", { class: "error", role: "alert" }, e.message)));
  return box;
}

// Why there is no feature, as far as the filters tell.
function none(p, overview) {
  const s = overview.saes.find((o) => o.sae === p.sae);
  if (p.sae && !s) return `No SAE is called ${p.sae}. There are: ${overview.saes.map((o) => o.sae).join(", ")}.`;
  if (s && p.layer && String(s.layer) !== p.layer)
    return `No feature: ${p.sae} is at layer ${s.layer}, not ${p.layer}. Remove one of the two filters.`;
  if (p.layer && !overview.saes.some((o) => String(o.layer) === p.layer))
    return `No SAE is at layer ${p.layer}. Layers: ${[...new Set(overview.saes.map((o) => o.layer))].join(", ")}.`;
  return "No feature is left by these filters.";
}

function pager(offset, data, go) {
  // A button that does nothing keeps the focus, which a disabled one would lose.
  const step = (text, to, possible) =>
    element(
      "button",
      {
        type: "button",
        "data-key": text,
        "aria-disabled": possible ? null : "true",
        onclick: () => possible && go({ offset: to }),
      },
      text,
    );
  return element(
    "nav",
    { class: "pager", "aria-label": "Pages of features" },
    step("Previous", Math.max(0, offset - limit), offset > 0),
    element(
      "span",
      { role: "status" },
      data.total === 0
        ? "No features"
        : `${whole(offset + 1)} to ${whole(Math.min(offset + limit, data.total))} of ${whole(data.total)} features`,
    ),
    step("Next", offset + limit, offset + limit < data.total),
  );
}
