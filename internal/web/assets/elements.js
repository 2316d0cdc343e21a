// What the explorer's pages are made of. Text from the data is only ever put into text
// nodes.
export function element(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) e[key] = value;
    else if (value === true) e.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) e.setAttribute(key, value);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined));
  return e;
}

export async function get(path, parameters) {
  const query = new URLSearchParams();
  for (const [k, v] of Object.entries(parameters || {}))
    for (const one of [].concat(v)) if (one !== undefined && one !== null && one !== "") query.append(k, one);
  const answer = await fetch("/api/" + path + "?" + query);
  const body = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(body.error || answer.statusText), body); // with its place in a query
  return body;
}

// Whether a key that is pressed is typed into something.
export const typing = () => /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);

// Sends what is to be kept.
export async function post(path, what) {
  const answer = await fetch("/api/" + path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(what),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || answer.statusText);
  return body;
}

export const address = (page, parameters) => {
  const query = new URLSearchParams();
  for (const [k, v] of Object.entries(parameters || {})) if (v !== undefined && v !== null && v !== "") query.set(k, v);
  return "#/" + page + (String(query) ? "?" + query : "");
};
export const featureAddress = (r) => address("feature", { sae: r.sae, feature: r.feature });

// A count, its thousands apart.
export const whole = (n) => n.toLocaleString("en-US");

export function short(v) {
  if (v === null || v === undefined) return "–";
  if (typeof v !== "number") return String(v);
  if (Number.isInteger(v)) return Math.abs(v) > 9999 ? whole(v) : String(v);
  const m = Math.abs(v);
  return m !== 0 && (m < 1e-3 || m >= 1e5) ? v.toExponential(2) : v.toPrecision(4);
}

// A token as it can be read: spaces at its ends, and what moves the cursor, shown.
export function token(text) {
  if (text === null || text === undefined) return "∅";
  return (
    text
      .replace(/^ +| +$/g, (s) => "␣".repeat(s.length))
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
      .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (c) =>
        c === "\n"
          ? "\\n"
          : c === "\t"
            ? "\\t"
            : c === "\r"
              ? "\\r"
              : "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"),
      )
  );
}
export const tokens = (list) => (list || []).map(token).join("  ");

// A token as a link to its page, at an end of the ranking of features: those that promote it,
// suppress it (suppresses), or are excited by it (excited_by).
export const tokenLink = (model, id, text, end) =>
  element("a", { class: "token", href: address("token", { model, id, end }) }, token(text));
// Those of a list that has many are no stops of Tab: they stand on the page that its row leads to.
export const tokenList = (model, ids, texts, end, most = 10) =>
  element(
    "span",
    { class: "tokenlist" },
    ...(texts || []).slice(0, most).map((text, i) => {
      const one = tokenLink(model, ids[i], text, end);
      one.tabIndex = -1;
      return one;
    }),
  );

// A table: columns are [heading, kind, how a row's cell is made, name to sort by].
export function table(label, columns, rows, sorting) {
  const head = element("tr");
  for (const [heading, kind, , sort] of columns) {
    // A column without a name has no header: a screen reader would read an empty one.
    const cell = heading ? element("th", { scope: "col", class: kind }) : element("td", { class: kind });
    if (sorting && sort) {
      if (sorting.by === sort) cell.setAttribute("aria-sort", sorting.order === "asc" ? "ascending" : "descending");
      cell.append(
        element(
          "button",
          { type: "button", class: "sort", "data-key": "sort " + sort, onclick: () => sorting.change(sort) },
          heading,
        ),
      );
    } else cell.append(element("span", { class: "sort" }, heading));
    head.append(cell);
  }
  const body = element(
    "tbody",
    {},
    ...rows.map((row) =>
      element(
        "tr",
        {},
        ...columns.map(([, kind, make]) => {
          const made = make(row);
          return element("td", { class: kind }, made instanceof Node ? made : String(made ?? "–"));
        }),
      ),
    ),
  );
  return element(
    "div",
    { class: "scroll", role: "region", "aria-label": label, tabindex: "0" },
    element("table", {}, element("caption", { class: "hidden" }, label), element("thead", {}, head), body),
  );
}

// Fills a box with what make makes of rows, sorted by the column that the address names, or else as they
// are. make is given the rows, what a table's headings need to sort them, and a function that draws
// the box again after changes of the address and gives the focus back to the element of a data-key.
export function sortedBy(page, p, rows, box, make, prefix = "") {
  const draw = () => {
    const by = p[prefix + "sort"],
      order = p[prefix + "order"] || "desc";
    const again = (key, changes) => {
      remember(page, p, changes);
      draw();
      box.querySelector(`[data-key="${key}"]`)?.focus();
    };
    const change = (sort) =>
      again("sort " + sort, {
        [prefix + "sort"]: sort,
        [prefix + "order"]: sort === by && order === "desc" ? "asc" : "desc",
      });
    const sorted = by ? [...rows].sort((a, b) => compare(a[by], b[by], order)) : rows;
    box.replaceChildren(...make(sorted, { by, order, change }, again).filter(Boolean));
  };
  draw();
}

