// What the SQL page shows of a query: its result as a table whose cells are links, as a chart, and
// what is wrong with it.
import { address, element, featureAddress, figure, link, table, token, tokenLink, whole } from "./elements.js";

const most = 140, // characters of a cell that are shown at once
  mostTokens = 10; // likewise

// What is wrong with a query, with its line and the place in it; find moves there.
export function problem(e, find) {
  const [first, ...rest] = e.message.split("\n");
  const long = rest.length > 3;
  return element(
    "div",
    { class: "error", role: "alert" },
    long ? first : e.message,
    e.line
      ? element(
          "div",
          { class: "place" },
          element(
            "button",
            { type: "button", onclick: () => find(e.line, e.column) },
            `Line ${e.line}, column ${e.column}`,
          ),
          element("pre", {}, ...marked(e.text, e.column)),
        )
      : null,
    long ? element("details", {}, element("summary", {}, "more"), element("pre", {}, rest.join("\n"))) : null,
  );
}

// A line with the word at a column marked, and some of what is around it where it is long.
function marked(text, column) {
  const around = 60,
    characters = [...text],
    at = column - 1,
    word =
      characters
        .slice(at)
        .join("")
        .match(/^(\w+|.|$)/su)[0] || " ",
    end = at + [...word].length,
    from = at > 2 * around ? at - around : 0,
    to = end + 2 * around;
  return [
    (from ? "…" : "") + characters.slice(from, at).join(""),
    element("mark", {}, word),
    characters.slice(end, to).join("") + (to < characters.length ? "…" : ""),
  ];
}

// The whole of a result: how it is drawn is held by choice (draw, x, y, color), and change is told of it.
export function shown(data, q, overview, choice, change) {
  const query = "?" + new URLSearchParams({ q });
  const chart = element("div"),
    controls = element("span", { class: "actions" });
  const draw = () => {
    controls.replaceChildren(...chartControls(data, choice, redraw));
    const drawn = data.figures.includes(choice.draw);
    if (drawn) chart.replaceChildren(figure(parametersOf(choice, q), { onpoint: (d) => open(d, overview) }));
    else if (choice.draw)
      chart.replaceChildren(
        element("p", { class: "error", role: "alert" }, `These columns cannot be drawn as ${choice.draw}.`),
      );
    else chart.replaceChildren();
  };
  const redraw = (changes) => {
    Object.assign(choice, changes);
    change(choice);
    const focused = document.activeElement.getAttribute("aria-label");
    draw();
    controls.querySelector(`[aria-label="${focused}"]`)?.focus();
  };
  draw();
  return [
    element(
      "div",
      { class: "actions" },
      element(
        "span",
        { role: "status" },
        `${whole(data.rows.length)} rows${data.truncated ? " shown, there are more" : ""}, ` +
          `${(1000 * data.seconds).toFixed(0)} ms`,
      ),
      element("a", { href: "/api/sql.csv" + query, download: "result.csv" }, "CSV"),
      element("a", { href: "/api/sql.parquet" + query, download: "result.parquet" }, "Parquet"),
      controls,
    ),
    chart,
    table(
      "Result",
      data.columns.map((c, i) => [
        c.name,
        c.numeric ? "number" : "tokens",
        (r) => cell(r[i], c, (name) => r[data.columns.findIndex((c) => c.name.toLowerCase() === name)], overview),
      ]),
      data.rows,
    ),
  ];
}

// Charts of any columns, each with the choices that it needs.
const both = ["x", "y", "color"],
  marks = { scatter: both, line: both, bar: both, histogram: ["x", "color"] };

const parametersOf = (choice, q) =>
  marks[choice.draw]
    ? { mark: choice.draw, q, ...Object.fromEntries(marks[choice.draw].map((k) => [k, choice[k]])) }
    : { name: choice.draw, q };

function chartControls(data, choice, change) {
  if (data.figures.length === 0) return [];
  const names = data.columns.map((c) => c.name),
    numbers = data.columns.filter((c) => c.numeric).map((c) => c.name);
  const select = (label, options, value, changed) => {
    const box = element(
      "select",
      { "aria-label": label, onchange: () => changed(box.value) },
      ...options.map(([v, text]) => element("option", { value: v, selected: v === (value || "") }, text)),
    );
    return box;
  };
  const columns = (list) => list.map((name) => [name, name]);
  const start = {
    scatter: { x: numbers[0], y: numbers[1] },
    line: { x: numbers[0], y: numbers[1] },
    bar: { x: names.find((n) => !numbers.includes(n)) || names[0], y: numbers.find((n) => n !== names[0]) || "" },
    histogram: { x: numbers[0], y: "" },
  };
  const as = select(
    "draw as",
    [["", "draw as …"], ...data.figures.map((name) => [name, name])],
    data.figures.includes(choice.draw) ? choice.draw : "",
    (draw) => change({ draw, x: "", y: "", color: "", ...start[draw] }),
  );
  if (!data.figures.includes(choice.draw) || !marks[choice.draw]) return [as];
  const options = {
    x: columns(choice.draw === "bar" ? names : numbers),
    y: [...(choice.draw === "bar" ? [["", "number of rows"]] : []), ...columns(numbers)],
    color: [["", "one colour"], ...columns(names)],
  };
  const named = { x: "x", y: "y", color: "colour" };
  return [
    as,
    ...marks[choice.draw].map((key) =>
      element(
        "label",
        {},
        named[key] + " ",
        select("column of " + named[key], options[key], choice[key], (v) => change({ [key]: v })),
      ),
    ),
  ];
}

