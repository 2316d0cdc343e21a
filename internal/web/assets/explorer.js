// The explorer's pages. The address after # says what is shown, so that it can be
// shared and the browser's history works; data comes from /api.
import { address, element, featureAddress, get } from "./elements.js";
import { featurePage } from "./feature.js";
import { featuresPage } from "./features.js";
import { layerPage, layersPage } from "./layers.js";
import { sqlPage } from "./query.js";
import { setPage, setsPage } from "./sets.js";

const main = document.getElementById("main");
let overview = null,
  turn = 0;

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
    parts = await pages[name](Object.fromEntries(new URLSearchParams(query || "")), overview, () => mine === turn);
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
  const focused = document.activeElement,
    key = focused?.dataset.key; // of what the new page has as well
  main.classList.remove("waiting");
  main.replaceChildren(...content.filter((c) => c));
  main.dataset.page = name;
  const again = key && main.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (again) again.focus({ preventScroll: true });
  else if (!focused || focused === document.body || !focused.isConnected) main.focus({ preventScroll: true });
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