// What has no value comes last, whatever the order.
function compare(a, b, order) {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1;
  if (b === null || b === undefined) return -1;
  return (a < b ? -1 : 1) * (order === "asc" ? 1 : -1);
}

// Tabs: kinds are [name, heading, how its panel's content is made], made when it is first shown.
// change is told which is chosen.
export function tabs(label, kinds, chosen, change) {
  const place = Math.max(
    0,
    kinds.findIndex(([name]) => name === chosen),
  );
  const panels = kinds.map(([name]) =>
    element("div", { role: "tabpanel", id: "panel-" + name, "aria-labelledby": "tab-" + name, hidden: true }),
  );
  const show = (i, focus) => {
    for (const [k, tab] of heads.entries()) {
      tab.setAttribute("aria-selected", String(k === i));
      tab.tabIndex = k === i ? 0 : -1;
      panels[k].hidden = k !== i;
    }
    if (!panels[i].hasChildNodes()) panels[i].append(...[].concat(kinds[i][2]()));
    if (focus) heads[i].focus();
  };
  const pick = (i) => {
    show(i, true);
    change(kinds[i][0]);
  };
  const moves = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
  const heads = kinds.map(([name, heading], i) =>
    element(
      "button",
      {
        type: "button",
        role: "tab",
        id: "tab-" + name,
        "aria-controls": "panel-" + name,
        onclick: () => pick(i),
        onkeydown: (e) => {
          if (!(e.key in moves)) return;
          e.preventDefault();
          const to = i + moves[e.key];
          pick(Number.isFinite(to) ? (to + kinds.length) % kinds.length : to < 0 ? 0 : kinds.length - 1);
        },
      },
      heading,
    ),
  );
  show(place, false);
  return element(
    "div",
    {},
    element("div", { role: "tablist", class: "tabs", "aria-label": label }, ...heads),
    ...panels,
  );
}

// Puts what is chosen on a page into its address, without drawing the page again.
export function remember(page, p, changes) {
  Object.assign(p, changes);
  history.replaceState(null, "", address(page, p));
}

export const link = (href, text) => element("a", { href }, text);
export const label = (r) => r.label || "–";
export const outside = (url, text) =>
  /^https?:\/\//.test(url || "") ? element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, text) : "";

// Pixels that a figure will take, so that what is below it does not move when it comes.
export const heights = {
  feature: 440,
  "running-sum": 610,
  "skew-kurtosis": 660,
  skewness: 500,
  kurtosis: 500,
  layers: 910,
  "layer-scatter": 680,
};

// A figure drawn by the server's numbers, below a heading.
export function figure(parameters, options) {
  const box = element("div", { class: "figure" }),
    heading = element("h2", {}, (options && options.title) || "…"),
    note = element("p", { class: "note" }, "…");
  box.style.minHeight =
    (parameters.name === "manhattan"
      ? 40 + 240 * (parameters.set ? 1 : 6)
      : parameters.q
        ? 0
        : heights[parameters.name]) + "px";
  const section = element("section", {}, heading, note, box);
  get("figure", parameters)
    .then((f) => {
      heading.textContent = (options && options.title) || f.title;
      note.textContent = (f.note || "") + " " + (f.hint || "") + " ";
      if (!parameters.q) note.append(link(address("sql", { q: f.query }), "Its numbers in SQL"));
      drawFigure(box, f);
      box.style.minHeight = "";
      section.setAttribute("aria-label", heading.textContent);
      box.addEventListener("point", (e) => {
        const { sae, feature, layer } = e.detail;
        if (options?.onpoint && (feature ?? layer) !== undefined) {
          e.preventDefault();
          options.onpoint(e.detail);
        } else if (sae !== undefined && feature !== undefined) {
          e.preventDefault();
          location.hash = address("feature", { sae, feature });
        } else if (layer !== undefined) {
          e.preventDefault();
          location.hash = address("features", { layer });
        }
      });
    })
    .catch((e) => {
      heading.textContent = (options && options.title) || parameters.name;
      note.remove();
      box.style.minHeight = "";
      box.replaceChildren(element("p", { class: "error", role: "alert" }, e.message));
    });
  return section;
}

export const choice = (label, values, value, change) => {
  const select = element(
    "select",
    { "data-key": label, onchange: () => change(select.value) },
    element("option", { value: "" }, "all"),
    ...values.map((v) => element("option", { value: v, selected: String(v) === value }, String(v))),
  );
  return element("label", {}, label + " ", select);
};

// What tables of enrichments have, and a line where nothing of them is beyond chance.
export const scores = [
  ["effect", "number", (r) => short(r.effect)],
  ["q-value", "number", (r) => short(r.q_value)],
  ["ES", "number", (r) => short(r.es)],
];
export function chance(rows) {
  if (rows.some((r) => r.beyond_chance)) return null;
  const why = rows.every((r) => r.q_value === null)
    ? "No baseline is computed that tells what is beyond chance: the largest effects."
    : "Nothing is beyond chance (q < 0.05): the largest effects.";
  return element("p", { class: "quiet" }, why);
}
