// The scatter of the features that the filters of the table leave, whose selected rectangle is a filter.
import { brush, cloud, marks, rowsMark } from "./cloud.js";
import { element, featureAddress, get, remember, whole } from "./elements.js";

const axesOf = (p) => [p.x || "skewness", p.y || "kurtosis"];
const words = (statistic) => statistic.replaceAll("_", " ");

// A number as a filter has it: four digits of the width of a range, outwards.
function rounded(v, width, up) {
  const unit = 10 ** (Math.floor(Math.log10(width || 1)) - 3);
  return Number(((up ? Math.ceil : Math.floor)(v / unit) * unit).toPrecision(12));
}

// A disclosure with the scatter; open says in the address that it is. grid is the table, rows its
// rows; came is told of controls that come after the page.
export function scatter(p, go, grid, rows, came) {
  const [x, y] = axesOf(p),
    box = element("div");
  const details = element(
    "details",
    { class: "scatter", open: p.open === "scatter" },
    element("summary", { "data-key": "scatter" }, `Scatter of ${words(x)} and ${words(y)}`),
    box,
  );
  details.addEventListener("toggle", () => {
    remember("features", p, { open: details.open ? "scatter" : p.open === "scatter" ? undefined : p.open });
    if (details.open && !box.hasChildNodes()) {
      fill(p, go, grid, rows, box);
      came(box);
    }
  });
  return details;
}

function fill(p, go, grid, rows, box) {
  const [x, y] = axesOf(p),
    stay = (changes) => go({ open: "scatter", ...changes });
  const choices = (statistics, chosen) =>
    statistics.map((s) => element("option", { value: s, selected: s === chosen }, words(s)));
  const axis = (name, chosen) => {
    const select = element(
      "select",
      { "data-key": "axis " + name, onchange: () => stay({ [name]: select.value }) },
      ...choices([chosen], chosen),
    );
    return select;
  };
  const axes = [axis("x", x), axis("y", y)];
  // What a rectangle bounds, by number.
  const bound = (key, what) => {
    const input = element("input", {
      type: "number",
      step: "any",
      value: p[key] || "",
      "data-key": "scatter " + key,
      "aria-label": what,
      onchange: () => stay({ [key]: input.value }),
    });
    return input;
  };
  const range = (s) =>
    element(
      "span",
      {},
      words(s) + " ",
      bound("min_" + s, "least " + words(s) + " in the scatter"),
      " to ",
      bound("max_" + s, "greatest " + words(s) + " in the scatter"),
    );
  // The page asks for the limits of two statistics anyway.
  const asked = [...new Set([x, y])].filter((s) => s !== "skewness" && s !== "kurtosis");
  const root = element("div", { class: "figure" }),
    note = element("p", { class: "note", role: "status" }, "…"),
    tools = element("div", { class: "actions" });
  const labelled = axes.map((select, i) => element("label", {}, ["x ", "y "][i], select));
  box.append(element("div", { class: "filters" }, ...labelled, ...asked.map(range)), note, root, tools);
  get("scatter", { ...p, x, y })
    .then((found) => {
      for (const [i, chosen] of [x, y].entries()) axes[i].replaceChildren(...choices(found.statistics, chosen));
      const n = found.feature.length;
      note.textContent =
        n === 0
          ? `No feature that is left has a number for ${words(x)} and ${words(y)}.`
          : (n < found.total
              ? `${whole(n)} of ${whole(found.total)} features, the same ones each time. `
              : `${whole(n)} features. `) +
            "A rectangle that is drawn around points is a filter of the table; a row that is hovered or has the " +
            "focus marks its point.";
      if (n === 0) return;
      const hover = [
        { name: "feature", text: (i) => String(found.feature[i]) },
        { name: "SAE", text: (i) => found.saes[found.sae_of[i]] },
      ];
      const all = { name: "", color: "blue", rows: found.feature.map((_, i) => i) };
      const figure = cloud({
        name: "features",
        title: `${whole(n)} features by ${words(x)} and ${words(y)}`,
        x: words(x),
        y: words(y),
        height: 380,
        xs: found.x,
        ys: found.y,
        points: marks([all], {
          xs: found.x,
          ys: found.y,
          hover,
          saes: found.saes,
          saeOf: found.sae_of,
          size: n > 2000 ? 3 : 5,
        }),
      });
      const drawn = drawFigure(root, figure);
      root.addEventListener("point", (e) => {
        e.preventDefault();
        location.hash = featureAddress(e.detail);
      });
      if (!drawn.chart) return;
      const select = (corners) => {
        const changes = {};
        for (const [k, s] of [x, y].entries()) {
          const along = corners.map((c) => c[k]),
            [from, to] = [Math.min(...along), Math.max(...along)];
          changes["min_" + s] = String(rounded(from, to - from, false));
          changes["max_" + s] = String(rounded(to, to - from, true));
        }
        stay(changes);
      };
      tools.append(brush(figure, drawn, true, select));
      rowsMark(grid, rows, drawn, (r) => [r[x], r[y]]);
    })
    .catch((e) => note.replaceWith(element("p", { class: "error", role: "alert" }, e.message)));
}
