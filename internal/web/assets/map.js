// The explorer's page of a map: the features of an SAE, near one another where their decoder
// directions are.
import { brush, cloud, marks, rowsMark, within } from "./cloud.js";
import {
  address,
  element,
  featureAddress,
  get,
  label,
  link,
  remember,
  short,
  table,
  token,
  tokenList,
  whole,
} from "./elements.js";
import { layOut } from "./layout.js";
import { coloring, colorOf, colors } from "./map-colors.js";

const mostShown = 100; // selected features that are listed

export async function mapPage(p, overview, current) {
  if (!p.sae) return allMaps(await get("map"), overview);
  const data = await get("map"),
    go = (changes) => {
      location.hash = address("map", { ...p, ...changes });
    };
  const there = data.saes.includes(p.sae) && data.library,
    sets = there && colorOf(p) === "set" ? await get("sets") : [],
    box = element("div", {}, element("p", { class: "note", role: "status" }, "Reading the neighbours …"));
  if (!data.library)
    box.replaceChildren(
      error("This saedb was built without the libraries that lay maps out and draw them: make build builds them in."),
    );
  else if (!there) box.replaceChildren(missing(overview, p.sae));
  // The neighbours of many features take a moment: the page is there before them.
  else
    get("map", { sae: p.sae, most: p.most })
      .then(async ({ layout }) => {
        if (layout.feature.length < 3) throw new Error("Fewer than three features have neighbours, which make no map.");
        box.replaceChildren(explanation(layout), await drawing(p, layout, overview, current));
      })
      .catch((e) => box.replaceChildren(error(e.message)));
  return [
    "Map of " + p.sae,
    element("h1", {}, "Map", element("span", { class: "quiet" }, p.sae)),
    choices(p, overview, data, there, sets, go),
    box,
  ];
}

const error = (text) => element("p", { class: "error", role: "alert" }, text);

// Why there is no map of an SAE, and what makes it.
const missing = (overview, sae) =>
  element(
    "div",
    { class: "error", role: "alert" },
    "The nearest decoder directions of the features of this SAE are not stored, and a map is laid out from them. " +
      "This command stores them, while the explorer does not run:",
    element("pre", {}, `saedb --db ${overview.database} compute --neighbours --from '${sae}'`),
  );

// The SAEs, with those that have a map.
function allMaps(data, overview) {
  const there = new Set(data.saes);
  return [
    "Maps",
    element("h1", {}, "Maps"),
    element(
      "p",
      { class: "note" },
      "The features of an SAE in two dimensions, near one another where their decoder directions are.",
    ),
    there.size < overview.saes.length ? missing(overview, overview.saes.find((s) => !there.has(s.sae)).sae) : null,
    table(
      "SAEs",
      [
        ["SAE", "text", (r) => (there.has(r.sae) ? link(address("map", { sae: r.sae }), r.sae) : r.sae)],
        ["layer", "number", (r) => r.layer],
        ["features", "number", (r) => short(r.features)],
        ["nearest directions", "text", (r) => (there.has(r.sae) ? "stored" : "not computed")],
      ],
      overview.saes,
    ),
  ];
}

function explanation(l) {
  const laid = l.feature.length,
    said = [
      `${whole(laid)} features, near one another where the cosines of their decoder directions are high. UMAP lays ` +
        "them out from the nearest neighbours that compute --neighbours stored, " +
        `${Number(l.mean.toFixed(1))} of each feature, by the distance 1 − cosine, the same way each time. ` +
        "That points are neighbours means something; the axes and how far groups lie apart do not.",
    ];
  if (l.sampled)
    said.push(
      ` They are a seeded sample of the ${whole(l.features)} features of this SAE, with those of their ${l.stored} ` +
        `stored neighbours that are in it; ${whole(l.apart)} more have none there and are left out.`,
    );
  said.push(
    l.zero === 0
      ? " No direction is zero: every feature has neighbours."
      : ` ${whole(l.zero)} features whose direction is zero have no neighbours and no place.`,
  );
  return element("p", { class: "note" }, said.join(""));
}

