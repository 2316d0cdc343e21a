// The explorer's page of one feature.

import {
  address,
  chance,
  element,
  featureAddress,
  figure,
  get,
  link,
  outside,
  remember,
  scores,
  short,
  sortedBy,
  table,
  tokenList,
  whole,
} from "./elements.js";
import { ends } from "./ends.js";
import { throughLens } from "./lens.js";
import { noteOf } from "./notes.js";

export async function featurePage(p, overview, shown) {
  const note = noteOf(p).catch((e) => element("p", { class: "error", role: "alert" }, e.message)),
    data = await get("feature", { sae: p.sae, feature: p.feature }),
    f = data.feature,
    of = { sae: f.sae, feature: f.feature };
  const alike = element("span");
  const spread = element("div"),
    bars = element("div"),
    curve = element("div");
  // Draws what a token set is marked in; without one, the feature alone.
  const mark = (set) => {
    bars.replaceChildren(bothEnds(data, set, (s) => choose(s)));
    const title = set ? "Logit weights, " + set + " apart" : "Logit weights";
    spread.replaceChildren(figure({ name: "feature", ...of, set }, { title }));
    curve.replaceChildren(...(set ? [figure({ name: "running-sum", ...of, set })] : []));
  };
  const choose = (set) => {
    remember("feature", p, { set });
    mark(set);
    bars.scrollIntoView({ block: "nearest" });
  };
  mark(p.set);
  const near = nearest(f, of, overview, shown, alike);
  const enriched = setsOf(data, "output", p, choose);
  return [
    "Feature " + f.feature,
    element(
      "h1",
      {},
      "Feature " + f.feature,
      element("span", { class: "quiet" }, [f.sae, "layer " + f.layer, f.model].join(" · ")),
    ),
    ...meaning(data),
    await note,
    ways(f, of, overview, alike),
    facts(f, ["skewness", "kurtosis", "mean", "std", "log_sparsity", "cos_skewness", "cos_kurtosis"]),
    bars,
    element("section", {}, element("h2", {}, "Token sets"), enriched),
    spread,
    curve,
    throughLens(f),
    inputSide(data, p),
    linked(of, shown),
    near,
  ];
}

// What the feature is, in words: its label, and the explanations that were loaded.
function meaning(data) {
  const f = data.feature,
    said = [];
  if (f.label || f.role)
    said.push(
      element(
        "p",
        { class: "meaning" },
        f.label,
        f.role ? element("span", { class: "quiet" }, "role: " + f.role) : null,
      ),
    );
  for (const e of data.explanations)
    said.push(
      element(
        "p",
        { class: "explanation" },
        e.description,
        element("span", { class: "quiet" }, [e.explainer, e.type].filter(Boolean).join(" · ")),
      ),
    );
  return said;
}

function ways(f, of, overview, alike) {
  const last = overview.saes.find((s) => s.sae === f.sae).features - 1,
    to = (feature) => address("feature", { ...of, feature });
  const end = (text) => element("span", { class: "end" }, text);
  return element(
    "nav",
    { class: "pager", "aria-label": "Other features" },
    f.feature > 0 ? link(to(f.feature - 1), "← previous") : end("the first"),
    f.feature < last ? link(to(f.feature + 1), "next →") : end(`the last of ${whole(last + 1)}`),
    alike,
    link(address("layer", { sae: f.sae }), "its layer"),
    link(address("map", { sae: f.sae, feature: f.feature }), "show on the map"),
    outside(f.neuronpedia_url, "Neuronpedia"),
  );
}

const facts = (f, names) =>
  element(
    "dl",
    { class: "facts" },
    ...names.map((k) => element("div", {}, element("dt", {}, k.replaceAll("_", " ")), element("dd", {}, short(f[k])))),
  );

// The tokens of both ends: those that are stored at once, as many as a page has when they are
// computed, with the members of a set marked.
function bothEnds(data, set, choose) {
  const f = data.feature,
    box = element("div"),
    note = element("p", { class: "note", role: "status" });
  const draw = (rows) => box.replaceChildren(ends("What it writes", f.model, rows, ["suppressed", "promoted"], set));
  draw(data.tokens);
  const unmark = set
    ? element("button", { type: "button", onclick: () => choose(undefined) }, "no longer mark " + set)
    : null;
  if (data.tokens.length > 0)
    get("ends", { sae: f.sae, feature: f.feature, set, model: f.model })
      .then((rows) => {
        draw(rows);
        const each = rows.filter((r) => r.direction === "promoted").length,
          stored = rows.length <= data.tokens.length,
          members = rows.filter((r) => r.member).length;
        note.textContent =
          `The ${each} tokens of each end` +
          (stored ? ": no more are stored, and the weights are not in this database" : "") +
          (set ? `; of ${set}, marked ●: ${members}.` : ".");
      })
      .catch((e) => {
        note.textContent = e.message;
      });
  else note.textContent = "No statistics are computed of this feature (saedb compute).";
  return element("section", {}, element("h2", {}, "What it writes"), note, unmark, box);
}

