// The explorer's page of SQL: a query is completed, run, drawn and downloaded.
import { address, element, get, whole } from "./elements.js";
import { savedQueries } from "./notes.js";
import { problem, shown } from "./result.js";

// What of the address says how a result is drawn.
const choices = ["draw", "x", "y", "color"];

export async function sqlPage(p, overview) {
  const start =
    "SELECT layer, feature, skewness, kurtosis, top_tokens[:5] AS promotes\n" +
    "FROM features\nWHERE skewness > 1\nORDER BY skewness DESC";
  const box = element("textarea", {
    id: "query",
    "aria-label": "SQL query",
    spellcheck: "false",
    "aria-describedby": "hint",
  });
  const proposals = element("ul", { class: "proposals", role: "listbox", "aria-label": "completions" }),
    out = element("div", { "aria-live": "polite" });
  box.value = p.q || start;
  const choice = Object.fromEntries(choices.map((k) => [k, p[k]])),
    here = () => address("sql", { q: box.value, ...choice });
  const run = () => {
    if (location.hash === here()) execute();
    else location.hash = here();
  };
  const find = (line, column) => {
    const lines = box.value.split("\n"),
      before = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0),
      at = before + [...lines[line - 1]].slice(0, column - 1).join("").length,
      word = box.value.slice(at).match(/^\w*/)[0];
    box.focus();
    box.setSelectionRange(at, at + Math.max(word.length, 1));
  };
  async function execute() {
    const q = box.value;
    out.replaceChildren(element("p", { class: "quiet" }, "running …"));
    try {
      const data = await get("sql", { q });
      // The address is changed without the page: the query need not run again for another chart.
      out.replaceChildren(...shown(data, q, overview, choice, () => history.pushState(null, "", here())));
    } catch (e) {
      out.replaceChildren(problem(e, find));
    }
  }
  const limits = element("p", { class: "quiet", id: "limits" });
  get("limits").then((l) => {
    const size = (bytes) =>
      bytes < 1e9 ? `${whole(Math.round(bytes / 1e6))} MB` : `${Number((bytes / 1e9).toPrecision(2))} GB`;
    limits.textContent =
      `A query only reads this database: no files, no network. One runs at a time, for at most ` +
      `${l.seconds} s, in ${size(l.memory)} of memory. Shown are ${whole(l.rows)} rows, of at most ` +
      `${size(l.page_bytes)}; a download has all, up to ${size(l.file_bytes)}.`;
  });
  const saved = element("div");
  savedQueries(() => box.value)
    .then((list) => list && saved.replaceChildren(list))
    .catch(() => saved.remove());
  const names = get("names");
  let chosen = 0,
    words = [];
  const typed = () => (box.value.slice(0, box.selectionStart).match(/[A-Za-z_][A-Za-z0-9_]*$/) || [""])[0];
  async function propose() {
    const prefix = typed().toLowerCase(),
      all = await names,
      rank = { view: 0, column: 1, function: 2, keyword: 3 };
    words =
      prefix.length < 2
        ? []
        : all
            .filter((n) => n.name.startsWith(prefix) && n.name !== prefix)
            .sort((a, b) => rank[a.kind] - rank[b.kind] || a.name.length - b.name.length)
            .slice(0, 8);
    chosen = 0;
    showProposals();
  }
  function showProposals() {
    proposals.replaceChildren(
      ...words.map((w, i) =>
        element(
          "li",
          {
            role: "option",
            "aria-selected": i === chosen ? "true" : "false",
            onclick: () => {
              chosen = i;
              accept();
              box.focus();
            },
          },
          w.name,
          element("span", { class: "kind" }, w.kind),
        ),
      ),
    );
  }
  function accept() {
    const prefix = typed(),
      at = box.selectionStart;
    box.setRangeText(words[chosen].name, at - prefix.length, at, "end");
    words = [];
    showProposals();
  }
  box.oninput = propose;
  box.onkeydown = (e) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      e.preventDefault();
      run();
      return;
    }
    if (words.length === 0) return;
    if (e.key === "Tab" && !e.shiftKey) {
      e.preventDefault();
      accept();
    } else if (e.key === "Escape") {
      words = [];
      showProposals();
    } else if (e.altKey && (e.key === "ArrowRight" || e.key === "ArrowLeft")) {
      e.preventDefault();
      chosen = (chosen + (e.key === "ArrowRight" ? 1 : words.length - 1)) % words.length;
      showProposals();
    }
  };
  if (p.q) execute();
  return [
    "SQL",
    element("h1", {}, "SQL"),
    box,
    proposals,
    element(
      "div",
      { class: "actions" },
      element("button", { type: "button", class: "primary", id: "run", onclick: run }, "Run"),
      element(
        "span",
        { id: "hint" },
        "Ctrl+Enter runs, Tab completes, Alt and the arrows choose, Esc lets go. The address holds the query.",
      ),
    ),
    limits,
    saved,
    out,
  ];
}