function choices(p, overview, data, there, sets, go) {
  const select = (name, values, chosen, change) => {
    const box = element(
      "select",
      { "data-key": name, onchange: () => change(box.value) },
      ...values.map(([value, text]) => element("option", { value, selected: value === chosen }, text)),
    );
    return element("label", {}, name + " ", box);
  };
  const here = overview.saes.find((s) => s.sae === p.sae),
    color = colorOf(p);
  const names = [...new Set(sets.filter((s) => s.model === here.model).map((s) => s.token_set))];
  const sizes = [data.usual, data.limit].filter((n) => n < here.features);
  if (here.features <= data.limit) sizes.push(here.features);
  const most = String(Math.min(Number(p.most || data.usual), here.features));
  return element(
    "div",
    { class: "filters" },
    select(
      "SAE",
      overview.saes.map((s) => [s.sae, s.sae]),
      p.sae,
      (sae) => go({ sae, selected: undefined, feature: undefined }),
    ),
    there ? select("coloured by", colors, color, (v) => go({ color: v, set: undefined })) : null,
    names.length > 0
      ? select("set", [["", "choose one"], ...names.map((n) => [n, n])], p.set || "", (v) => go({ set: v }))
      : null,
    there && sizes.length > 1
      ? select(
          "features laid out",
          sizes.map((n) => [String(n), n === here.features ? `all ${whole(n)}` : `${whole(n)}, a sample`]),
          most,
          (v) => go({ most: v }),
        )
      : null,
  );
}

// The drawing with its progress, and what is selected of it.
async function drawing(p, l, overview, current) {
  const model = overview.saes.find((s) => s.sae === p.sae).model,
    { groups, scale, more } = await coloring(p, l, model);
  const root = element("div", { class: "figure map" }),
    bar = element("progress", { "aria-label": "Layout" }),
    status = element("p", { class: "note" }, "Joining the neighbours to a graph …"),
    tools = element("div", { class: "actions" }),
    dragging = element("span"),
    below = element("div");
  const place = new Map(l.feature.map((f, i) => [f, i]));
  const asked = (text) =>
    (text || "")
      .split(",")
      .map(Number)
      .filter((f) => text && place.has(f));
  let chosen = new Set(asked(p.selected)),
    at = null, // where the features lie
    figure = null,
    drawn = null,
    waiting = null;
  const here = asked(p.feature)[0];
  if (p.feature && here === undefined) below.append(notThere(p, l));
  const promotes = l.tokens.map((t) => (t || []).map(token).join("  "));
  const hover = [
    { name: "feature", text: (i) => String(l.feature[i]) },
    { name: "label", text: (i) => l.label[i] || "" },
    { name: "promotes", text: (i) => promotes[i] },
    ...(colorOf(p) === "skewness" ? [] : [{ name: "skewness", text: (i) => short(l.skewness[i]) }]),
    ...(more ? [more] : []),
  ];
  const points = () => {
    const special = (i) => l.feature[i] === here || chosen.has(l.feature[i]);
    const parts = groups.map((g) => ({ ...g, rows: g.rows.filter((i) => !special(i)) }));
    const selected = [...chosen].filter((f) => f !== here).map((f) => place.get(f));
    parts.push({ name: "selected", color: "red", rows: selected, size: 7 });
    if (here !== undefined)
      parts.push({ name: "", color: "red", rows: [place.get(here)], size: 8, label: String(here) });
    return marks(parts, { ...at, hover, saes: [p.sae], scale, size: l.feature.length > 5000 ? 3 : 5 });
  };
  const name = `Map of ${whole(l.feature.length)} features of ${p.sae}`;
  const draw = (now) => {
    at = now;
    const fresh = cloud({
      name: "map",
      title: name,
      hint: "Enter steps through the points.",
      height: 560,
      scale,
      points: points(),
      map: Math.min(Math.max(root.clientWidth / 640, 1), 1.6),
      ...at,
    });
    if (drawn && now.epoch < now.epochs) {
      // What has the focus stays: only the numbers change until the layout is done.
      Object.assign(figure.panels[0], fresh.panels[0]);
      return drawn.redraw();
    }
    const had = drawn?.box === document.activeElement,
      selecting = figure?.select;
    figure = fresh;
    drawn = drawFigure(root, figure);
    if (!drawn.chart) return;
    dragging.replaceChildren(brush(figure, drawn, false, lasso, selecting));
    if (!tools.hasChildNodes()) tools.append(dragging, ...byKeyboard());
    if (had) drawn.box.focus({ preventScroll: true });
  };
  const select = (features, add) => {
    chosen = new Set(add ? [...chosen, ...features] : features);
    remember("map", p, { selected: [...chosen].sort((a, b) => a - b).join() || undefined });
    figure.panels[0].points = points();
    drawn.redraw();
    selection();
  };
  const lasso = (polygon, add) =>
    select(
      l.feature.filter((_, i) => within(polygon, at.xs[i], at.ys[i])),
      add,
    );
  // A feature and those that lie nearest to it, which needs no pointer.
  const byKeyboard = () => {
    const feature = element("input", { type: "number", min: 0, max: l.features - 1, value: p.feature || "" }),
      nearest = element("input", { type: "number", min: 0, max: l.feature.length - 1, value: 20 });
    const pick = () => {
      const i = place.get(Number(feature.value || NaN));
      if (i === undefined) {
        selected.replaceChildren(error(`Feature ${feature.value || "?"} has no place on this map.`));
        return;
      }
      const far = l.feature.map((f, k) => [Math.hypot(at.xs[k] - at.xs[i], at.ys[k] - at.ys[i]), f]);
      select(
        far
          .sort((a, b) => a[0] - b[0] || a[1] - b[1])
          .slice(0, Number(nearest.value) + 1)
          .map((d) => d[1]),
      );
    };
    return [
      element(
        "form",
        {
          class: "filters",
          "aria-label": "Select by number",
          onsubmit: (e) => {
            e.preventDefault();
            pick();
          },
        },
        element("label", {}, "feature ", feature),
        element("label", {}, "and the nearest ", nearest),
        element("button", { type: "submit" }, "Select"),
      ),
      element("button", { type: "button", onclick: () => select([]) }, "Select none"),
    ];
  };
  const selected = element("div", { "aria-live": "polite" });
  let turn = 0;
  async function selection() {
    const mine = ++turn,
      parts = await listed(p, [...chosen], drawn, (feature) => [at.xs[place.get(feature)], at.ys[place.get(feature)]]);
    if (mine === turn) selected.replaceChildren(...parts);
  }
  root.addEventListener("point", (e) => {
    e.preventDefault();
    location.hash = featureAddress({ sae: p.sae, feature: e.detail.feature });
  });
  root.addEventListener("pick", (e) => {
    const feature = Number(e.detail.feature),
      others = [...chosen].filter((f) => f !== feature);
    select(chosen.has(feature) ? others : [...others, feature]);
  });
  layOut(
    `${p.sae} ${p.most || ""}`,
    l,
    current,
    (now) => {
      const done = now.epoch === now.epochs;
      // Who wants no motion is shown the end alone; of what comes while a drawing is made, the last.
      if (now.xs && (done || !matchMedia("(prefers-reduced-motion: reduce)").matches)) {
        if (!waiting)
          requestAnimationFrame(() => {
            const last = waiting;
            waiting = null;
            if (!current()) return;
            draw(last);
            if (last.epoch === last.epochs) selection();
          });
        waiting = now;
      }
      bar.max = now.epochs;
      bar.value = now.epoch;
      bar.hidden = done;
      status.textContent = done
        ? "Hover a point for its feature; a click opens it. Draw around points to select them, with Shift to add to " +
          "those that are. With the keyboard: Enter on the map and the arrow keys show points, the space bar " +
          "selects the one that is shown, Enter opens it."
        : `Laying out: ${now.epoch} of ${now.epochs} rounds.`;
    },
    (e) => {
      bar.hidden = true;
      status.replaceWith(error("The map could not be laid out: " + e.message));
    },
  );
  return element("section", { "aria-label": name }, below, status, bar, root, tools, selected);
}

