"use strict";

/* Charts as SVG: curves over the steps, bars over depth, small histograms. Each is drawn for the width it has. */

const charts = (() => {
  const NS = "http://www.w3.org/2000/svg";
  const { scale, logRange, number } = scales;

  /** An SVG element; texts become text nodes. */
  function mark(tag, attributes, ...children) {
    const made = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function canvas(width, height, label) {
    return mark("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  }

  function write(x, y, words, options = {}) {
    const { anchor = "middle", size = 11, kind = "tick", fill } = options;
    const made = mark("text", { x, y, "text-anchor": anchor, "font-size": size, class: kind }, words);
    if (fill) made.setAttribute("fill", fill);
    return made;
  }

  function rule(x1, y1, x2, y2, kind) {
    return mark("line", { x1, y1, x2, y2, class: kind });
  }

  /** Grid lines and tick labels of a plot, and what runs along x. */
  function axes(x, y, along, title) {
    const group = mark("g", {});
    for (const [value, words] of y.ticks()) {
      group.append(rule(x.start, y(value), x.end, y(value), "grid"), write(x.start - 6, y(value) + 4, words, { anchor: "end" }));
    }
    if (along) {
      for (const [value, words] of x.ticks()) {
        group.append(rule(x(value), y.start, x(value), y.start + 4, "axis"), write(x(value), y.start + 17, words));
      }
      group.append(write(x.end, y.start + 32, along, { anchor: "end" }));
    }
    group.append(rule(x.start, y.start, x.end, y.start, "axis"));
    if (title) group.append(write(x.start - 34, y.end - 10, title, { anchor: "start", kind: "title", size: 12 }));
    return group;
  }

  /** Straight lines through the points, interrupted where a value is missing or out of range. */
  function path(x, y, xs, ys) {
    let d = "";
    let open = false;
    xs.forEach((step, i) => {
      if (y.holds(ys[i]) && x.holds(step)) {
        d += `${open ? "L" : "M"}${x(step).toFixed(1)} ${y(ys[i]).toFixed(1)}`;
        open = true;
      } else open = false;
    });
    return d;
  }

  /** The curves of one name for all runs; returns { node, show(places), stepAt(x) }. */
  function curves(view, name, width) {
    const height = 230;
    const lines = view.runs.map((run) => linesOf(run, name));
    const values = lines.flat().flatMap((line) => line.ys);
    const last = Math.max(1, ...view.runs.map((run) => run.snapshots[run.snapshots.length - 1].step));
    const x = scale(view.logX ? "steps" : "linear", 0, last, 46, width - 10);
    const y = heights(values, view.logY && !/acc/.test(name), height);
    const title = view.text(name);
    const node = canvas(width, height + 22, title);
    node.append(axes(x, y, view.text("step"), title));
    lines.forEach((some, place) => {
      for (const line of some) {
        const d = path(x, y, line.steps, line.ys);
        if (d) node.append(mark("path", { d, class: `curve ${line.kind}`, stroke: view.runColour(place) }));
      }
    });
    const needle = rule(0, y.start, 0, y.end, "needle");
    const dots = view.runs.map((_, place) => mark("circle", { r: 4.5, class: "dot", fill: view.runColour(place) }));
    node.append(needle, ...dots);
    const column = (run) => run.names.indexOf(name);
    function show(shown, step) {
      needle.setAttribute("x1", x(step));
      needle.setAttribute("x2", x(step));
      const said = [];
      shown.forEach((snapshot, place) => {
        const run = view.runs[place];
        const value = column(run) < 0 ? undefined : snapshot.scores[column(run)];
        const seen = y.holds(value);
        dots[place].setAttribute("visibility", seen ? "visible" : "hidden");
        if (seen) {
          dots[place].setAttribute("cx", x(snapshot.step));
          dots[place].setAttribute("cy", y(value));
        }
        said.push(`${run.title}: ${value === null ? view.text("not finite") : number(value)}`);
      });
      node.setAttribute("aria-label", `${title}, ${view.text("step")} ${step}. ${said.join(". ")}`);
    }
    function stepAt(client) {
      const box = node.getBoundingClientRect();
      const share = ((client - box.left) / box.width * width - x.start) / (x.end - x.start);
      const at = Math.min(1, Math.max(0, share));
      return view.logX ? Math.expm1(at * Math.log1p(last)) : at * last;
    }
    return { node, show, stepAt };
  }

  /** On the fixed examples; means over epochs; on the validation. */
  function linesOf(run, name) {
    const column = run.names.indexOf(name);
    const found = [];
    for (const [place, kind, steps, ys] of run.curves) {
      if (place === column && steps.length > 1) found.push({ kind, steps, ys });
    }
    if (column >= 0) {
      found.push({ kind: "fixed", steps: run.snapshots.map((s) => s.step), ys: run.snapshots.map((s) => s.scores[column]) });
    }
    return found;
  }

  function heights(values, isLog, height) {
    const numbers = values.filter((v) => v !== null);
    if (isLog && numbers.some((v) => v > 0)) return scale("log", ...logRange(numbers, 60), height - 20, 30);
    const low = Math.min(0, ...numbers);
    const high = Math.max(low, ...numbers);
    return scale("linear", low, high > low ? high : low + 1, height - 20, 30);
  }

  /** Bars of the kernels' gradient norms, from the input to the output; returns { node, show(snapshot) }. */
  function bars(view, place, width) {
    const run = view.runs[place];
    const plot = 210;
    const x = scale("linear", 0, Math.max(1, run.layers.length), 46, width - 8);
    const y = scale("log", ...view.normRange, 22 + plot, 22);
    const apart = x(1) - x(0);
    const isNamed = apart > 34;
    const foot = y.start + (isNamed ? 58 : 36);
    const node = canvas(width, foot + (run.shares ? 30 : 8), view.text("gradients"));
    node.append(axes(x, y, "", ""));
    const every = Math.max(1, Math.ceil(22 / apart));
    const columns = run.layers.map(([name, activation], i) => {
      const middle = x(i + 0.5);
      const bar = mark("rect", { x: middle - apart * 0.31, width: apart * 0.62, class: "bar" });
      const value = write(middle, 0, "", { size: 10, kind: "number" });
      node.append(bar, value);
      if (i % every === 0 || i === run.layers.length - 1) {
        const label = write(middle, y.start + 16, "W", { kind: "title", size: 12 });
        label.append(mark("tspan", { "font-size": 9, dy: 3 }, String(i + 1)));
        node.append(label);
        if (isNamed) {
          node.append(write(middle, y.start + 31, cut(name, apart / 5.6), { size: 10 }));
          node.append(write(middle, y.start + 44, cut(activation || view.text("linear"), apart / 5.6), { size: 10 }));
        }
      }
      const title = mark("title", {}, "");
      bar.append(title);
      return { bar, value, title, middle, name };
    });
    node.append(write(x.end, foot, view.text("depth"), { anchor: "end", size: 11 }));
    const line = mark("path", { class: "limit" });
    const key = mark("g", {}, rule(x.start, foot + 18, x.start + 22, foot + 18, "limit"));
    key.append(write(x.start + 28, foot + 22, view.text("limit"), { anchor: "start", size: 11 }));
    if (run.shares) node.append(line, key);

    function show(snapshot) {
      const norms = view.kernelNorms(run, snapshot);
      const last = norms[norms.length - 1];
      const limits = run.shares && last > 0 ? run.shares.map((share) => share * last) : [];
      columns.forEach((column, i) => draw(column, norms[i], limits[i]));
      line.setAttribute("d", path(x, y, limits.map((_, i) => i + 0.5), limits));
      const said = columns.map((column, i) => `${column.name} ${number(norms[i], 2)}`);
      node.setAttribute("aria-label", `${view.text("gradients")}. ${said.join(", ")}`);
    }
    function draw(column, norm, limit) {
      const top = norm > 0 ? y(Math.min(Math.max(norm, y.low), y.high)) : y.start;
      column.bar.setAttribute("y", top);
      column.bar.setAttribute("height", y.start - top);
      // The number stands above the dashed line, too.
      column.value.setAttribute("y", Math.min(top, y.holds(limit) ? y(limit) : top) - 6);
      column.value.textContent = apart < 30 && norm > 0 ? "" : short(norm);
      column.title.textContent = `${column.name}: ${number(norm)}`;
    }
    return { node, show };
  }

  function short(norm) {
    if (!norm) return number(norm);
    return norm >= 1e-3 ? number(Number(norm.toPrecision(2))) : norm.toExponential(0).replace("-", "−");
  }

  function cut(words, letters) {
    const room = Math.max(2, Math.floor(letters));
    return words.length > room ? `${words.slice(0, room - 1)}…` : words;
  }

  /** Three small histograms a layer; returns { node, show(snapshot) }. */
  function histograms(view, place, width) {
    const run = view.runs[place];
    const keys = ["weights", "activations", "gradients"];
    const left = Math.min(92, width * 0.22);
    const column = (width - left - 8) / keys.length;
    const [high, apart, top] = [44, 68, 24];
    const node = canvas(width, top + apart * run.layers.length, view.text("histograms"));
    keys.forEach((key, k) => {
      const words = key === "gradients" ? "∂L/∂W" : view.text(key);
      node.append(write(left + (k + 0.5) * column, 13, words, { kind: "title", size: 12 }));
    });
    const updates = [];
    run.layers.forEach(([name, activation], row) => {
      const y = top + row * apart;
      node.append(write(0, y + 18, cut(name, left / 6.8), { anchor: "start", kind: "title", size: 12 }));
      node.append(write(0, y + 33, cut(activation || view.text("linear"), left / 5.6), { anchor: "start", size: 11 }));
      const dead = write(0, y + 48, "", { anchor: "start", size: 11, kind: "dead" });
      node.append(dead);
      updates.push((snapshot) => {
        const share = snapshot.dead[row];
        dead.textContent = share ? `${view.text("dead")} ${Math.round(share * 100)} %` : "";
      });
      keys.forEach((key, k) => {
        updates.push(histogram(node, run, key, row, left + k * column + 8, y, column - 16, high));
      });
    });
    return { node, show: (snapshot) => updates.forEach((update) => update(snapshot)) };
  }

  function histogram(node, run, key, row, left, top, width, high) {
    const [low, step, count] = run.bins[key][row];
    const largest = Math.max(1, ...run.snapshots.map((s) => Math.max(0, ...s.counts[key][row])));
    const shape = mark("path", { class: `bars ${key}` });
    const bottom = top + high;
    node.append(shape, rule(left, bottom, left + width, bottom, "axis"));
    const end = low + step * count;
    const edge = (value) => number(value, 2);
    node.append(write(left, bottom + 12, edge(low), { anchor: "start", size: 9.5 }));
    node.append(write(left + width, bottom + 12, edge(end), { anchor: "end", size: 9.5 }));
    const zero = -low / (end - low);
    if (width > 70 && zero > 0.35 && zero < 0.65) node.append(write(left + width * zero, bottom + 12, "0", { size: 9.5 }));
    const bar = width / count;
    const wide = (bar > 4 ? bar - 1 : bar).toFixed(2);
    return (snapshot) => {
      let d = "";
      snapshot.counts[key][row].forEach((n, i) => {
        if (!n) return;
        const tall = Math.max(1, (high * Math.log1p(n)) / Math.log1p(largest));
        d += `M${(left + i * bar).toFixed(1)} ${bottom}v${(-tall).toFixed(1)}h${wide}v${tall.toFixed(1)}z`;
      });
      shape.setAttribute("d", d);
    };
  }

  return { mark, canvas, write, rule, axes, curves, linesOf, bars, histograms };
})();
