"use strict";
// drawFigure(root, figure) draws the JSON of a figure (internal/figures/figure.go) with
// Apache ECharts. Text from the data reaches the page as text nodes and canvas text only.
((global) => {
  const { theme, short, scaled, ticks, tickLabel, element, tip, hoverRows, seriesOf, zoomOption } = figureMarks;

  const margin = { left: 62, right: 18, top: 14, title: 22, bottom: 46, bare: 8 };

  // A number of things: 1 feature, 2 features.
  const counted = (n, unit) => short(n) + " " + (n === 1 ? unit.replace(/s$/, "") : unit);

  const sum = (a) => a.reduce((x, y) => x + y, 0);

  // What a panel has beside its axes, and how wide these are.
  function margins(figure, p, width) {
    const head =
      margin.top + (p.title ? margin.title : 0) + (p.rules && p.rules.some((r) => !r.horizontal && r.label) ? 12 : 0);
    const side = p.y.bare && (p.column > 0 || p.x.bare) ? margin.bare : margin.left + (p.y.wide || 0),
      bottom = p.x.bare ? margin.bare : margin.bottom;
    return {
      head,
      side,
      bottom,
      width: Math.max((width * figure.widths[p.column]) / sum(figure.widths) - side - margin.right, 20),
    };
  }

  // The heights of the rows: those given, and for a panel with equal axes what its width asks for.
  function rowHeights(figure, width) {
    const heights = [...figure.heights];
    for (const p of figure.panels)
      if (p.equal) {
        const m = margins(figure, p, width);
        heights[p.row] = (m.width * (p.y.max - p.y.min)) / (p.x.max - p.x.min) + m.head + m.bottom;
      }
    return heights;
  }

  // The pixels of each panel, from the widths and heights of columns and rows.
  function layout(figure, width) {
    const heights = rowHeights(figure, width);
    return figure.panels.map((p) => {
      const m = margins(figure, p, width),
        top = sum(heights.slice(0, p.row));
      const left = (width * sum(figure.widths.slice(0, p.column))) / sum(figure.widths);
      return {
        left: left + m.side,
        top: top + m.head,
        width: m.width,
        height: Math.max(heights[p.row] - m.head - m.bottom, 20),
        titleTop: top,
      };
    });
  }

  // An extent, in units of the axis's scale, is what zooming shows of the range from min to max.
  function axisOption(axis, index, vertical, t, [min, max], extent) {
    const [low, high] = extent || [scaled(axis, min), scaled(axis, max)];
    const values = axis.bare ? [] : ticks(axis, low, high, axis.count || 6);
    return {
      type: "value",
      gridIndex: index,
      min: scaled(axis, min),
      max: scaled(axis, max),
      animation: false,
      name: axis.bare ? "" : axis.label || "",
      nameLocation: "middle",
      nameGap: vertical ? 46 + (axis.wide || 0) : 28,
      nameTextStyle: { color: t.quiet, fontSize: 12 },
      axisLine: { show: !axis.bare || true, onZero: false, lineStyle: { color: t.line } },
      axisTick: { show: !axis.bare, customValues: values, lineStyle: { color: t.line } },
      axisLabel: {
        show: !axis.bare,
        customValues: values,
        color: t.quiet,
        fontSize: 11,
        hideOverlap: true,
        formatter: (v) => tickLabel(axis, v),
      },
      splitLine: { show: !axis.bare, customValues: values, lineStyle: { color: t.grid } },
    };
  }

  // The range of an axis: for an animation's frame by itself, that of what it shows.
  const rangeOf = (axis, alone) => (alone === undefined ? [axis.min, axis.max] : axis.frames[alone]);

  function option(figure, t, width, frame, alone) {
    const boxes = layout(figure, width);
    const titles = figure.panels
      .map((p, i) =>
        p.title
          ? {
              text: p.title,
              left: boxes[i].left,
              top: boxes[i].titleTop + 6,
              padding: 0,
              textStyle: { color: t.text, fontSize: 13, fontWeight: 600, width: boxes[i].width, overflow: "truncate" },
            }
          : null,
      )
      .filter(Boolean);
    figure.panels.forEach((p, i) => {
      p.x.count = Math.max(3, Math.min(10, boxes[i].width / 80));
      p.y.count = Math.max(2, Math.min(8, boxes[i].height / 45));
    });
    return {
      animation: false,
      backgroundColor: "transparent",
      textStyle: { fontFamily: t.sans },
      title: titles,
      grid: boxes.map((b) => ({
        left: b.left,
        top: b.top,
        width: b.width,
        height: b.height,
        containLabel: false,
        outerBoundsMode: "none",
      })),
      xAxis: figure.panels.map((p, i) => axisOption(p.x, i, false, t, rangeOf(p.x, alone))),
      yAxis: figure.panels.map((p, i) => axisOption(p.y, i, true, t, rangeOf(p.y, alone))),
      dataZoom: zoomOption(figure),
      tooltip: {
        trigger: "item",
        confine: true,
        backgroundColor: t.panel,
        borderColor: t.line,
        textStyle: { color: t.text },
        transitionDuration: 0,
        extraCssText: "box-shadow: 0 2px 12px rgb(0 0 0 / 20%)",
      },
      series: figure.panels.flatMap((p, i) => seriesOf(p, i, t, frame).map((s) => ({ ...s, panel: i }))),
    };
  }

  function hover(figure, series, params) {
    const s = series[params.seriesIndex],
      panel = figure.panels[s.panel],
      mark = s.mark;
    if (!mark) return "";
    if (mark.kind === "bar") {
      const i = params.value[0],
        bars = mark.bars,
        along = (bars.horizontal ? panel.y : panel.x).label || "values";
      if (bars.values) return tip(bars.name || "", hoverRows(bars.hover, i));
      return tip((bars.name ? bars.name + ": " : "") + counted(bars.counts[i], bars.unit || "values"), [
        [along, short(bars.edges[i]) + " to " + short(bars.edges[i + 1])],
        ...hoverRows(bars.hover, i),
      ]);
    }
    if (mark.kind === "box") {
      const b = mark.boxes.items[params.dataIndex];
      return tip(b.label, [
        [mark.boxes.unit || "values", short(b.count)],
        ["upper whisker", short(b.high)],
        ["75 %", short(b.q3)],
        ["median", short(b.median)],
        ["25 %", short(b.q1)],
        ["lower whisker", short(b.low)],
      ]);
    }
    const i = mark.rows[params.dataIndex],
      p = mark.points;
    return tip(p.name || "", pointRows(panel, p, i));
  }

  // What is said of a point: rows of name and value.
  function pointRows(panel, p, i) {
    const rows = hoverRows(p.hover, i);
    if (p.shape === "hidden") return rows;
    if (panel.x.label) rows.push([panel.x.label, short(p.xs[i])]);
    if (panel.y.label) rows.push([panel.y.label, short(p.ys[i])]);
    if (panel.scale && p.values) rows.push([panel.scale.label, short(p.values[i])]);
    return rows;
  }

  // A legend of named marks and of the scale of colours.
  function legend(figure, t) {
    const items = new Map();
    for (const p of figure.panels)
      for (const m of [
        ...(p.bands || []),
        ...(p.bars || []),
        ...(p.boxes || []),
        ...(p.lines || []),
        ...(p.points || []),
      ])
        if (m.name && m.shape !== "hidden" && !m.frame) items.set(m.name, m);
    const out = [];
    const scale = (figure.panels.find((p) => p.scale) || {}).scale;
    if (items.size > 1 || scale)
      for (const [name, mark] of items) {
        const item = element("span", "legend"),
          swatch = element("span", "swatch");
        swatch.style.background = t[mark.color];
        swatch.style.opacity = mark.alpha ? Math.min(1, mark.alpha * 1.6) : 1;
        item.append(swatch, element("span", "", name));
        out.push(item);
      }
    if (scale) {
      const item = element("span", "legend"),
        ramp = element("span", "ramp");
      ramp.style.background = "linear-gradient(to right, " + t.ramp.join(", ") + ")";
      item.append(
        element("span", "", scale.label),
        element("span", "", short(scale.min)),
        ramp,
        element("span", "", short(scale.max)),
      );
      out.push(item);
    }
    return out;
  }

  function drawFigure(root, figure) {
    if (!global.echarts) {
      root.replaceChildren(
        element(
          "p",
          "note",
          "No chart here: this saedb was built without the chart library. " +
            "make build builds it in; saedb plot writes PNG and SVG without it.",
        ),
      );
      return { chart: null, series: () => [], redraw: () => {} };
    }
    const legends = element("div", "controls"),
      box = element("div", "chart"),
      controls = element("div", "controls");
    const said = element("span", "left-out"), // labels that have no place
      spoken = element("div", "spoken"); // the point that the keyboard shows
    spoken.setAttribute("aria-live", "polite");
    root.replaceChildren(legends, box, spoken, controls, figureData.disclosure(figure, open));
    const fitHeight = () => {
      box.style.height = sum(rowHeights(figure, box.clientWidth)) + "px";
    };
    fitHeight();
    box.setAttribute("role", "img");
    box.setAttribute(
      "aria-label",
      figure.title +
        ". " +
        (figure.note || "") +
        " " +
        (figure.hint || "") +
        " Panels: " +
        figure.panels
          .map((p) => p.title || p.y.label)
          .filter(Boolean)
          .join(", "),
    );
    box.tabIndex = 0;
    const chart = global.echarts.init(box, null, { renderer: "canvas" });
    let series = [],
      frame = 0,
      timer = null;
    const own = element("input"); // whether a frame has axes of its own
    const alone = () => (own.checked ? frame : undefined);

    function draw() {
      const t = theme(),
        o = option(figure, t, box.clientWidth, figure.frames && figure.frames[frame], alone());
      series = o.series;
      o.tooltip.formatter = (params) => hover(figure, series, params);
      const zoomed = (chart.getOption()?.dataZoom || []).map(({ start, end }) => ({ start, end }));
      o.dataZoom = o.dataZoom.map((z, i) => ({ ...z, ...zoomed[i] }));
      chart.setOption(o, { notMerge: true });
      if (zoomed.some((z) => z.end - z.start < 100)) retick();
      legends.replaceChildren(...legend(figure, t), said, ...reset);
    }
    // After zooming, round numbers again.
    function retick() {
      const t = theme(),
        model = chart.getModel();
      const extents = (side) =>
        figure.panels.map((p, i) =>
          axisOption(
            p[side],
            i,
            side === "y",
            t,
            rangeOf(p[side], alone()),
            model.getComponent(side + "Axis", i).axis.scale.getExtent(),
          ),
        );
      chart.setOption({ xAxis: extents("x"), yAxis: extents("y") }, { lazyUpdate: true });
    }
    const button = element("button", "push", "Reset zoom");
    button.type = "button";
    button.title =
      "Zoom with Ctrl and the wheel, or with + and - ; move by dragging, or with Shift and the arrow keys. " +
      "Enter shows the points one after the other, the arrow keys the next, Enter again opens it.";
    button.onclick = () => zoom(() => [0, 100]);
    const reset = [button];
    function zoom(change) {
      const o = chart.getOption().dataZoom;
      chart.dispatchAction({
        type: "dataZoom",
        batch: o.map((z, i) => {
          const [start, end] = change(z.start, z.end, z.xAxisIndex !== undefined && z.xAxisIndex.length > 0);
          return { dataZoomIndex: i, start: Math.max(0, start), end: Math.min(100, end) };
        }),
      });
    }
    box.onkeydown = (event) => {
      const move = (dx, dy) =>
        zoom((a, b, x) => {
          const d = (b - a) * (x ? dx : dy),
            s = Math.min(Math.max(d, -a), 100 - b);
          return [a + s, b + s];
        });
      const acts = {
        "+": () => zoom((a, b) => [a + (b - a) / 8, b - (b - a) / 8]),
        "-": () => zoom((a, b) => [a - (b - a) / 6, b + (b - a) / 6]),
        0: () => zoom(() => [0, 100]),
        Enter: () => {
          const shown = points.shown();
          if (shown) open(shown.points, shown.i);
          else points.first();
        },
      };
      const panning = {
        ArrowLeft: () => move(-0.1, 0),
        ArrowRight: () => move(0.1, 0),
        ArrowUp: () => move(0, 0.1),
        ArrowDown: () => move(0, -0.1),
      };
      const onPoints = {
        ArrowLeft: () => points.step(-1),
        ArrowRight: () => points.step(1),
        " ": () => tell("pick", points.shown().points, points.shown().i),
        Escape: points.stop,
      };
      // Arrows scroll the page, unless a point is shown or Shift is held.
      const act = acts[event.key] || (event.shiftKey ? panning : points.shown() ? onPoints : {})[event.key];
      if (act && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        act();
      }
    };
    box.onblur = () => points.stop();

    const points = figureData.walker(
      figure,
      chart,
      () => figure.frames && figure.frames[frame],
      (panel, p, i, at) => {
        figureData.point(box, at, panel && tip(p.name || "", pointRows(panel, p, i)));
        spoken.textContent = panel
          ? [p.name, ...pointRows(panel, p, i).map((r) => r[0] + " " + r[1])].filter(Boolean).join(", ")
          : "";
      },
    );
    chart.on("datazoom", retick);
    chart.on("click", (params) => {
      const s = series[params.seriesIndex];
      if (s && s.mark && s.mark.kind === "point") open(s.mark.points, s.mark.rows[params.dataIndex]);
      if (s && s.mark && s.mark.kind === "box") {
        const boxes = figureData.ofBoxes(figure.panels[s.xAxisIndex], s.mark.boxes);
        if (boxes) open(boxes, params.dataIndex);
      }
    });
    // Who shows the figure may do something else with a point.
    const tell = (what, p, i) =>
      root.dispatchEvent(new CustomEvent(what, { detail: figureData.detailOf(p, i), cancelable: true }));
    function open(p, i) {
      if (tell("point", p, i) && p.urls && p.urls[i]) global.open(p.url_prefix + p.urls[i], "_blank", "noopener");
    }

    // How many labels have no place. They are in the list of what is drawn if they have.
    chart.on("finished", () => {
      const labels = series.flatMap((s) => (s.label ? s.mark.rows.map((i) => s.mark.points.labels[i]) : []));
      const drawn = new Set(
        chart
          .getZr()
          .storage.getDisplayList()
          .map((e) => e.style && e.style.text),
      );
      const left = labels.filter((l) => !drawn.has(l)).length;
      const things = left === 1 ? "1 label left out, which would lie" : left + " labels left out, which would lie";
      said.textContent = left === 0 ? "" : things + " over others or outside";
    });

    if (figure.frames) {
      const play = element("button", "play", "Play"),
        slider = element("input"),
        name = element("output");
      play.type = "button";
      slider.type = "range";
      Object.assign(slider, { min: 0, max: figure.frames.length - 1, step: 1, value: 0 });
      slider.setAttribute("aria-label", figure.frame_of || "frame");
      const show = (i) => {
        frame = i;
        slider.value = i;
        name.textContent = figure.frames[i];
        slider.setAttribute("aria-valuetext", figure.frames[i]);
        draw();
      };
      const stop = () => {
        clearInterval(timer);
        timer = null;
        play.textContent = "Play";
      };
      slider.oninput = () => {
        stop();
        show(Number(slider.value));
      };
      play.onclick = () => {
        if (timer) return stop();
        play.textContent = "Pause";
        if (frame === figure.frames.length - 1) show(0);
        timer = setInterval(() => {
          show(frame + 1);
          if (frame === figure.frames.length - 1) stop();
        }, 900);
      };
      own.type = "checkbox";
      own.onchange = draw;
      const axes = element("label", "quiet");
      axes.append(own, " axes of this " + (figure.frame_of || "frame") + " alone");
      controls.append(play, slider, name, axes);
      name.textContent = figure.frames[0];
    }
    draw();
    const again = () => {
      if (box.isConnected) {
        fitHeight();
        chart.resize();
        draw();
      }
    };
    let pending = 0,
      width = box.clientWidth;
    new ResizeObserver(() => {
      if (box.clientWidth === width) return;
      width = box.clientWidth;
      cancelAnimationFrame(pending);
      pending = requestAnimationFrame(again);
    }).observe(box);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    return { chart, box, series: () => series, redraw: draw };
  }

  global.drawFigure = drawFigure;
})(typeof window === "undefined" ? globalThis : window);