// A feature's enrichment in every token set, sorted by what the address says.
function setsOf(data, side, p, choose) {
  const f = data.feature,
    box = element("div", {}, element("p", { class: "quiet" }, "…")),
    prefix = side === "input" ? "input_" : "",
    few = 20;
  const make = (sorted, sorting, again) => {
    const all = p[prefix + "sets"] === "all";
    const columns = [
      ["set", "text", (r) => link(address("set", { model: f.model, set: r.token_set }), r.token_set), "token_set"],
      ["family", "text wide", (r) => r.family, "family"],
      ["size", "number wide", (r) => whole(r.size), "size"],
      ["direction", "text", (r) => r.direction, "direction"],
      ...scores.map(([name, kind, make], i) => [
        name,
        kind + (i > 0 ? " wide" : ""),
        make,
        ["effect", "q_value", "es"][i],
      ]),
      [
        "beyond chance",
        "text wide",
        (r) => (r.q_value === null ? "–" : r.beyond_chance ? "yes" : "no"),
        "beyond_chance",
      ],
    ];
    if (choose)
      columns.push([
        "",
        "text",
        (r) =>
          element(
            "button",
            { type: "button", "aria-label": "mark " + r.token_set, onclick: () => choose(r.token_set) },
            "mark",
          ),
      ]);
    const more = sorted.length - few;
    return [
      chance(sorted),
      table("Enrichment, " + side, columns, all ? sorted : sorted.slice(0, few), sorting),
      more > 0
        ? element(
            "button",
            {
              type: "button",
              "data-key": "all",
              onclick: () => again("all", { [prefix + "sets"]: all ? undefined : "all" }),
            },
            all ? `the first ${few} sets` : `all ${whole(sorted.length)} sets`,
          )
        : null,
    ];
  };
  get("enrichment", { sae: f.sae, feature: f.feature, side })
    .then((rows) => {
      if (rows.length > 0) return sortedBy("feature", p, rows, box, make, prefix);
      const how = side === "input" ? "saedb compute --side input" : "saedb load sets, then saedb compute";
      box.replaceChildren(element("p", { class: "quiet" }, `No enrichment is computed; ${how}.`));
    })
    .catch((e) => box.replaceChildren(element("p", { class: "error", role: "alert" }, e.message)));
  return box;
}

// What excites the feature, where that is computed.
function inputSide(data, p) {
  const f = data.feature;
  if (data.input_tokens.length === 0) return null;
  return element(
    "section",
    {},
    element("h2", {}, "What excites it"),
    element(
      "p",
      { class: "note" },
      "Input weights: its encoder times the embedding, the direct path alone. The tokens of each end that are stored.",
    ),
    facts(f, ["input_skewness", "input_kurtosis", "encoder_decoder_cosine"]),
    ends("What excites it", f.model, data.input_tokens, ["holds back", "excites"]),
    setsOf(data, "input", p),
  );
}

// The features of other layers that it writes to and reads from, where these are computed.
function linked(of, shown) {
  const section = element("section", { hidden: true }, element("h2", {}, "Links to other features"));
  const cells = (name) => [
    [name, "number", (r) => link(featureAddress(r), String(r.feature))],
    ["layer", "number", (r) => r.layer],
    ["", "text", (r) => r.direction],
    ["weight", "number", (r) => short(r.weight)],
    ["z", "number wide", (r) => short(r.z)],
    ["label", "words", (r) => r.label || "–"],
    ["promotes", "tokens wide", (r) => tokenList(r.model, r.top_token_ids, r.top_tokens, "promotes", 6)],
  ];
  get("links", of)
    .then((found) => {
      if (!shown()) return;
      for (const [title, name, rows] of [
        ["Writes to", "target", found.writes_to],
        ["Reads from", "source", found.reads_from],
      ])
        if (rows.length > 0) {
          section.append(element("h3", {}, title), table(title, cells(name), rows));
          section.hidden = false;
        }
    })
    .catch((e) => {
      section.append(element("p", { class: "error", role: "alert" }, e.message));
      section.hidden = false;
    });
  return section;
}

// The features with the nearest decoder directions: SAE by SAE, the feature's own and
// its neighbours first, for as long as the page is shown. The nearest of its own SAE is
// the next feature like this one.
function nearest(f, of, overview, shown, alike) {
  const status = element("p", { class: "quiet", role: "status" }, "…"),
    box = element("ul", { class: "cards", "aria-label": "Nearest decoder directions" });
  const apart = (s) => (s.sae === f.sae ? -1 : Math.abs((s.layer ?? 0) - (f.layer ?? 0)));
  const saes = overview.saes.filter((s) => s.model === f.model).sort((a, b) => apart(a) - apart(b));
  (async () => {
    let rows = [];
    for (const [i, s] of saes.entries()) {
      const more = await get("similar", { ...of, of: s.sae });
      if (!shown()) return;
      if (i === 0 && more.length > 0)
        alike.replaceChildren(link(featureAddress(more[0]), `like this: ${more[0].feature} →`));
      rows = rows
        .concat(more)
        .sort((a, b) => b.cosine - a.cosine)
        .slice(0, 10);
      box.replaceChildren(...rows.map(card));
      status.textContent =
        i + 1 < saes.length
          ? `Of ${i + 1} of ${saes.length} SAEs …`
          : saes.length === 1
            ? "Of this SAE."
            : `Of all ${saes.length} SAEs of the model.`;
    }
  })().catch((e) => box.replaceChildren(element("li", { class: "error", role: "alert" }, e.message)));
  return element("section", {}, element("h2", {}, "Nearest decoder directions"), status, box);
}

const card = (r) =>
  element(
    "li",
    {},
    element("h3", {}, link(featureAddress(r), `Feature ${r.feature}`)),
    element("p", { class: "quiet" }, `layer ${r.layer} · cosine ${short(r.cosine)}`),
    r.label ? element("p", {}, r.label) : null,
    tokenList(r.model, r.top_token_ids, r.top_tokens, "promotes", 6),
  );
