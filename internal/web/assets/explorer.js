// The explorer's pages. The address after # says what is shown, so that it can be
// shared and the browser's history works; data comes from /api.
import { comparePage } from "./compare.js";
import { address, element, get, link, typing } from "./elements.js";
import { featurePage } from "./feature.js";
import { featuresPage } from "./features.js";
import { layerPage, layersPage } from "./layers.js";
import { mapPage } from "./map.js";
import { notesPage } from "./notes.js";
import { sqlPage } from "./query.js";
import { searchPage } from "./search.js";
import { setPage, setsPage } from "./sets.js";
import { tokenPage } from "./token.js";

const main = document.getElementById("main");
let overview = null,
  turn = 0;

const pages = {
  compare: comparePage,
  features: featuresPage,
  feature: featurePage,
  layers: layersPage,
  layer: layerPage,
  map: mapPage,
  sets: setsPage,
  set: setPage,
  search: searchPage,
  token: tokenPage,
  notes: notesPage,
  sql: sqlPage,
};

// A page in place of one that an address asks for and there is none of, with those there are.
function absent(what, choices) {
  return [
    "Not found",
    element("h1", {}, "Not found"),
    element("p", { class: "error", role: "alert" }, `There is no ${what} in this explorer. Choose one of these:`),
    element("ul", {}, ...choices.map(([to, text]) => element("li", {}, link(to, text)))),
  ];
}

// What the page of that name shows, or what there is instead.
function content(name, p, current) {
  if (!Object.hasOwn(pages, name)) {
    const menu = [...document.querySelectorAll(".bar nav a")];
    return absent(
      "page " + name,
      menu.map((a) => [a.getAttribute("href"), a.textContent]),
    );
  }
  for (const [key, kind] of [
    ["release", "release"],
    ["model", "model"],
    ["sae", "SAE"],
  ]) {
    const there = [...new Set(overview.saes.map((s) => s[key]))];
    if (p[key] && !there.includes(p[key]))
      return absent(
        `${kind} ${p[key]}`,
        there.map((one) => [address(name, { ...p, [key]: one }), one]),
      );
  }
  return pages[name](p, overview, current);
}

async function show() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?"),
    name = path || "features",
    parameters = Object.fromEntries(new URLSearchParams(query || ""));
  const mine = ++turn;
  main.classList.add("waiting");
  let parts;
  try {
    if (!overview) {
      overview = await get("overview");
      document.getElementById("database").textContent = overview.database;
      document.getElementById("version").textContent = overview.version;
    }
    parts = await content(name, parameters, () => mine === turn);
  } catch (e) {
    parts = [
      "Error",
      element("h1", {}, "That did not work"),
      element("p", { class: "error", role: "alert" }, e.message),
    ];
  }
  if (mine !== turn) return; // another page was asked for meanwhile
  const [title, ...drawn] = parts;
  document.title = title + " · saedb";
  for (const a of document.querySelectorAll(".bar nav a")) {
    const current = a.dataset.page === name || a.dataset.page === name + "s";
    current ? a.setAttribute("aria-current", "page") : a.removeAttribute("aria-current");
  }
  const focused = document.activeElement,
    key = focused?.dataset.key; // of what the new page has as well
  main.classList.remove("waiting");
  main.replaceChildren(...drawn.filter((c) => c));
  main.dataset.page = name;
  if (name === "search") find.value = parameters.q || "";
  const again = key && main.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (again) again.focus({ preventScroll: true });
  else if (!focused || focused === document.body || !focused.isConnected) main.focus({ preventScroll: true });
}

// The skip link moves the focus alone: the address is that of the page.
document.querySelector(".skip").onclick = (e) => {
  e.preventDefault();
  main.focus();
};

const find = document.getElementById("search");
document.getElementById("find").onsubmit = (e) => {
  e.preventDefault();
  location.hash = address("search", { q: find.value });
};
document.addEventListener("keydown", (e) => {
  if (e.key === "/" && !typing()) {
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
