// The explorer's pages of token sets.
import {
  address,
  chance,
  choice,
  element,
  featureAddress,
  figure,
  get,
  label,
  link,
  remember,
  scores,
  short,
  sortedBy,
  table,
  tabs,
  tokenLink,
  tokenList,
  whole,
} from "./elements.js";

export async function setsPage(p) {
  const rows = (await get("sets")).filter((r) => !p.family || r.family === p.family);
  const families = [...new Set(rows.map((r) => r.family))];
  const box = element("div");
  const written = rows.some((r) => r.promoted_by !== null);
  sortedBy("sets", p, rows, box, (sorted, sorting) => [
    table(
      "Token sets",
      [
        ["set", "text", (r) => link(address("set", { model: r.model, set: r.token_set }), r.token_set), "token_set"],
        ["family", "text wide", (r) => r.family, "family"],
        ["size", "number", (r) => short(r.size), "size"],
        ["promoted by", "number", (r) => short(r.promoted_by), "promoted_by"],
        ["suppressed by", "number", (r) => short(r.suppressed_by), "suppressed_by"],
        ["first tokens", "tokens", (r) => tokenList(r.model, r.first_token_ids, r.first_tokens, "promotes", 12)],
        ["model", "text wide", (r) => r.model, "model"],
      ],
      sorted,
      sorting,
    ),
  ]);
  return [
    "Token sets",
    element("h1", {}, "Token sets"),
    element(
      "div",
      { class: "filters" },
      choice("family", families, p.family, (v) => {
        location.hash = address("sets", { ...p, family: v });
      }),
    ),
    written
      ? element(
          "p",
          { class: "quiet" },
          "By how many features, of all SAEs, a set is promoted and suppressed beyond chance (q < 0.05).",
        )
      : null,
    box,
  ];
}

export async function setPage(p, overview) {
  const data = await get("set", { model: p.model, set: p.set }),
    s = data.set;
  const side = (direction, verb) => [direction, `Features that ${verb} it`, () => way(data, direction, verb, overview)];
  return [
    s.token_set,
    element(
      "h1",
      {},
      s.token_set,
      element("span", { class: "quiet" }, short(s.size) + " tokens · " + s.family + " · " + s.model),
    ),
    s.description ? element("p", {}, s.description) : null,
    members(data),
    bySAE(data),
    tabs("Direction", [side("promoted", "promote"), side("suppressed", "suppress")], p.direction, (direction) =>
      remember("set", p, { direction }),
    ),
  ];
}

// The set's tokens, the first of them in sight.
function members(data) {
  const s = data.set,
    few = 30,
    one = (t) => tokenLink(s.model, t.token_id, t.text, "promotes");
  const rest = data.tokens.slice(few);
  return element(
    "div",
    {},
    element("p", { class: "tokenlist" }, ...data.tokens.slice(0, few).map(one)),
    rest.length === 0
      ? null
      : element(
          "details",
          {},
          element(
            "summary",
            {},
            s.size > data.tokens.length
              ? `${whole(rest.length)} more of its ${whole(s.size)} tokens`
              : `its other ${whole(rest.length)} tokens`,
          ),
          element("p", { class: "tokenlist" }, ...rest.map(one)),
        ),
  );
}

// How many features of each SAE write the set beyond chance, and the strongest each way.
function bySAE(data) {
  const rows = new Map();
  for (const r of data.saes) rows.set(r.sae, { ...rows.get(r.sae), sae: r.sae, layer: r.layer, [r.direction]: r });
  if (rows.size < 2) return null;
  const some = (direction) => data.saes.reduce((n, r) => n + (r.direction === direction ? r.beyond_chance || 0 : 0), 0);
  const told = data.saes.some((r) => r.beyond_chance !== null);
  const columns = (direction, heading, strongest) => [
    [heading, "number", (r) => short(r[direction]?.beyond_chance)],
    [
      strongest,
      "number",
      (r) => (r[direction] ? link(featureAddress(r[direction]), String(r[direction].feature)) : "–"),
    ],
    ["its effect", "number wide", (r) => short(r[direction]?.effect)],
  ];
  return element(
    "details",
    {},
    element(
      "summary",
      {},
      told
        ? `By SAE: beyond chance ${whole(some("promoted"))} promote it, ${whole(some("suppressed"))} suppress it`
        : "By SAE",
    ),
    table(
      "Features beyond chance by SAE",
      [
        ["layer", "number", (r) => r.layer],
        ["SAE", "text wide", (r) => link(address("layer", { sae: r.sae }), r.sae)],
        ...columns("promoted", "promoted by", "strongest promoter"),
        ...columns("suppressed", "suppressed by", "strongest suppressor"),
      ],
      [...rows.values()],
    ),
  );
}

// What is of one direction: the features with the set's own tokens as evidence, and figures.
function way(data, direction, verb, overview) {
  const s = data.set,
    rows = data.features.filter((r) => r.direction === direction);
  if (rows.length === 0)
    return element(
      "p",
      { class: "quiet" },
      data.features.length === 0
        ? "No feature has a score: none is computed, or the set is empty or holds every token."
        : `No feature ${verb}s it.`,
    );
  const cells = new Map(rows.map((r) => [r.sae + " " + r.feature, element("span", { class: "tokenlist" }, "…")]));
  const of = (r) => cells.get(r.sae + " " + r.feature);
  get("evidence", { model: s.model, set: s.token_set, direction })
    .then((found) => {
      for (const f of found) of(f)?.replaceChildren(...evidence(f, s.model, direction));
      for (const cell of cells.values()) if (cell.textContent === "…") cell.textContent = "–";
    })
    .catch((e) => {
      for (const cell of cells.values()) cell.textContent = e.message;
    });
  return [
    chance(rows),
    table(
      "Features that " + verb + " " + s.token_set,
      [
        ["feature", "number", (r) => link(featureAddress(r), String(r.feature))],
        ["layer", "number", (r) => r.layer],
        ["effect", "number", (r) => short(r.effect)],
        ...scores.slice(1).map(([name, kind, make]) => [name, kind + " wide", make]),
        ["tokens of the set, with their rank", "tokens", of],
        ["label", "words wide", label],
      ],
      rows,
    ),
    figures(s, direction, overview),
  ].filter(Boolean);
}

// The set's tokens that stand furthest out in a feature's ranking, with their ranks.
function evidence(f, model, direction) {
  const end = direction === "promoted" ? "promotes" : "suppresses";
  const all = (f.members || []).map((m) => {
    const one = tokenLink(model, m.token_id, m.text, end);
    one.title = `rank ${whole(m.rank)} of ${whole(f.counted_tokens)}, logit weight ${short(m.logit_weight)}`;
    return element("span", {}, one, element("small", { class: "quiet" }, " " + whole(m.rank)));
  });
  return all.length > 0 ? all : ["none among the tokens that are stored"];
}

// Every feature of one SAE, and the histograms of those where the set stands furthest out.
function figures(s, direction, overview) {
  const saes = overview.saes.filter((o) => o.model === s.model),
    shown = element("div");
  const pick = element(
    "select",
    { "aria-label": "SAE of the figures", onchange: () => show() },
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
    for (const r of await get("promoters", { ...of, direction, model: s.model })) {
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
  return element("div", {}, element("p", { class: "actions" }, "SAE ", pick), shown);
}
