"use strict";
// The numbers behind a figure: a table of them, as CSV too, and the points by keyboard. Text from
// the data reaches the page as text nodes only.
const figureData = (() => {
  const { element, short } = figureMarks;
  const shownRows = 50;

  // The medians of boxes by layer as points, which lead to the layer as points do; null for other boxes,
  // which lead nowhere.
  function ofBoxes(panel, boxes) {
    if (boxes.horizontal || panel.x.link !== "layer") return null;
    const all = (key) => boxes.items.map((b) => b[key]);
    const named = { high: "upper whisker", q3: "75 %", median: "median", q1: "25 %", low: "lower whisker" };
    return {
      shape: "hidden",
      xs: all("at"),
      ys: all("median"),
      hover: [
        { name: "layer", texts: all("at").map(String) },
        { name: boxes.unit || "values", numbers: all("count") },
        ...Object.entries(named).map(([key, name]) => ({ name, numbers: all(key) })),
      ],
    };
  }

  // The points of a panel that can be seen, those with labels once, from left to right,
  // a layer's box before its points.
  function pointsOf(figure, frame) {
    const list = [];
    figure.panels.forEach((panel, at) => {
      for (const boxes of panel.boxes || []) {
        const points = ofBoxes(panel, boxes);
        for (const [i, x] of (points?.xs || []).entries()) list.push({ panel, at, points, i, x });
      }
      for (const points of panel.points || [])
        if (!points.frame || points.frame === frame)
          points.xs.forEach((x, i) => {
            list.push({ panel, at, points, i, x });
          });
    });
    return list.sort((a, b) => a.at - b.at || a.x - b.x);
  }

  // Shows a tip at a pixel of a chart, or none. The chart library shows none of a point among many,
  // which it draws as one path.
  function point(box, at, tip) {
    for (const old of box.querySelectorAll(".pointed")) old.remove();
    if (!tip) return;
    const shown = element("div", "pointed");
    shown.append(tip);
    box.append(shown);
    shown.style.left = Math.max(0, Math.min(at[0] + 8, box.clientWidth - shown.offsetWidth)) + "px";
    shown.style.top = at[1] + 8 + "px";
  }

  // Shows the points one after the other, as hovering does. say is called with the panel, mark,
  // row and pixel of the one that is shown, and with nothing when none is.
  function walker(figure, chart, frame, say) {
    let at = -1,
      all = [];
    const { scaled } = figureMarks;
    function stop() {
      at = -1;
      say();
    }
    function show(to) {
      at = Math.max(0, Math.min(to, all.length - 1));
      const { panel, points, i } = all[at],
        xAxisIndex = all[at].at,
        place = [scaled(panel.x, points.xs[i]), scaled(panel.y, points.ys[i])];
      const pixel = chart.convertToPixel({ xAxisIndex, yAxisIndex: xAxisIndex }, place);
      say(panel, points, i, pixel);
    }
    return {
      shown: () => (at < 0 ? null : all[at]),
      step: (by) => show(at + by),
      stop,
      first() {
        all = pointsOf(figure, frame());
        if (all.length > 0) show(0);
      },
    };
  }

  // What a point, or a box, says of itself to who shows the figure: its SAE, feature and layer, as
  // far as it has them, and all that hovering shows.
  function detailOf(points, i) {
    const detail = Object.fromEntries((points.hover || []).map((c) => [c.name, c.texts ? c.texts[i] : c.numbers[i]]));
    if (points.saes) detail.sae = points.saes[points.sae_of ? points.sae_of[i] : 0];
    if (points.layers) detail.layer = points.layers[points.layer_of ? points.layer_of[i] : 0];
    return detail;
  }

  // The rows behind a figure: lists of [column, value], and the point that a row is of.
  function rowsOf(figure) {
    const rows = [];
    const hover = (mark, i) => (mark.hover || []).map((c) => [c.name, c.texts ? c.texts[i] : c.numbers[i]]);
    for (const panel of figure.panels) {
      const title = panel.title ? [["panel", panel.title]] : [],
        name = (mark) => (mark.name ? [["of", mark.name]] : []);
      const x = panel.x.label || "x",
        y = panel.y.label || "y";
      for (const bars of panel.bars || []) {
        const along = bars.horizontal ? y : x;
        (bars.values || bars.counts).forEach((height, i) => {
          const ends = [
            [along + " from", bars.edges[i]],
            [along + " to", bars.edges[i + 1]],
          ];
          rows.push({ cells: [...title, ...name(bars), ...ends, [bars.unit || "height", height], ...hover(bars, i)] });
        });
      }
      for (const boxes of panel.boxes || [])
        for (const b of boxes.items) {
          const summary = ["count", "low", "q1", "median", "q3", "high"].map((key) => [key, b[key]]);
          rows.push({ cells: [...title, ["of", b.label], ["values", boxes.horizontal ? x : y], ...summary] });
        }
      for (const points of panel.points || [])
        points.xs.forEach((_, i) => {
          const at = points.shape === "hidden" ? [] : [x, y].map((n, k) => [n, (k ? points.ys : points.xs)[i]]);
          const value = panel.scale && points.values ? [[panel.scale.label, points.values[i]]] : [];
          const of = Object.entries(detailOf(points, i)).filter(([key]) => key === "sae" || key === "layer");
          const cells = new Map([...title, ...name(points), ...of, ...hover(points, i), ...at, ...value]);
          rows.push({ cells: [...cells], points, i });
        });
    }
    return rows;
  }

  const columnsOf = (rows) => [...new Set(rows.flatMap((r) => r.cells.map(([name]) => name)))];

  // CSV as RFC 4180 has it. A text that a spreadsheet would take for a formula gets an apostrophe.
  function csvOf(rows) {
    const columns = columnsOf(rows);
    const field = (v) => {
      if (v === null || v === undefined) return "";
      const text = typeof v === "string" && /^[=+\-@\t\r]/.test(v) && Number.isNaN(Number(v)) ? "'" + v : String(v);
      return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
    };
    const line = (values) => values.map(field).join(",") + "\r\n";
    return (
      line(columns) +
      rows
        .map((r) => {
          const of = new Map(r.cells);
          return line(columns.map((c) => of.get(c)));
        })
        .join("")
    );
  }

  // A disclosure with the first rows behind a figure and all of them as CSV. open is called with
  // the point of a row whose button is pressed, where points lead somewhere.
  function disclosure(figure, open) {
    const details = element("details", "behind"),
      summary = element("summary", "", "Data");
    details.append(summary);
    details.addEventListener("toggle", () => {
      if (!details.open || details.children.length > 1) return;
      const rows = rowsOf(figure),
        columns = columnsOf(rows);
      const status = element(
        "span",
        "",
        rows.length > shownRows
          ? "the first " + shownRows + " of " + short(rows.length) + " rows"
          : short(rows.length) + (rows.length === 1 ? " row" : " rows"),
      );
      const save = element("button", "", "CSV of all rows"),
        bar = element("div", "filters"),
        scroll = element("div", "scroll"),
        table = element("table");
      save.type = "button";
      save.onclick = () => {
        const a = element("a");
        a.href = URL.createObjectURL(new Blob([csvOf(rows)], { type: "text/csv" }));
        a.download = figure.name + ".csv";
        a.click();
        setTimeout(() => URL.revokeObjectURL(a.href), 1000);
      };
      bar.append(status, save);
      const head = element("tr");
      for (const column of columns) {
        const cell = element("th", "", column);
        cell.scope = "col";
        head.append(cell);
      }
      const body = element("tbody"),
        thead = element("thead");
      thead.append(head);
      for (const row of rows.slice(0, shownRows)) {
        const line = element("tr"),
          of = new Map(row.cells);
        columns.forEach((column) => {
          const value = of.get(column),
            number = typeof value === "number" && column !== "layer",
            cell = element("td", number ? "number" : "");
          const text = value === undefined || value === null ? "" : number ? short(value) : String(value);
          if (column === "feature" && row.points && open) {
            const button = element("button", "", text);
            button.type = "button";
            button.onclick = () => open(row.points, row.i);
            cell.append(button);
          } else cell.textContent = text;
          line.append(cell);
        });
        body.append(line);
      }
      table.append(thead, body);
      scroll.append(table);
      scroll.tabIndex = 0;
      scroll.setAttribute("role", "region");
      scroll.setAttribute("aria-label", "Data of " + figure.title);
      details.append(bar, scroll);
    });
    return details;
  }

  return { ofBoxes, walker, point, detailOf, rowsOf, csvOf, disclosure };
})();