// Why a feature that an address shows has no place.
const notThere = (p, l) =>
  element(
    "p",
    { class: "quiet", role: "status" },
    `Feature ${p.feature} has no place on this map: ` +
      (l.sampled
        ? "it is not in the sample, or its direction is zero."
        : "its direction is zero, or there is no such feature."),
  );

// The table of the features that are selected, whose rows show their points, and ways to have them
// elsewhere.
async function listed(p, features, drawn, placeOf) {
  if (features.length === 0)
    return [element("h2", {}, "Selected features"), element("p", { class: "quiet" }, "None is selected.")];
  features.sort((a, b) => a - b);
  const of = { sae: p.sae, features: features.join() };
  const data = await get("features", { ...of, limit: mostShown }),
    query =
      "SELECT feature, skewness, kurtosis, label, top_tokens[:5] AS promotes\nFROM features\n" +
      `WHERE sae = '${p.sae.replaceAll("'", "''")}' AND feature IN (${features.join(", ")})\nORDER BY skewness DESC`;
  const grid = table(
    "Selected features",
    [
      ["feature", "number", (r) => link(featureAddress(r), String(r.feature))],
      ["skewness", "number", (r) => short(r.skewness)],
      ["kurtosis", "number wide", (r) => short(r.kurtosis)],
      ["label", "words wide", label],
      ["promotes", "tokens", (r) => tokenList(r.model, r.top_token_ids, r.top_tokens, "promotes")],
      ["suppresses", "tokens wide", (r) => tokenList(r.model, r.bottom_token_ids, r.bottom_tokens, "suppresses", 4)],
    ],
    data.rows,
  );
  rowsMark(grid, data.rows, drawn, (r) => placeOf(r.feature));
  return [
    element("h2", {}, `${whole(features.length)} selected ${features.length === 1 ? "feature" : "features"}`),
    features.length > mostShown ? element("p", { class: "note" }, `The ${mostShown} of the highest skewness.`) : null,
    element(
      "p",
      { class: "pager" },
      link(address("features", of), "in the table of features"),
      link(address("sql", { q: query }), "as SQL"),
    ),
    grid,
  ].filter(Boolean);
}
