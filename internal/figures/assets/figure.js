"use strict";
// drawFigure(root, figure) draws the JSON of a figure (internal/figures/figure.go) with
// Apache ECharts. Text from the data reaches the page as text nodes and canvas text only.
(function (global) {
  const viridis = [[68,1,84],[72,33,115],[67,62,133],[56,88,140],[45,112,142],[37,133,142],[30,155,138],[42,176,127],[82,197,105],[134,213,73],[194,223,35],[253,231,37]];
  const steps = 14;

  function theme() {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue("--" + name).trim();
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const t = { dark, ramp: [] };
    for (const name of ["back", "text", "quiet", "line", "grid", "panel", "accent", "blue", "orange", "green", "purple", "red", "grey", "sans"]) t[name] = get(name);
    // The end of the scale that would vanish in the background is left out.
    const [from, to] = dark ? [0.22, 1] : [0, 0.88];
    for (let i = 0; i < steps; i++) {
      const at = (from + (to - from) * i / (steps - 1)) * (viridis.length - 1), low = Math.min(Math.floor(at), viridis.length - 2);
      const mix = viridis[low].map((v, k) => Math.round(v + (at - low) * (viridis[low + 1][k] - v)));
      t.ramp.push("rgb(" + mix + ")");
    }
    return t;
  }

  // Numbers as people read them: four digits, thousands apart.
  function short(v) {
    if (v === null || v === undefined || !isFinite(v)) return "–";
    const m = Math.abs(v);
    if (m !== 0 && (m >= 1e7 || m < 1e-4)) return v.toExponential(2).replace("e+", "e");
    if (Number.isInteger(v)) return v.toLocaleString("en-US");
    return Number(v.toPrecision(4)).toLocaleString("en-US", { maximumSignificantDigits: 4 });
  }

  const scaled = (axis, v) => axis.log ? Math.log10(v) : v;
  const unscaled = (axis, v) => axis.log ? Math.pow(10, v) : v;

  // Round numbers between low and high, about count of them; for a log axis low and
  // high are log10, and the numbers are 1, 2, 5 of each decade where there is room.
  function ticks(axis, low, high, count) {
    if (axis.ticks) return axis.ticks.map((t) => scaled(axis, t.at)).filter((v) => v >= low && v <= high);
    const out = [];
    const linear = (a, b, n) => {
      const raw = (b - a) / n, power = Math.pow(10, Math.floor(Math.log10(raw)));
      const step = [1, 2, 2.5, 5, 10].find((s) => s * power >= raw * 0.999) * power;
      const list = [];
      for (let i = Math.ceil(a / step - 1e-9); i * step <= b + step * 1e-9; i++) list.push(Number((i * step).toPrecision(12)));
      return list.length < 2 && b > a ? linear(a, b, 2 * n) : list;
    };
    if (!axis.log) return linear(low, high, count);
    const span = high - low;
    if (span < 0.5) return linear(Math.pow(10, low), Math.pow(10, high), count).filter((v) => v > 0).map(Math.log10);
    const of = span > count ? null : span > count / 3 ? [1] : span > 1.5 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
    const skip = of ? 1 : Math.ceil(span / count);
    for (let d = Math.floor(low); d <= Math.ceil(high); d += skip) for (const k of of || [1]) {
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
    return (columns || []).map((c) => [c.name, c.texts ? c.texts[i] : short(c.numbers[i]), tokenNames.has(c.name)]).filter((r) => r[1] !== "" && r[1] !== undefined);
  }

  // Series of ECharts for the marks of one panel. Each has what saedb needs to answer a
  // hover or a click in its field "mark".
  function seriesOf(panel, index, t, frame) {
    const list = [], at = { xAxisIndex: index, yAxisIndex: index };
    const quietSeries = { ...at, silent: true, animation: false, tooltip: { show: false } };
    const clipped = { clip: true, animation: false };
    const px = (api, x, y) => api.coord([x, y]);

    for (const band of panel.bands || []) {
      list.push({ type: "custom", ...quietSeries, clip: true, data: [0], renderItem: (_, api) => {
        const points = band.xs.map((x, i) => px(api, scaled(panel.x, x), scaled(panel.y, band.high[i])))
          .concat(band.xs.map((x, i) => px(api, scaled(panel.x, x), scaled(panel.y, band.low[i]))).reverse());
        return { type: "polygon", shape: { points }, style: { fill: t[band.color], opacity: band.alpha } };
      } });
    }
    for (const bars of panel.bars || []) {
      const along = bars.horizontal ? panel.y : panel.x, up = bars.horizontal ? panel.x : panel.y;
      const base = scaled(up, up.log ? up.min : 0);
      const data = bars.counts.map((count, i) => [i, count]).filter((d) => d[1] > 0);
      list.push({ type: "custom", ...at, ...clipped, data, encode: { tooltip: [] }, mark: { kind: "bar", bars, along }, renderItem: (_, api) => {
        const i = api.value(0), from = scaled(along, bars.edges[i]), to = scaled(along, bars.edges[i + 1]), top = scaled(up, api.value(1));
        const a = bars.horizontal ? px(api, base, from) : px(api, from, base), b = bars.horizontal ? px(api, top, to) : px(api, to, top);
        const gap = Math.abs(bars.horizontal ? b[1] - a[1] : b[0] - a[0]) > 4 ? 1 : 0;
        const shape = { x: Math.min(a[0], b[0]), y: Math.min(a[1], b[1]), width: Math.abs(b[0] - a[0]), height: Math.abs(b[1] - a[1]) };
        if (bars.horizontal) shape.height = Math.max(shape.height - gap, 0.5); else shape.width = Math.max(shape.width - gap, 0.5);
        return { type: "rect", shape, style: { fill: t[bars.color], opacity: panel.bars.length > 1 ? 0.7 : 0.9 }, emphasis: { style: { opacity: 1, stroke: t.text, lineWidth: 1 } } };
      } });
    }
    for (const boxes of panel.boxes || []) {
      const along = boxes.horizontal ? panel.x : panel.y, across = boxes.horizontal ? panel.y : panel.x;
      list.push({ type: "custom", ...at, ...clipped, data: boxes.items.map((b, i) => [i]), mark: { kind: "box", boxes }, renderItem: (_, api) => {
        const b = boxes.items[api.value(0)], half = 0.3;
        const p = (value, offset) => boxes.horizontal ? px(api, scaled(along, value), scaled(across, b.at + offset)) : px(api, scaled(across, b.at + offset), scaled(along, value));
        const line = (v1, o1, v2, o2, width) => { const c = p(v1, o1), d = p(v2, o2); return { type: "line", shape: { x1: c[0], y1: c[1], x2: d[0], y2: d[1] }, style: { stroke: t[boxes.color], lineWidth: width || 1.5 } }; };
        const c = p(b.q1, -half), d = p(b.q3, half);
        return { type: "group", children: [
          { type: "rect", shape: { x: Math.min(c[0], d[0]), y: Math.min(c[1], d[1]), width: Math.abs(c[0] - d[0]), height: Math.abs(c[1] - d[1]) }, style: { fill: t.back } },
          { type: "rect", shape: { x: Math.min(c[0], d[0]), y: Math.min(c[1], d[1]), width: Math.abs(c[0] - d[0]), height: Math.abs(c[1] - d[1]) }, style: { fill: t[boxes.color], fillOpacity: 0.25, stroke: t[boxes.color], lineWidth: 1.5 } },
          line(b.median, -half, b.median, half, 2.5), line(b.low, 0, b.q1, 0), line(b.q3, 0, b.high, 0),
          line(b.low, -half / 2, b.low, half / 2), line(b.high, -half / 2, b.high, half / 2),
        ] };
      } });
    }
    for (const line of panel.lines || []) {
      list.push({ type: "line", ...quietSeries, clip: true, showSymbol: false, z: 3, data: line.xs.map((x, i) => [scaled(panel.x, x), scaled(panel.y, line.ys[i])]), lineStyle: { color: t[line.color], width: line.width } });
    }
    if (panel.rules) {
      list.push({ type: "line", ...at, silent: true, animation: false, data: [], tooltip: { show: false }, markLine: {
        silent: true, symbol: "none", animation: false, lineStyle: { color: t.quiet, type: [4, 4], width: 1 },
        data: panel.rules.map((r) => ({ [r.horizontal ? "yAxis" : "xAxis"]: scaled(r.horizontal ? panel.y : panel.x, r.at), label: { formatter: r.label || "", show: !!r.label, color: t.quiet, fontSize: 11, position: r.horizontal ? "insideEndTop" : "end", align: r.horizontal ? undefined : r.side < 0 ? "right" : r.side > 0 ? "left" : "center", rotate: 0, distance: 3 } })),
      } });
    }
    for (const points of panel.points || []) {
      if (points.frame && points.frame !== frame) continue;
      pushPoints(list, panel, points, t, at);
    }
    return list;
  }

  // Points go into one series for each colour: series of many points are drawn as one
  // path, which has one colour. Labelled points are a series of their own.
  function pushPoints(list, panel, points, t, at) {
    const n = points.xs.length, classes = new Map();
    const classOf = (i) => {
      const v = points.values && points.values[i];
      if (!panel.scale || v === null || v === undefined) return -1;
      const share = (v - panel.scale.min) / (panel.scale.max - panel.scale.min || 1);
      return Math.min(Math.max(Math.floor(share * steps), 0), steps - 1);
    };
    for (let i = 0; i < n; i++) {
      const c = classOf(i);
      if (!classes.has(c)) classes.set(c, []);
      classes.get(c).push(i);
    }
    const size = points.shape === "stroke" ? [1, 12] : points.size;
    const hidden = points.shape === "hidden";
    for (const [c, rows] of [...classes].sort((a, b) => a[0] - b[0])) {
      const data = new Float64Array(2 * rows.length);
      rows.forEach((i, k) => { data[2 * k] = scaled(panel.x, points.xs[i]); data[2 * k + 1] = scaled(panel.y, points.ys[i]); });
      list.push({
        type: "scatter", ...at, data, dimensions: ["x", "y"], clip: true, animation: false, large: true, largeThreshold: 1500, progressive: 0,
        symbol: points.shape === "stroke" ? "rect" : "circle", symbolSize: size, cursor: points.urls ? "pointer" : "default",
        itemStyle: { color: c < 0 ? t[points.color] : t.ramp[c], opacity: hidden ? 0 : points.shape === "stroke" ? 0.8 : n > 5000 ? 0.75 : 0.85 },
        mark: { kind: "point", points, rows },
      });
    }
    const labelled = points.labels ? points.labels.map((l, i) => i).filter((i) => points.labels[i]) : [];
    if (labelled.length === 0) return;
    list.push({
      type: "scatter", ...at, clip: true, animation: false, symbolSize: points.size + 3, z: 5, cursor: points.urls ? "pointer" : "default",
      data: labelled.map((i) => [scaled(panel.x, points.xs[i]), scaled(panel.y, points.ys[i])]),
      itemStyle: { color: t[points.color], borderColor: t.back, borderWidth: 1 },
      label: { show: true, position: "top", distance: 4, fontSize: 11, color: t.text, textBorderColor: t.back, textBorderWidth: 3, formatter: (p) => points.labels[labelled[p.dataIndex]] },
      labelLayout: { hideOverlap: true, moveOverlap: "shiftY" }, mark: { kind: "point", points, rows: labelled },
    });
  }

  const margin = { left: 62, right: 18, top: 14, title: 22, bottom: 46, bare: 8 };

  const sum = (a) => a.reduce((x, y) => x + y, 0);

  // What a panel has beside its axes, and how wide these are.
  function margins(figure, p, width) {
    const head = margin.top + (p.title ? margin.title : 0) + (p.rules && p.rules.some((r) => !r.horizontal && r.label) ? 12 : 0);
    const side = p.y.bare && p.column > 0 ? margin.bare : margin.left + (p.y.wide || 0), bottom = p.x.bare ? margin.bare : margin.bottom;
    return { head, side, bottom, width: Math.max(width * figure.widths[p.column] / sum(figure.widths) - side - margin.right, 20) };
  }

  // The heights of the rows: those given, and for a panel with equal axes what its width asks for.
  function rowHeights(figure, width) {
    const heights = [...figure.heights];
    for (const p of figure.panels) if (p.equal) {
      const m = margins(figure, p, width);
      heights[p.row] = m.width * (p.y.max - p.y.min) / (p.x.max - p.x.min) + m.head + m.bottom;
    }
    return heights;
  }

  // The pixels of each panel, from the widths and heights of columns and rows.
  function layout(figure, width) {
    const heights = rowHeights(figure, width);
    return figure.panels.map((p) => {
      const m = margins(figure, p, width), top = sum(heights.slice(0, p.row));
      const left = width * sum(figure.widths.slice(0, p.column)) / sum(figure.widths);
      return { left: left + m.side, top: top + m.head, width: m.width, height: Math.max(heights[p.row] - m.head - m.bottom, 20), titleTop: top };
    });
  }

  function axisOption(axis, index, vertical, t, extent) {
    const low = extent ? extent[0] : scaled(axis, axis.min), high = extent ? extent[1] : scaled(axis, axis.max);
    const values = axis.bare ? [] : ticks(axis, low, high, axis.count || 6);
    return {
      type: "value", gridIndex: index, min: scaled(axis, axis.min), max: scaled(axis, axis.max), animation: false,
      name: axis.bare ? "" : axis.label || "", nameLocation: "middle", nameGap: vertical ? 46 + (axis.wide || 0) : 28, nameTextStyle: { color: t.quiet, fontSize: 12 },
      axisLine: { show: !axis.bare || true, onZero: false, lineStyle: { color: t.line } },
      axisTick: { show: !axis.bare, customValues: values, lineStyle: { color: t.line } },
      axisLabel: { show: !axis.bare, customValues: values, color: t.quiet, fontSize: 11, hideOverlap: true, formatter: (v) => tickLabel(axis, v) },
      splitLine: { show: !axis.bare, customValues: values, lineStyle: { color: t.grid } },
    };
  }

  function zoomOption(figure) {
    const groups = new Map();
    figure.panels.forEach((p, i) => {
      for (const [side, axis] of [["x", p.x], ["y", p.y]]) {
        const key = side + ":" + (axis.link || i);
        if (!groups.has(key)) groups.set(key, { side, list: [] });
        groups.get(key).list.push(i);
      }
    });
    return [...groups.values()].map((g) => ({ type: "inside", [g.side + "AxisIndex"]: g.list, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, moveOnMouseWheel: false, preventDefaultMouseMove: false }));
  }

  function option(figure, t, width, frame) {
    const boxes = layout(figure, width);
    const titles = figure.panels.map((p, i) => p.title ? { text: p.title, left: boxes[i].left, top: boxes[i].titleTop + 6, padding: 0, textStyle: { color: t.text, fontSize: 13, fontWeight: 600, width: boxes[i].width, overflow: "truncate" } } : null).filter(Boolean);
    figure.panels.forEach((p, i) => { p.x.count = Math.max(3, Math.min(10, boxes[i].width / 80)); p.y.count = Math.max(2, Math.min(8, boxes[i].height / 45)); });
    return {
      animation: false, backgroundColor: "transparent", textStyle: { fontFamily: t.sans },
      title: titles,
      grid: boxes.map((b) => ({ left: b.left, top: b.top, width: b.width, height: b.height, containLabel: false, outerBoundsMode: "none" })),
      xAxis: figure.panels.map((p, i) => axisOption(p.x, i, false, t)),
      yAxis: figure.panels.map((p, i) => axisOption(p.y, i, true, t)),
      dataZoom: zoomOption(figure),
      tooltip: { trigger: "item", confine: true, backgroundColor: t.panel, borderColor: t.line, textStyle: { color: t.text }, transitionDuration: 0, extraCssText: "box-shadow: 0 2px 12px rgb(0 0 0 / 20%)" },
      series: figure.panels.flatMap((p, i) => seriesOf(p, i, t, frame).map((s) => ({ ...s, panel: i }))),
    };
  }

  function hover(figure, series, params) {
    const s = series[params.seriesIndex], panel = figure.panels[s.panel], mark = s.mark;
    if (!mark) return "";
    if (mark.kind === "bar") {
      const i = params.value[0], bars = mark.bars;
      return tip((bars.name ? bars.name + ": " : "") + short(bars.counts[i]) + (bars.counts[i] === 1 ? " value" : " values"),
        [["from", short(bars.edges[i])], ["to", short(bars.edges[i + 1])], ...hoverRows(bars.hover, i)]);
    }
    if (mark.kind === "box") {
      const b = mark.boxes.items[params.dataIndex];
      return tip(b.label, [["values", short(b.count)], ["upper whisker", short(b.high)], ["75 %", short(b.q3)], ["median", short(b.median)], ["25 %", short(b.q1)], ["lower whisker", short(b.low)]]);
    }
    const i = mark.rows[params.dataIndex], p = mark.points, rows = hoverRows(p.hover, i);
    if (p.shape !== "hidden") {
      if (panel.x.label) rows.push([panel.x.label, short(p.xs[i])]);
      if (panel.y.label) rows.push([panel.y.label, short(p.ys[i])]);
      if (panel.scale && p.values) rows.push([panel.scale.label, short(p.values[i])]);
    }
    return tip(p.name || "", rows);
  }

  // A legend of named marks and of the scale of colours.
  function legend(figure, t) {
    const items = new Map();
    for (const p of figure.panels) for (const m of [...(p.bands || []), ...(p.bars || []), ...(p.boxes || []), ...(p.lines || []), ...(p.points || [])])
      if (m.name && m.shape !== "hidden" && !m.frame) items.set(m.name, m);
    const out = [];
    const scale = (figure.panels.find((p) => p.scale) || {}).scale;
    if (items.size > 1 || scale) for (const [name, mark] of items) {
      const item = element("span", "legend"), swatch = element("span", "swatch");
      swatch.style.background = t[mark.color];
      swatch.style.opacity = mark.alpha ? Math.min(1, mark.alpha * 1.6) : 1;
      item.append(swatch, element("span", "", name));
      out.push(item);
    }
    if (scale) {
      const item = element("span", "legend"), ramp = element("span", "ramp");
      ramp.style.background = "linear-gradient(to right, " + t.ramp.join(", ") + ")";
      item.append(element("span", "", scale.label), element("span", "", short(scale.min)), ramp, element("span", "", short(scale.max)));
      out.push(item);
    }
    return out;
  }

  function drawFigure(root, figure) {
    if (!global.echarts) {
      root.replaceChildren(element("p", "note", "No chart here: this saedb was built without the chart library. "
        + "make build builds it in; saedb plot writes PNG and SVG without it."));
      return { chart: null, series: () => [], redraw: () => {} };
    }
    const legends = element("div", "controls"), box = element("div", "chart"), controls = element("div", "controls");
    root.replaceChildren(legends, box, controls);
    const fitHeight = () => { box.style.height = sum(rowHeights(figure, box.clientWidth)) + "px"; };
    fitHeight();
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", figure.title + ". " + (figure.note || "") + " " + (figure.hint || "") + " Panels: " + figure.panels.map((p) => p.title || p.y.label).filter(Boolean).join(", "));
    box.tabIndex = 0;
    const chart = global.echarts.init(box, null, { renderer: "canvas" });
    let series = [], frame = 0, timer = null;

    function draw() {
      const t = theme(), o = option(figure, t, box.clientWidth, figure.frames && figure.frames[frame]);
      series = o.series;
      o.tooltip.formatter = (params) => hover(figure, series, params);
      chart.setOption(o, { notMerge: true });
      legends.replaceChildren(...legend(figure, t), ...reset);
    }
    // After zooming, round numbers again.
    function retick() {
      const t = theme(), model = chart.getModel();
      const extents = (side) => figure.panels.map((p, i) => axisOption(p[side], i, side === "y", t, model.getComponent(side + "Axis", i).axis.scale.getExtent()));
      chart.setOption({ xAxis: extents("x"), yAxis: extents("y") }, { lazyUpdate: true });
    }
    const button = element("button", "push", "Reset zoom");
    button.type = "button";
    button.title = "Zoom with Ctrl and the wheel, or with + and - ; move by dragging, or with the arrow keys";
    button.onclick = () => zoom(() => [0, 100]);
    const reset = [button];
    function zoom(change) {
      const o = chart.getOption().dataZoom;
      chart.dispatchAction({ type: "dataZoom", batch: o.map((z, i) => { const [start, end] = change(z.start, z.end, z.xAxisIndex !== undefined && z.xAxisIndex.length > 0); return { dataZoomIndex: i, start: Math.max(0, start), end: Math.min(100, end) }; }) });
    }
    box.onkeydown = (event) => {
      const move = (dx, dy) => zoom((a, b, x) => { const d = (b - a) * (x ? dx : dy), s = Math.min(Math.max(d, -a), 100 - b); return [a + s, b + s]; });
      const acts = {
        "+": () => zoom((a, b) => [a + (b - a) / 8, b - (b - a) / 8]), "-": () => zoom((a, b) => [a - (b - a) / 6, b + (b - a) / 6]), "0": () => zoom(() => [0, 100]),
        ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, 0.1), ArrowDown: () => move(0, -0.1),
      };
      if (acts[event.key] && !event.ctrlKey && !event.metaKey) { event.preventDefault(); acts[event.key](); }
    };
    chart.on("datazoom", retick);
    chart.on("click", (params) => {
      const s = series[params.seriesIndex];
      if (!s || !s.mark || s.mark.kind !== "point") return;
      const p = s.mark.points, i = s.mark.rows[params.dataIndex];
      // Who shows the figure may do something else with a point.
      const detail = Object.fromEntries((p.hover || []).map((c) => [c.name, c.texts ? c.texts[i] : c.numbers[i]]));
      if (root.dispatchEvent(new CustomEvent("point", { detail, cancelable: true })) && p.urls && p.urls[i]) global.open(p.url_prefix + p.urls[i], "_blank", "noopener");
    });

    if (figure.frames) {
      const play = element("button", "", "Play"), slider = element("input"), name = element("output");
      play.type = "button"; play.className = "play";
      slider.type = "range"; slider.min = 0; slider.max = figure.frames.length - 1; slider.step = 1; slider.value = 0;
      slider.setAttribute("aria-label", figure.frame_of || "frame");
      const show = (i) => { frame = i; slider.value = i; name.textContent = figure.frames[i]; slider.setAttribute("aria-valuetext", figure.frames[i]); draw(); };
      const stop = () => { clearInterval(timer); timer = null; play.textContent = "Play"; };
      slider.oninput = () => { stop(); show(Number(slider.value)); };
      play.onclick = () => {
        if (timer) return stop();
        play.textContent = "Pause";
        if (frame === figure.frames.length - 1) show(0);
        timer = setInterval(() => { show(frame + 1); if (frame === figure.frames.length - 1) stop(); }, 900);
      };
      controls.append(play, slider, name);
      name.textContent = figure.frames[0];
    }
    draw();
    const again = () => { if (box.isConnected) { fitHeight(); chart.resize(); draw(); } };
    let pending = 0, width = box.clientWidth;
    new ResizeObserver(() => { if (box.clientWidth === width) return; width = box.clientWidth; cancelAnimationFrame(pending); pending = requestAnimationFrame(again); }).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    return { chart, series: () => series, redraw: draw };
  }

  global.drawFigure = drawFigure;
})(typeof window === "undefined" ? globalThis : window);
