// Points of features: their figure, selecting them by drawing around them, and marking one.
import { element } from "./elements.js";

const steps = 14, // colours of a scale, as in figure.js
  blocks = 8;

// The limits of an axis, with a little room.
function limits(values) {
  let low = Infinity,
    high = -Infinity;
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (low > high) [low, high] = [0, 1];
  const room = 0.04 * (high - low) || 0.04 * Math.abs(high) || 0.04;
  return [low - room, high + room];
}

// A scale of colours over the middle 98 % of values; beyond it they have the colour of its end.
export function scaleOf(label, values) {
  const known = values.filter((v) => v !== null && v !== undefined).sort((a, b) => a - b);
  if (known.length === 0) return null;
  const at = (share) => known[Math.round(share * (known.length - 1))];
  return { label, min: at(0.01), max: at(0.99) };
}

// Rows in the order in which they are painted: shuffled, the same each time, so that no end of a
// scale lies over the other, and in blocks within which equal colours follow each other.
function paintOrder(rows, scale, values) {
  const mixed = rows.map((i) => [Math.imul(i + 1, 0x9e3779b1) >>> 0, i]).sort((a, b) => a[0] - b[0]);
  const step = (i) => Math.floor((steps * (values[i] - scale.min)) / (scale.max - scale.min || 1)),
    size = Math.ceil(rows.length / blocks) || 1,
    out = [];
  for (let from = 0; from < mixed.length; from += size)
    out.push(
      ...mixed
        .slice(from, from + size)
        .map((m) => m[1])
        .sort((a, b) => step(a) - step(b)),
    );
  return out;
}

// The marks of groups { name, color, rows, values, label }: rows are places in xs, ys and the lists
// of hover; values colour them by scale; label is a text beside the first.
export function marks(groups, { xs, ys, hover, saes, saeOf, scale, size }) {
  return groups
    .filter((g) => g.rows.length > 0)
    .map((g) => {
      const rows = g.values && scale ? paintOrder(g.rows, scale, g.values) : g.rows,
        of = (list) => rows.map((i) => list[i]);
      return {
        name: g.name,
        color: g.color,
        size: g.size || size,
        xs: of(xs),
        ys: of(ys),
        values: g.values && scale ? of(g.values) : undefined,
        labels: g.label ? rows.map((_, k) => (k === 0 ? g.label : "")) : undefined,
        hover: hover.map((h) => ({ name: h.name, texts: rows.map(h.text) })),
        saes,
        sae_of: saeOf ? of(saeOf) : rows.map(() => 0),
      };
    });
}

// A figure of one panel with points, in the form that the server's figures have. Of a map, whose
// axes mean nothing, a unit is as long on both, and it is so many times as wide as high.
export function cloud({ name, title, note, hint, x, y, height, xs, ys, scale, points, map }) {
  let [left, right] = limits(xs),
    [bottom, top] = limits(ys);
  if (map) {
    const missing = (map * (top - bottom) - (right - left)) / 2;
    if (missing > 0) [left, right] = [left - missing, right + missing];
    else [bottom, top] = [bottom + missing / map, top - missing / map];
  }
  const axis = (label, min, max) => ({ label, min, max, bare: !!map });
  const panel = { row: 0, column: 0, x: axis(x, left, right), y: axis(y, bottom, top), equal: !!map, points };
  if (scale) panel.scale = scale;
  return { name, title, note, hint, heights: [height], widths: [1], panels: [panel] };
}

// Whether a place is within a polygon: a ray from it crosses the sides an odd number of times.
export function within(polygon, x, y) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i],
      [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

const svg = (name, attributes) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  return e;
};

// Lets a pointer draw around points of a drawn figure: freely, or as a rectangle. select is called
// with the corners in the figure's units, and whether they are to be added to what is selected. The
// button that it returns says whether dragging selects (on) or moves the figure; unless it is said,
// it does but where a finger is the pointer, which moves the page.
export function brush(figure, drawn, rectangle, select, on = !matchMedia("(pointer: coarse)").matches) {
  const box = drawn.box,
    path = svg("path", { class: "lasso" }),
    layer = svg("svg", { class: "brush", "aria-hidden": "true" });
  layer.append(path);
  box.append(layer);
  let corners = null;
  const place = (e) => {
    const at = box.getBoundingClientRect();
    return [e.clientX - at.left, e.clientY - at.top];
  };
  const outline = (to) => {
    const [from] = corners;
    return rectangle ? [from, [to[0], from[1]], to, [from[0], to[1]]] : corners;
  };
  const move = (e) => {
    const to = place(e);
    if (!rectangle) corners.push(to);
    path.setAttribute("d", "M" + outline(to).join("L") + "Z");
  };
  const stop = () => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", end);
    document.removeEventListener("pointercancel", stop);
    path.removeAttribute("d");
    corners = null;
    drawn.chart.setOption({ tooltip: { show: true } });
  };
  function end(e) {
    const to = place(e),
      [from] = corners,
      drawnAround = outline(to),
      far = drawnAround.some((c) => Math.hypot(c[0] - from[0], c[1] - from[1]) > 6);
    stop();
    if (far)
      select(
        drawnAround.map((c) => drawn.chart.convertFromPixel({ xAxisIndex: 0, yAxisIndex: 0 }, c)),
        e.shiftKey,
      );
  }
  box.addEventListener("pointerdown", (e) => {
    if (!figure.select || e.button !== 0) return;
    corners = [place(e)];
    drawn.chart.setOption({ tooltip: { show: false } }); // it would lie over what is drawn around
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", end);
    document.addEventListener("pointercancel", stop);
  });
  const set = (on) => {
    figure.select = on;
    button.setAttribute("aria-pressed", String(on));
    box.classList.toggle("selecting", on);
    drawn.redraw();
  };
  const button = element(
    "button",
    { type: "button", "data-key": "drag selects", onclick: () => set(!figure.select) },
    "Dragging selects",
  );
  set(on);
  return button;
}

// Marks a place of a drawn figure with a ring, or none.
export function ring(drawn, at) {
  for (const old of drawn.box.querySelectorAll(".ring")) old.remove();
  if (!at || at.some((v) => !Number.isFinite(v))) return;
  const [x, y] = drawn.chart.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, at),
    mark = element("div", { class: "ring" });
  mark.style.left = x + "px";
  mark.style.top = y + "px";
  drawn.box.append(mark);
}

// A row of a table that is hovered or has the focus marks its point.
export function rowsMark(grid, rows, drawn, placeOf) {
  [...grid.querySelectorAll("tbody tr")].forEach((line, i) => {
    const show = () => ring(drawn, placeOf(rows[i])),
      hide = () => ring(drawn, null);
    line.addEventListener("pointerenter", show);
    line.addEventListener("focusin", show);
    line.addEventListener("pointerleave", hide);
    line.addEventListener("focusout", hide);
  });
}
