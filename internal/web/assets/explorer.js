"use strict";
// The explorer's pages. The address after # says what is shown, so that it can be
// shared and the browser's history works; data comes from /api. Text from the data is
// only ever put into text nodes.
(function () {
  const main = document.getElementById("main");
  let overview = null, turn = 0;

  function element(name, attributes, ...children) {
    const e = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key.startsWith("on")) e[key] = value;
      else if (value === true) e.setAttribute(key, "");
      else if (value !== false && value !== undefined && value !== null) e.setAttribute(key, value);
    }
    e.append(...children.filter((c) => c !== null && c !== undefined));
    return e;
  }

  async function get(path, parameters) {
    const query = new URLSearchParams();
    for (const [k, v] of Object.entries(parameters || {})) for (const one of [].concat(v)) if (one !== undefined && one !== null && one !== "") query.append(k, one);
    const answer = await fetch("/api/" + path + "?" + query);
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error || answer.statusText);
    return body;
  }

  const address = (page, parameters) => {
    const query = new URLSearchParams();
    for (const [k, v] of Object.entries(parameters || {})) if (v !== undefined && v !== null && v !== "") query.set(k, v);
    return "#/" + page + (String(query) ? "?" + query : "");
  };
  const featureAddress = (r) => address("feature", { sae: r.sae, feature: r.feature });

  function short(v) {
    if (v === null || v === undefined) return "–";
    if (typeof v !== "number") return String(v);
    if (Number.isInteger(v)) return Math.abs(v) > 9999 ? v.toLocaleString("en-US") : String(v);
    const m = Math.abs(v);
    return m !== 0 && (m < 1e-3 || m >= 1e5) ? v.toExponential(2) : v.toPrecision(4);
  }

  // A token as it can be read: spaces at its ends, and what moves the cursor, shown.
  function token(text) {
    if (text === null || text === undefined) return "∅";
    return text.replace(/^ +| +$/g, (s) => "␣".repeat(s.length)).replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
      (c) => c === "\n" ? "\\n" : c === "\t" ? "\\t" : c === "\r" ? "\\r" : "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
  }
  const tokens = (list) => (list || []).map(token).join("  ");

  // A table: columns are [heading, kind, how a row's cell is made, name to sort by].
  function table(label, columns, rows, sorting) {
    const head = element("tr");
    for (const [heading, kind, , sort] of columns) {
      const cell = element("th", { scope: "col", class: kind });
      if (sorting && sort) {
        if (sorting.by === sort) cell.setAttribute("aria-sort", sorting.order === "asc" ? "ascending" : "descending");
        cell.append(element("button", { type: "button", class: "sort", onclick: () => sorting.change(sort) }, heading));
      } else cell.append(element("span", { class: "sort" }, heading));
      head.append(cell);
    }
    const body = element("tbody", {}, ...rows.map((row) => element("tr", {}, ...columns.map(([, kind, make]) => {
      const made = make(row);
      return element("td", { class: kind }, made instanceof Node ? made : String(made ?? "–"));
    }))));
    return element("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" }, element("table", {}, element("caption", { class: "hidden" }, label), element("thead", {}, head), body));
  }

  const link = (href, text) => element("a", { href }, text);
  const label = (r) => r.label || "–";
  const outside = (url, text) => /^https?:\/\//.test(url || "") ? element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : "";

  // Pixels that a figure will take, so that what is below it does not move when it comes.
  const heights = { feature: 440, "running-sum": 610, "skew-kurtosis": 660, skewness: 500, kurtosis: 500, layers: 910, "layer-scatter": 680 };

  // A figure drawn by the server's numbers, below a heading.
  function figure(parameters, options) {
    const box = element("div", { class: "figure" }), heading = element("h2", {}, (options && options.title) || "…"), note = element("p", { class: "note" }, "…");
    box.style.minHeight = (parameters.name === "manhattan" ? 40 + 240 * (parameters.set ? 1 : 6) : parameters.q ? 0 : heights[parameters.name]) + "px";
    const section = element("section", {}, heading, note, box);
    get("figure", parameters).then((f) => {
      heading.textContent = (options && options.title) || f.title;
      note.textContent = (f.note || "") + " " + (f.hint || "");
      drawFigure(box, f);
      box.style.minHeight = "";
      section.setAttribute("aria-label", heading.textContent);
      box.addEventListener("point", (e) => { if (options && options.onpoint && e.detail.feature !== undefined) { e.preventDefault(); options.onpoint(e.detail); } });
    }).catch((e) => { heading.textContent = (options && options.title) || parameters.name; note.remove(); box.style.minHeight = ""; box.replaceChildren(element("p", { class: "error", role: "alert" }, e.message)); });
    return section;
  }

  const choice = (label, values, value, change) => {
    const select = element("select", { onchange: () => change(select.value) }, element("option", { value: "" }, "all"), ...values.map((v) => element("option", { value: v, selected: String(v) === value }, String(v))));
    return element("label", {}, label + " ", select);
  };

  // One page of the table of features.
  async function featuresPage(p) {
    const by = p.sort || "skewness", order = p.order || "desc", offset = Number(p.offset || 0), limit = 50;
    const data = await get("features", { ...p, limit });
    const go = (changes) => { location.hash = address("features", { ...p, offset: 0, ...changes }); };
    const bound = (name, key) => {
      const input = element("input", { type: "number", step: "any", value: p[key] || "", "aria-label": (key.startsWith("min") ? "least " : "greatest ") + name, onchange: () => go({ [key]: input.value }) });
      return input;
    };
    const range = (name, key) => element("span", {}, name + " ", bound(name, "min_" + key), " to ", bound(name, "max_" + key));
    const unique = (key) => [...new Set(overview.saes.map((s) => s[key]))];
    const find = element("input", { type: "search", value: p.token || "", "aria-label": "token that the feature promotes", onchange: () => go({ token: find.value }) });
    const filters = element("div", { class: "filters" },
      unique("release").length > 1 ? choice("release", unique("release"), p.release, (v) => go({ release: v })) : null,
      choice("SAE", unique("sae"), p.sae, (v) => go({ sae: v })), choice("layer", unique("layer").sort((a, b) => a - b), p.layer, (v) => go({ layer: v })),
      element("label", {}, "promotes ", find), range("skewness", "skewness"), range("kurtosis", "kurtosis"),
      element("button", { type: "button", onclick: () => { location.hash = "#/features"; } }, "Clear"));
    const sorting = { by, order, change: (sort) => go({ sort, order: sort === by && order === "desc" ? "asc" : "desc" }) };
    const grid = table("Features", [
      ["feature", "number", (r) => link(featureAddress(r), String(r.feature)), "feature"], ["layer", "number", (r) => r.layer, "layer"],
      ["skewness", "number", (r) => short(r.skewness), "skewness"], ["kurtosis", "number", (r) => short(r.kurtosis), "kurtosis"],
      ["std", "number", (r) => short(r.std), "std"], ["log sparsity", "number", (r) => short(r.log_sparsity), "log_sparsity"],
      ["label", "words", label], ["promotes", "tokens", (r) => tokens(r.top_tokens)], ["suppresses", "tokens", (r) => tokens((r.bottom_tokens || []).slice(0, 4))],
      ["SAE", "text", (r) => r.sae], ["", "text", (r) => outside(r.neuronpedia_url, "Neuronpedia")],
    ], data.rows, sorting);
    const pager = element("nav", { class: "pager", "aria-label": "Pages of features" },
      element("button", { type: "button", disabled: offset === 0, onclick: () => go({ offset: Math.max(0, offset - limit) }) }, "Previous"),
      element("span", { role: "status" }, data.total === 0 ? "No features" : `${(offset + 1).toLocaleString("en-US")} to ${Math.min(offset + limit, data.total).toLocaleString("en-US")} of ${data.total.toLocaleString("en-US")} features`),
      element("button", { type: "button", disabled: offset + limit >= data.total, onclick: () => go({ offset: offset + limit }) }, "Next"));
    return ["Features", element("h1", {}, "Features"), filters, pager, grid];
  }

  // Enrichments, what is promoted and what is suppressed apart, each in its order, with a
  // line where nothing is beyond chance.
  const scores = [["effect", "number", (r) => short(r.effect)], ["q-value", "number", (r) => short(r.q_value)], ["ES", "number", (r) => short(r.es)]];
  function apart(rows, most, columns) {
    const note = rows.some((r) => r.beyond_chance) ? null : rows.every((r) => r.q_value === null) ? "No baseline is computed that tells what is beyond chance: the largest effects." : "Nothing is beyond chance (q < 0.05): the largest effects.";
    return [note && element("p", { class: "quiet" }, note), ...["promoted", "suppressed"].map((direction) => [direction, rows.filter((r) => r.direction === direction).slice(0, most)])
      .filter(([, some]) => some.length > 0).map(([direction, some]) => table("Enrichment, " + direction, columns(direction), some))];
  }

  async function featurePage(p) {
    const data = await get("feature", p), f = data.feature, of = { sae: f.sae, feature: f.feature };
    const facts = element("dl", { class: "facts" }, ...["skewness", "kurtosis", "mean", "std", "log_sparsity", "cos_skewness", "cos_kurtosis"]
      .map((k) => element("div", {}, element("dt", {}, k.replace("_", " ")), element("dd", {}, short(f[k])))));
    const ends = (direction, title) => element("section", {}, element("h2", {}, title), table(title, [
      ["", "number", (r) => r.rank], ["token", "tokens", (r) => link(address("features", { token: r.text }), token(r.text))], ["id", "number", (r) => r.token_id], ["logit weight", "number", (r) => short(r.logit_weight)],
    ], data.tokens.filter((t) => t.direction === direction)));
    const curve = element("div"), spread = element("div");
    const show = (set) => {
      curve.replaceChildren(figure({ name: "running-sum", ...of, set }));
      spread.replaceChildren(figure({ name: "feature", ...of, set }, { title: "Logit weights, " + set + " apart" }));
    };
    const enriched = data.enrichment.length === 0 ? element("p", { class: "quiet" }, "No enrichment is computed; saedb load sets, then saedb compute.") : element("div", {}, ...apart(data.enrichment, 10, (direction) => [
      [direction, "text", (r) => link(address("set", { model: f.model, set: r.token_set }), r.token_set)], ["size", "number", (r) => r.size], ...scores,
      ["", "text", (r) => element("button", { type: "button", "aria-label": "running sum of " + r.token_set, onclick: () => { show(r.token_set); curve.scrollIntoView({ block: "nearest" }); } }, "running sum")],
    ]));
    const near = nearest(f, of);
    const step = (d) => address("feature", { ...of, feature: f.feature + d });
    const title = element("h1", {}, "Feature " + f.feature, element("span", { class: "quiet" }, f.sae + " · layer " + f.layer + " · " + f.model));
    const meaning = f.label || f.role ? element("p", { class: "meaning" }, f.label, f.role ? element("span", { class: "quiet" }, "role: " + f.role) : null) : null;
    const ways = element("p", { class: "pager" }, f.feature > 0 ? link(step(-1), "← previous") : null, link(step(1), "next →"), link(address("layer", { sae: f.sae }), "its layer"), outside(f.neuronpedia_url, "Neuronpedia"));
    const explained = data.explanations.map((e) => element("p", { class: "explanation" }, e.description,
      element("span", { class: "quiet" }, [e.explainer, e.type].filter(Boolean).join(" · "))));
    spread.append(figure({ name: "feature", ...of }, { title: "Logit weights" }));
    return ["Feature " + f.feature, title, meaning, ways, ...explained, facts, element("div", { class: "two" }, ends("promoted", "Promotes"), ends("suppressed", "Suppresses")), spread,
      element("section", {}, element("h2", {}, "Enrichment"), enriched), curve, near];
  }

  // The features with the nearest decoder directions: SAE by SAE, the feature's own and
  // its neighbours first, for as long as the page is shown.
  function nearest(f, of) {
    const mine = turn, status = element("p", { class: "quiet", role: "status" }, "…"), box = element("div");
    const apart = (s) => s.sae === f.sae ? -1 : Math.abs((s.layer ?? 0) - (f.layer ?? 0));
    const saes = overview.saes.filter((s) => s.model === f.model).sort((a, b) => apart(a) - apart(b));
    (async () => {
      let rows = [];
      for (const [i, s] of saes.entries()) {
        const more = await get("similar", { ...of, of: s.sae });
        if (mine !== turn) return;
        rows = rows.concat(more).sort((a, b) => b.cosine - a.cosine).slice(0, 10);
        box.replaceChildren(table("Nearest decoder directions", [
          ["feature", "number", (r) => link(featureAddress(r), String(r.feature))], ["layer", "number", (r) => r.layer], ["cosine", "number", (r) => short(r.cosine)], ["label", "words", label], ["promotes", "tokens", (r) => tokens((r.top_tokens || []).slice(0, 6))],
        ], rows));
        status.textContent = i + 1 < saes.length ? `Of ${i + 1} of ${saes.length} SAEs …` : saes.length === 1 ? "Of this SAE." : `Of all ${saes.length} SAEs of the model.`;
      }
    })().catch((e) => box.replaceChildren(element("p", { class: "error", role: "alert" }, e.message)));
    return element("section", {}, element("h2", {}, "Nearest decoder directions"), status, box);
  }

  async function layersPage() {
    const found = new Map((await get("layers")).map((r) => [r.sae, r])), rows = overview.saes.map((s) => ({ ...s, ...found.get(s.sae) })), few = rows.reduce((n, r) => n + r.features, 0) <= 150000; // an animation of more is no page
    return ["Layers", element("h1", {}, "Layers"), table("SAEs", [
      ["SAE", "text", (r) => link(address("layer", { sae: r.sae }), r.sae)], ["release", "text", (r) => r.release], ["model", "text", (r) => r.model], ["layer", "number", (r) => r.layer],
      ["features", "number", (r) => short(r.features)], ["beyond chance", "number", (r) => short(r.beyond_chance)],
      ["expected by chance", "number", (r) => typeof r.expected_by_chance === "number" ? r.expected_by_chance.toFixed(1) : "–"], ["architecture", "text", (r) => r.architecture || ""], ["tokens counted", "text", (r) => r.tokens || "not computed"], ["source", "text", (r) => r.source], ["SHA-256", "text", (r) => element("span", { title: r.sha256 }, r.sha256.slice(0, 12) + "…")],
    ], rows), figure({ name: "layers" }), few ? figure({ name: "layer-scatter" }) : null];
  }

  async function layerPage(p) {
    const open = (detail) => { location.hash = address("feature", { ...p, feature: detail.feature }); };
    return [p.sae, element("h1", {}, p.sae), element("p", { class: "pager" }, link(address("features", p), "its features"), link("#/layers", "all layers")),
      figure({ name: "skew-kurtosis", ...p }, { title: "Skewness and kurtosis", onpoint: open }), element("div", { class: "two" }, figure({ name: "skewness", ...p }, { title: "Skewness" }), figure({ name: "kurtosis", ...p }, { title: "Kurtosis" })),
      figure({ name: "manhattan", ...p }, { title: "Strongest token sets", onpoint: open })];
  }

  async function setsPage(p) {
    const rows = (await get("sets")).filter((r) => !p.family || r.family === p.family);
    const families = [...new Set(rows.map((r) => r.family))];
    return ["Token sets", element("h1", {}, "Token sets"), element("div", { class: "filters" }, choice("family", families, p.family, (v) => { location.hash = address("sets", { family: v }); })), table("Token sets", [
      ["set", "text", (r) => link(address("set", { model: r.model, set: r.token_set }), r.token_set)], ["family", "text", (r) => r.family], ["size", "number", (r) => short(r.size)], ["first tokens", "tokens", (r) => tokens(r.first_tokens)], ["model", "text", (r) => r.model],
    ], rows)];
  }

  async function setPage(p) {
    const data = await get("set", p), s = data.set, saes = overview.saes.filter((o) => o.model === s.model), shown = element("div");
    const pick = element("select", { "aria-label": "SAE of the figure", onchange: () => show() }, ...saes.map((o, i) => element("option", { value: i, selected: i === saes.length - 1 }, o.sae)));
    const draw = async () => {
      const o = saes[pick.value], of = { sae: o.sae, set: s.token_set }, most = element("div");
      shown.replaceChildren(figure({ name: "manhattan", ...of }, { title: "Every feature", onpoint: (d) => { location.hash = featureAddress({ ...o, feature: d.feature }); } }), most);
      for (const r of await get("promoters", { ...of, model: s.model })) {
        most.append(figure({ name: "feature", ...of, feature: r.feature }, { title: `Feature ${r.feature}, effect ${short(r.effect)}` }));
      }
    };
    const show = () => draw().catch((e) => shown.append(element("p", { class: "error", role: "alert" }, e.message)));
    if (saes.length) show();
    return [s.token_set, element("h1", {}, s.token_set, element("span", { class: "quiet" }, short(s.size) + " tokens · " + s.family + " · " + s.model)),
      element("p", {}, ...data.tokens.map((t) => element("span", { class: "chip" }, token(t))), s.size > data.tokens.length ? "…" : null),
      element("h2", {}, "Features most enriched"), data.features.length === 0 ? element("p", { class: "quiet" }, "No feature has a score: none is computed, or the set is empty or holds every token.") : element("div", {}, ...apart(data.features, 15, (direction) => [
        [direction + " by", "number", (r) => link(featureAddress(r), String(r.feature))], ["layer", "number", (r) => r.layer], ...scores, ["label", "words", label],
        direction === "promoted" ? ["promotes", "tokens", (r) => tokens((r.top_tokens || []).slice(0, 8))] : ["suppresses", "tokens", (r) => tokens((r.bottom_tokens || []).slice(0, 8))],
      ])), element("p", { class: "actions" }, "SAE ", pick), shown];
  }

  const drawable = { "skew-kurtosis": ["skewness", "kurtosis"], skewness: ["skewness"], kurtosis: ["kurtosis"], "layer-scatter": ["layer", "skewness", "kurtosis"], layers: ["layer"], "layer-box": ["layer"], manhattan: ["feature", "token_set", "es"], feature: ["logit_weight"], "running-sum": ["rank", "member"] };

  async function sqlPage(p) {
    const start = "SELECT layer, feature, skewness, kurtosis, top_tokens[:5] AS promotes\nFROM features\nWHERE skewness > 1\nORDER BY skewness DESC";
    const box = element("textarea", { id: "query", "aria-label": "SQL query", spellcheck: "false", "aria-describedby": "hint" });
    const proposals = element("ul", { class: "proposals", role: "listbox", "aria-label": "completions" }), out = element("div", { "aria-live": "polite" });
    box.value = p.q || start;
    const run = () => {
      const to = address("sql", { q: box.value });
      if (location.hash === to) execute(); else location.hash = to;
    };
    async function execute() {
      out.replaceChildren(element("p", { class: "quiet" }, "running …"));
      try {
        const data = await get("sql", { q: box.value });
        const numeric = (type) => /INT|DOUBLE|FLOAT|DECIMAL|HUGEINT/.test(type) && !type.endsWith("]");
        const cell = (value, type) => value === null ? "NULL" : numeric(type) && /[.e]/.test(value) ? String(Number(Number(value).toPrecision(6))) : value;
        const names = data.columns.map((c) => c.name.toLowerCase()), kinds = Object.keys(drawable).filter((k) => drawable[k].every((c) => names.includes(c)));
        const chart = element("div"), as = element("select", { "aria-label": "draw as", onchange: () => as.value ? chart.replaceChildren(figure({ name: as.value, q: box.value })) : chart.replaceChildren() }, element("option", { value: "" }, "draw as …"), ...kinds.map((k) => element("option", { value: k }, k)));
        const query = "?" + new URLSearchParams({ q: box.value });
        out.replaceChildren(element("div", { class: "actions" }, `${data.rows.length.toLocaleString("en-US")} rows${data.truncated ? " shown, there are more" : ""}, ${(1000 * data.seconds).toFixed(0)} ms`,
          kinds.length ? as : null, element("a", { href: "/api/sql.csv" + query, download: "result.csv" }, "CSV"), element("a", { href: "/api/sql.parquet" + query, download: "result.parquet" }, "Parquet")), chart,
          table("Result", data.columns.map((c, i) => [c.name, numeric(c.type) ? "number" : "tokens", (r) => cell(r[i], c.type)]), data.rows));
      } catch (e) {
        out.replaceChildren(element("p", { class: "error", role: "alert" }, e.message));
      }
    }
    const names = get("names");
    let chosen = 0, words = [];
    const typed = () => (box.value.slice(0, box.selectionStart).match(/[A-Za-z_][A-Za-z0-9_]*$/) || [""])[0];
    async function propose() {
      const prefix = typed().toLowerCase(), all = await names, rank = { view: 0, column: 1, function: 2, keyword: 3 };
      words = prefix.length < 2 ? [] : all.filter((n) => n.name.startsWith(prefix) && n.name !== prefix).sort((a, b) => rank[a.kind] - rank[b.kind] || a.name.length - b.name.length).slice(0, 8);
      chosen = 0;
      showProposals();
    }
    function showProposals() {
      proposals.replaceChildren(...words.map((w, i) => element("li", { role: "option", "aria-selected": i === chosen ? "true" : "false", onclick: () => { chosen = i; accept(); box.focus(); } }, w.name, element("span", { class: "kind" }, w.kind))));
    }
    function accept() {
      const prefix = typed(), at = box.selectionStart;
      box.setRangeText(words[chosen].name, at - prefix.length, at, "end");
      words = [];
      showProposals();
    }
    box.oninput = propose;
    box.onkeydown = (e) => {
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); run(); return; }
      if (words.length === 0) return;
      if (e.key === "Tab" && !e.shiftKey) { e.preventDefault(); accept(); }
      else if (e.key === "Escape") { words = []; showProposals(); }
      else if (e.altKey && (e.key === "ArrowRight" || e.key === "ArrowLeft")) { e.preventDefault(); chosen = (chosen + (e.key === "ArrowRight" ? 1 : words.length - 1)) % words.length; showProposals(); }
    };
    if (p.q) execute();
    return ["SQL", element("h1", {}, "SQL"), box, proposals, element("div", { class: "actions" }, element("button", { type: "button", class: "primary", id: "run", onclick: run }, "Run"), element("span", { id: "hint" }, "Ctrl+Enter runs, Tab completes, Alt and the arrows choose, Esc lets go. The address holds the query.")), out];
  }

  const pages = { features: featuresPage, feature: featurePage, layers: layersPage, layer: layerPage, sets: setsPage, set: setPage, sql: sqlPage };

  async function show() {
    const [path, query] = location.hash.replace(/^#\/?/, "").split("?"), name = pages[path] ? path : "features";
    const mine = ++turn;
    main.classList.add("waiting");
    let parts;
    try {
      if (!overview) {
        overview = await get("overview");
        document.getElementById("database").textContent = overview.database;
        document.getElementById("version").textContent = overview.version;
      }
      parts = await pages[name](Object.fromEntries(new URLSearchParams(query || "")));
    } catch (e) {
      parts = ["Error", element("h1", {}, "That did not work"), element("p", { class: "error", role: "alert" }, e.message)];
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
    if (/^\d+$/.test(text) && overview.saes.length === 1) location.hash = featureAddress({ ...overview.saes[0], feature: Number(text) });
    else if (/^\d+$/.test(text)) location.hash = address("features", { min_feature: text, max_feature: text, sort: "layer" });
    else location.hash = address("features", { token: text });
  };
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) { e.preventDefault(); find.focus(); find.select(); }
  });
  addEventListener("hashchange", () => { window.scrollTo(0, 0); show(); });
  show();
})();
