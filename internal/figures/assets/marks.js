"use strict";
// The marks of figures, as series of Apache ECharts, with what they are drawn by: colours,
// numbers and ticks. figure.js puts them together.
const figureMarks = (() => {
  const viridis = [
    [68, 1, 84],
    [72, 33, 115],
    [67, 62, 133],
    [56, 88, 140],
    [45, 112, 142],
    [37, 133, 142],
    [30, 155, 138],
    [42, 176, 127],
    [82, 197, 105],
    [134, 213, 73],
    [194, 223, 35],
    [253, 231, 37],
  ];
  const steps = 14;

  function theme() {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue("--" + name).trim();
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const t = { dark, ramp: [] };
    for (const name of [
      "back",
      "text",
      "quiet",
      "line",
      "grid",
      "panel",
      "accent",
      "blue",
      "orange",
      "green",
      "purple",
      "red",
      "grey",
      "sans",
    ])
      t[name] = get(name);
    // The end of the scale that would vanish in the background is left out.
    const [from, to] = dark ? [0.22, 1] : [0, 0.88];
    for (let i = 0; i < steps; i++) {
      const at = (from + ((to - from) * i) / (steps - 1)) * (viridis.length - 1),
        low = Math.min(Math.floor(at), viridis.length - 2);
      const mix = viridis[low].map((v, k) => Math.round(v + (at - low) * (viridis[low + 1][k] - v)));
      t.ramp.push("rgb(" + mix + ")");
    }
    return t;
  }

  // Numbers as people read them: four digits, thousands apart.
  function short(v) {
    if (v === null || v === undefined || !Number.isFinite(v)) return "–";
    const m = Math.abs(v);
    if (m !== 0 && (m >= 1e7 || m < 1e-4)) return v.toExponential(2).replace("e+", "e");
    if (Number.isInteger(v)) return v.toLocaleString("en-US");
    return Number(v.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 });
  }

  const scaled = (axis, v) => (axis.log ? Math.log10(v) : v);
  const unscaled = (axis, v) => (axis.log ? 10 ** v : v);

  // Round numbers between low and high, about count of them; for a log axis low and
  // high are log10, and the numbers are 1, 2, 5 of each decade where there is room.
  function ticks(axis, low, high, count) {
    if (axis.ticks) return axis.ticks.map((t) => scaled(axis, t.at)).filter((v) => v >= low && v <= high);
    const out = [];
    const linear = (a, b, n) => {
      const raw = (b - a) / n,
        power = 10 ** Math.floor(Math.log10(raw));
      const step = [1, 2, 2.5, 5, 10].find((s) => s * power >= raw * 0.999) * power;
      const list = [];
      for (let i = Math.ceil(a / step - 1e-9); i * step <= b + step * 1e-9; i++)
        list.push(Number((i * step).toPrecision(12)));
      return list.length < 2 && b > a ? linear(a, b, 2 * n) : list;
    };
    if (!axis.log) return linear(low, high, count);
    const span = high - low;
    if (span < 0.5)
      return linear(10 ** low, 10 ** high, count)
        .filter((v) => v > 0)
        .map(Math.log10);
    const of = span > count ? null : span > count / 3 ? [1] : span > 1.5 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
    const skip = of ? 1 : Math.ceil(span / count);
    for (let d = Math.floor(low); d <= Math.ceil(high); d += skip)
      for (const k of of || [1]) {
        const v = d + Math.log10(k);
        if (v >= low - 1e-9 && v <= high + 1e-9) out.push(v);
      }
    return out;
  }

  function tickLabel(axis, v) {
    if (axis.ticks) {
      const t = axis.ticks.find((t) => Math.abs(scaled(axis, t.at) - v) < 1e-9);
      return t ? t.label : "";
    }
    v = unscaled(axis, v);
    if (axis.log) v = Number(v.toPrecision(3));
    if (Math.abs(v) >= 1e4 && v % 100 === 0) return short(v / 1e3) + "k";
    return short(v);
  }

  function element(name, className, text) {
    const e = document.createElement(name);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  }

  // What hovering shows: a heading and rows of name and value.
  function tip(heading, rows) {
    const e = element("div", "tip");
    if (heading) e.append(element("b", "", heading));
    const table = element("table");
    for (const [name, value, tokens] of rows) {
      const row = element("tr");
      row.append(element("td", "", name), element("td", tokens ? "tokens" : "", value));
      table.append(row);
    }
    e.append(table);
    return e;
  }

  const tokenNames = new Set(["promotes", "suppresses", "token", "tokens"]);
  function hoverRows(columns, i) {
    return (columns || [])
      .map((c) => [c.name, c.texts ? c.texts[i] : short(c.numbers[i]), tokenNames.has(c.name)])
      .filter((r) => r[1] !== "" && r[1] !== undefined);
  }

  // ECharts copies options deeply, each time that they are set or asked for, but for what is marked
  // so: a hundred series would each copy the lists of all points.
  const whole = (mark) => ({ ...mark, __ec_primitive__: true });

  // Series of ECharts for the marks of one panel. Each has what saedb needs to answer a
  // hover or a click in its field "mark".
  function seriesOf(panel, index, t, frame) {
    const list = [],
      at = { xAxisIndex: index, yAxisIndex: index };
    const quietSeries = { ...at, silent: true, animation: false, tooltip: { show: false } };
    const clipped = { clip: true, animation: false };
    const px = (api, x, y) => api.coord([x, y]);

    for (const band of panel.bands || []) {
      list.push({
        type: "custom",
        ...quietSeries,
        clip: true,
        data: [0],
        renderItem: (_, api) => {
          const points = band.xs
            .map((x, i) => px(api, scaled(panel.x, x), scaled(panel.y, band.high[i])))
            .concat(band.xs.map((x, i) => px(api, scaled(panel.x, x), scaled(panel.y, band.low[i]))).reverse());
          return { type: "polygon", shape: { points }, style: { fill: t[band.color], opacity: band.alpha } };
        },
      });
    }
    for (const bars of panel.bars || []) {
      const along = bars.horizontal ? panel.y : panel.x,
        up = bars.horizontal ? panel.x : panel.y;
      const base = scaled(up, up.log ? up.min : 0);
      const data = (bars.values || bars.counts).map((height, i) => [i, height]).filter((d) => d[1]);
      list.push({
        type: "custom",
        ...at,
        ...clipped,
        data,
        encode: { tooltip: [] },
        mark: whole({ kind: "bar", bars, along }),
        renderItem: (_, api) => {
          const i = api.value(0),
            from = scaled(along, bars.edges[i]),
            to = scaled(along, bars.edges[i + 1]),
            top = scaled(up, api.value(1));
          const a = bars.horizontal ? px(api, base, from) : px(api, from, base),
            b = bars.horizontal ? px(api, top, to) : px(api, to, top);
          const gap = Math.abs(bars.horizontal ? b[1] - a[1] : b[0] - a[0]) > 4 ? 1 : 0;
          const shape = {
            x: Math.min(a[0], b[0]),
            y: Math.min(a[1], b[1]),
            width: Math.abs(b[0] - a[0]),
            height: Math.abs(b[1] - a[1]),
          };
          if (bars.horizontal) shape.height = Math.max(shape.height - gap, 0.5);
          else shape.width = Math.max(shape.width - gap, 0.5);
          return {
            type: "rect",
            shape,
            style: { fill: t[bars.color], opacity: panel.bars.length > 1 ? 0.7 : 0.9 },
            emphasis: { style: { opacity: 1, stroke: t.text, lineWidth: 1 } },
          };
        },
      });
    }
    for (const boxes of panel.boxes || []) {
      const along = boxes.horizontal ? panel.x : panel.y,
        across = boxes.horizontal ? panel.y : panel.x;
      list.push({
        type: "custom",
        ...at,
        ...clipped,
        data: boxes.items.map((b, i) => [i]),
        mark: whole({ kind: "box", boxes }),
        renderItem: (_, api) => {
          const b = boxes.items[api.value(0)],
            half = 0.3;
          const p = (value, offset) =>
            boxes.horizontal
              ? px(api, scaled(along, value), scaled(across, b.at + offset))
              : px(api, scaled(across, b.at + offset), scaled(along, value));
          const line = (v1, o1, v2, o2, width) => {
            const c = p(v1, o1),
              d = p(v2, o2);
            return {
              type: "line",
              shape: { x1: c[0], y1: c[1], x2: d[0], y2: d[1] },
              style: { stroke: t[boxes.color], lineWidth: width || 1.5 },
            };
          };
          const c = p(b.q1, -half),
            d = p(b.q3, half);
          return {
            type: "group",
            children: [
              {
                type: "rect",
                shape: {
                  x: Math.min(c[0], d[0]),
                  y: Math.min(c[1], d[1]),
                  width: Math.abs(c[0] - d[0]),
                  height: Math.abs(c[1] - d[1]),
                },
                style: { fill: t.back },
              },
              {
                type: "rect",
                shape: {
                  x: Math.min(c[0], d[0]),
                  y: Math.min(c[1], d[1]),
                  width: Math.abs(c[0] - d[0]),
                  height: Math.abs(c[1] - d[1]),
                },
                style: { fill: t[boxes.color], fillOpacity: 0.25, stroke: t[boxes.color], lineWidth: 1.5 },
              },
              line(b.median, -half, b.median, half, 2.5),
              line(b.low, 0, b.q1, 0),
              line(b.q3, 0, b.high, 0),
              line(b.low, -half / 2, b.low, half / 2),
              line(b.high, -half / 2, b.high, half / 2),
            ],
          };
        },
      });
    }
    for (const line of panel.lines || []) {
      list.push({
        type: "line",
        ...quietSeries,
        clip: true,
        showSymbol: false,
        z: 3,
        data: line.xs.map((x, i) => [scaled(panel.x, x), scaled(panel.y, line.ys[i])]),
        lineStyle: { color: t[line.color], width: line.width },
      });
    }
    if (panel.rules) {
      list.push({
        type: "line",
        ...at,
        silent: true,
        animation: false,
        data: [],
        tooltip: { show: false },
        markLine: {
          silent: true,
          symbol: "none",
          animation: false,
          lineStyle: { color: t.quiet, type: [4, 4], width: 1 },
          data: panel.rules.map((r) => ({
            [r.horizontal ? "yAxis" : "xAxis"]: scaled(r.horizontal ? panel.y : panel.x, r.at),
            label: {
              formatter: r.label || "",
              show: !!r.label,
              color: t.quiet,
              fontSize: 11,
              position: r.horizontal ? "insideEndTop" : "end",
              align: r.horizontal ? undefined : r.side < 0 ? "right" : r.side > 0 ? "left" : "center",
              rotate: 0,
              distance: 3,
            },
          })),
        },
      });
    }
    for (const points of panel.points || []) {
      if (points.frame && points.frame !== frame) continue;
      pushPoints(list, panel, points, t, at);
    }
    return list;
  }

  // Points go into one series for each run of one colour: series of many points are drawn as one
  // path, which has one colour. Their order, in which they are painted, is that of the data
  // (order.go). Labelled points are a series of their own.
  function pushPoints(list, panel, points, t, at) {
    const n = points.xs.length,
      runs = [];
    const classOf = (i) => {
      const v = points.values && points.values[i];
      if (!panel.scale || v === null || v === undefined) return -1;
      const share = (v - panel.scale.min) / (panel.scale.max - panel.scale.min || 1);
      return Math.min(Math.max(Math.floor(share * steps), 0), steps - 1);
    };
    for (let i = 0; i < n; i++) {
      const c = classOf(i);
      if (runs.length === 0 || runs[runs.length - 1][0] !== c) runs.push([c, []]);
      runs[runs.length - 1][1].push(i);
    }
    const size = points.shape === "stroke" ? [1, 12] : points.size;
    const hidden = points.shape === "hidden";
    for (const [c, rows] of runs) {
      const data = new Float64Array(2 * rows.length);
      rows.forEach((i, k) => {
        data[2 * k] = scaled(panel.x, points.xs[i]);
        data[2 * k + 1] = scaled(panel.y, points.ys[i]);
      });
      list.push({
        type: "scatter",
        ...at,
        data,
        dimensions: ["x", "y"],
        clip: true,
        animation: false,
        large: true,
        largeThreshold: n > 1500 ? 1 : 1500, // of all runs together
        progressive: 0,
        symbol: points.shape === "stroke" ? "rect" : "circle",
        symbolSize: size,
        cursor: points.urls ? "pointer" : "default",
        itemStyle: {
          color: c < 0 ? t[points.color] : t.ramp[c],
          opacity: hidden ? 0 : points.shape === "stroke" ? 0.8 : n > 5000 ? 0.75 : 0.85,
        },
        mark: whole({ kind: "point", points, rows }),
      });
    }
    const labelled = points.labels ? points.labels.map((l, i) => i).filter((i) => points.labels[i]) : [];
    if (labelled.length === 0) return;
    list.push({
      type: "scatter",
      ...at,
      clip: true,
      animation: false,
      symbolSize: points.size + 3,
      z: 5,
      cursor: points.urls ? "pointer" : "default",
      data: labelled.map((i) => [scaled(panel.x, points.xs[i]), scaled(panel.y, points.ys[i])]),
      itemStyle: { color: t[points.color], borderColor: t.back, borderWidth: 1 },
      label: {
        show: true,
        position: "top",
        distance: 4,
        fontSize: 11,
        color: t.text,
        textBorderColor: t.back,
        textBorderWidth: 3,
        formatter: (p) => points.labels[labelled[p.dataIndex]],
      },
      labelLayout: { hideOverlap: true, moveOverlap: "shiftY" },
      mark: whole({ kind: "point", points, rows: labelled }),
    });
  }

  // Which axes are zoomed together, and how.
  function zoomOption(figure) {
    const groups = new Map();
    figure.panels.forEach((p, i) => {
      for (const [side, axis] of [
        ["x", p.x],
        ["y", p.y],
      ]) {
        const key = side + ":" + (axis.link || i);
        if (!groups.has(key)) groups.set(key, { side, list: [] });
        groups.get(key).list.push(i);
      }
    });
    return [...groups.values()].map((g) => ({
      type: "inside",
      [g.side + "AxisIndex"]: g.list,
      filterMode: "none",
      zoomOnMouseWheel: "ctrl",
      moveOnMouseMove: !figure.select, // dragging selects points: internal/web/assets/cloud.js
      moveOnMouseWheel: false,
      preventDefaultMouseMove: false,
    }));
  }

  return { theme, short, scaled, ticks, tickLabel, element, tip, hoverRows, seriesOf, zoomOption };
})();
