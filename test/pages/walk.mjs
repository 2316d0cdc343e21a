// Drives every page of the explorer in a browser, and writes a line of JSON for each thing that
// is wrong, and at its end how many pages were visited:
//
//	node walk.mjs firefox|chromium EXECUTABLE ADDRESS
//
// In both: the page says what it is in its title, draws its content, has no error in its console
// and asks nothing of another machine, and Tab reaches every control. In Chromium: axe-core finds
// no violation at three widths, light and dark. Firefox is driven by WebDriver BiDi.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../build/javascript/", import.meta.url));
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const sae = "sae=smollm2-demo/blocks.29.hook_resid_pre";
const query = "SELECT layer, feature, skewness, kurtosis, top_tokens FROM features WHERE skewness > 1";
// The address of each page, the start of its title, and how many elements it draws at least.
const pages = [
  ["features", "Features", { "main tbody tr": 50, ".bars button": 20 }],
  ["feature?" + sae + "&feature=63", "Feature 63", { ".chart canvas": 1, "main tbody tr": 60, ".cards li": 10 }],
  ["layers", "Layers", { ".chart canvas": 2, "main tbody tr": 6 }],
  ["layer?" + sae, "smollm2-demo/blocks.29", { ".chart canvas": 4 }],
  ["map", "Maps", { "main tbody tr": 6 }],
  ["map?color=label&feature=63&selected=1,2,3&" + sae, "Map of", { ".chart canvas": 1, "main tbody tr": 3 }],
  ["features?open=scatter&min_skewness=0.5", "Features", { ".scatter canvas": 1, "main tbody tr": 50 }],
  ["sets", "Token sets", { "main tbody tr": 10 }],
  ["set?set=all_digits", "all_digits", { ".chart canvas": 5, "td.tokens a": 150 }],
  [
    "compare?" + sae + "&feature=63&other_sae=smollm2-demo/blocks.24.hook_resid_pre&other=3",
    "Compare",
    { ".chart canvas": 2, "main tbody tr": 50 },
  ],
  [
    "sql?" + new URLSearchParams({ q: query, draw: "scatter", x: "skewness", y: "kurtosis", color: "layer" }),
    "SQL",
    { "main tbody tr": 5, ".chart canvas": 1 },
  ],
  ["token?id=25", ")", { ".heat td": 12, "main tbody tr": 30 }],
  ["sql?" + new URLSearchParams({ q: "SELECT\n nope" }), "SQL", { ".place": 1 }],
  ["search?q=digit", "Search: digit", { "main tbody tr": 20 }],
  ["notes", "Notes", { "main p": 2 }],
];

const [product, executablePath, address] = process.argv.slice(2);
const report = (where, problem) => console.log(JSON.stringify({ where, problem }));

const browser = await puppeteer.launch({
  browser: product === "firefox" ? "firefox" : "chrome",
  executablePath,
  headless: true,
  defaultViewport: { width: 1280, height: 900 },
  args: product === "firefox" ? [] : ["--no-sandbox", "--disable-gpu", "--no-first-run"],
});
try {
  // Each page in a tab of its own, since Tab may leave the last control for the browser's.
  for (const one of pages) {
    const page = await browser.newPage();
    await visit(page, one);
    await page.close();
  }
  console.log(JSON.stringify({ visited: pages.length }));
} catch (e) {
  report(product, String(e));
} finally {
  await browser.close();
}

async function visit(page, [hash, title, drawn]) {
  const where = product + " #/" + hash.split("?")[0];
  // A query that is wrong is answered with 400, which a browser writes to the console.
  const refused = drawn[".place"] ? /the server responded with a status of 400/ : /^$/;
  page.on("console", (m) => {
    if (["error", "warn"].includes(m.type()) && !refused.test(m.text())) report(where, "console: " + m.text());
  });
  page.on("pageerror", (e) => report(where, "exception: " + e.message));
  page.on("request", (r) => {
    if (!r.url().startsWith(address + "/") && !/^(data|blob|about):/.test(r.url()))
      report(where, "a request leaves the machine: " + r.url());
  });
  await page.goto(address + "/#/" + hash);
  await page
    .waitForFunction(
      (drawn) =>
        document.querySelector("main[data-page]:not(.waiting)") &&
        Object.entries(drawn).every(([of, least]) => document.querySelectorAll(of).length >= least),
      { timeout: 20000 },
      drawn,
    )
    .catch((e) => report(where, `${JSON.stringify(drawn)} is not drawn: ${e.message}`));
  for (const e of await page.$$eval("main .error:not(:has(.place))", (all) => all.map((e) => e.textContent)))
    report(where, "the page says: " + e);
  const found = await page.title();
  if (!found.startsWith(title) || !found.endsWith(" · saedb"))
    report(where, `the title is ${JSON.stringify(found)}, expected ${title}… · saedb`);
  const missed = await unreached(page);
  if (missed.length > 0) report(where, `Tab does not reach ${missed.length} controls, as ${missed[0]}`);
  if (product !== "firefox") await accessible(page, where);
}

// The controls of a page that Tab does not come to, from the first control on.
async function unreached(page) {
  const count = await page.evaluate(() => {
    window.reached = new Set();
    window.controls = () =>
      [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")].filter(
        (e) => !e.disabled && e.checkVisibility({ visibilityProperty: true }) && e.tabIndex >= 0,
      );
    window.missed = () => window.controls().filter((e) => !window.reached.has(e));
    window.note = (e) => window.reached.add(e.target);
    document.addEventListener("focusin", window.note);
    window.controls()[0].focus();
    return window.controls().length;
  });
  // Lists that scroll take a Tab in some browsers; after the last control comes the browser's own.
  let missed = count;
  for (let pressed = 0; missed > 0 && pressed < 2 * count; pressed += missed) {
    for (let i = 0; i < missed; i++) await page.keyboard.press("Tab");
    const left = await page.evaluate(() => window.missed().length);
    if (left >= missed) break;
    missed = left;
  }
  return page.evaluate(() => {
    document.removeEventListener("focusin", window.note);
    document.activeElement.blur();
    return window.missed().map((e) => e.outerHTML.slice(0, 200));
  });
}

// What axe-core says of a page, at the widths of a phone, a tablet and a desk. The colour scheme
// changes colours alone, so that in the dark the rules of colours are enough.
async function accessible(page, where) {
  const ofColours = ["color-contrast", "link-in-text-block"];
  await page.evaluate(axe + "; undefined");
  for (const width of [375, 768, 1280])
    for (const [scheme, rules] of [
      ["light", null],
      ["dark", ofColours],
    ]) {
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      const violations = await page.evaluate(async (rules) => {
        const options = { resultTypes: ["violations"], ...(rules && { runOnly: rules }) };
        return (await window.axe.run(document, options)).violations.map(
          ({ id, help, nodes }) => `${id}: ${help}: ${nodes.length}, as ${nodes[0].html.slice(0, 200)}`,
        );
      }, rules);
      for (const v of violations) report(`${where}, ${width} wide, ${scheme}`, v);
    }
}