// The SAE that a row is of: what it says, or the only one of its layer, or of all.
function saeOf(value, overview) {
  const sae = value("sae"),
    layer = value("layer"),
    could = overview.saes.filter((s) =>
      sae ? s.sae === sae : layer === undefined || layer === null || layer === "" || String(s.layer) === String(layer),
    );
  return could.length === 1 ? could[0] : null;
}

// A click on a point leads to its feature, where it says which, and on a box or what else is of a layer
// to the features of the layer.
function open(detail, overview) {
  const s = saeOf((name) => detail[name], overview);
  if (s && detail.feature !== undefined) location.hash = featureAddress({ sae: s.sae, feature: detail.feature });
  else if (detail.feature === undefined && overview.saes.some((o) => String(o.layer) === String(detail.layer)))
    location.hash = address("features", { layer: detail.layer });
}

// A cell of the table. value gives what the row has in the column of a name.
function cell(text, column, value, overview) {
  if (text === null) return element("span", { class: "quiet" }, "NULL");
  if (column.type === "VARCHAR[]") {
    const list = JSON.parse(text).map(token);
    return clipped(list.join("  "));
  }
  if (column.tokens) return tokens(text, modelOf(value, overview));
  const shown = column.numeric ? number(text) : token(text),
    to = linkOf(column.name.toLowerCase(), text, value, overview);
  return to && shown.length <= most ? link(to, shown) : clipped(shown);
}

// The model that a row is of: what it says, that of its SAE, or the only one there is.
function modelOf(value, overview) {
  const named = value("model") || saeOf(value, overview)?.model,
    known = overview.models.map((m) => m.model);
  return known.includes(named) ? named : !named && known.length === 1 ? known[0] : null;
}

// A list of structs with a token's id: each leads to the token's page, where the model is known, and has
// its other fields beside it. The text alone leads nowhere: several tokens may have one.
function tokens(text, model) {
  let list;
  try {
    list = JSON.parse(text);
  } catch {
    return clipped(text); // JSON has no infinity
  }
  const first = list.find((t) => t !== null);
  const one = (t) => {
    if (t === null) return element("span", { class: "quiet" }, "NULL");
    const shown = t.text ?? t.token,
      others = Object.entries(t).filter(([name]) => !["token_id", "token", "text"].includes(name));
    // Names stand beside the first token alone, and beside the others as a title.
    const named = (name, v) => name + " " + v,
      values = others.map(([name, v]) => [name, typeof v === "number" ? number(String(v)) : String(v)]);
    const said = values.map(([name, v]) => (t === first ? named(name, v) : v)).join(", "),
      title = values.map(([name, v]) => named(name, v)).join(", ");
    const id = t.token_id;
    return element(
      "span",
      {},
      model && id !== null ? tokenLink(model, id, shown) : element("span", {}, token(shown)),
      said ? element("small", { class: "quiet", title }, " " + said) : null,
    );
  };
  const shownFirst = list.slice(0, mostTokens).map(one),
    rest = list.slice(mostTokens);
  return element(
    "div",
    {},
    element("span", { class: "tokenlist whole" }, ...shownFirst),
    rest.length > 0
      ? element(
          "details",
          {},
          element("summary", {}, `${whole(rest.length)} more`),
          element("span", { class: "tokenlist whole" }, ...rest.map(one)),
        )
      : null,
  );
}

const number = (text) => (/[.e]/.test(text) ? String(Number(Number(text).toPrecision(6))) : text);

// Where a cell leads: what is a feature, an SAE, a token set or a token has its page.
function linkOf(name, text, value, overview) {
  const s = saeOf(value, overview),
    model = value("model") || s?.model;
  switch (name) {
    case "feature":
      return s && /^\d+$/.test(text) ? featureAddress({ sae: s.sae, feature: text }) : null;
    case "sae":
      return s && s.sae === text ? address("layer", { sae: text }) : null;
    case "token_set":
      return address("set", { set: text, model: model || "" });
    case "text":
    case "token":
      return text.trim() ? address("search", { q: text }) : null;
  }
  return null;
}

// A long text is cut, and opens.
function clipped(text) {
  if (text.length <= most) return text;
  return element(
    "details",
    { class: "long" },
    element("summary", {}, text.slice(0, most) + "…"),
    element("span", {}, text.slice(most)),
  );
}
