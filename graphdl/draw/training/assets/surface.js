"use strict";

/* The plane of predictions: cells on a canvas, and over it the line between the classes and the examples as SVG. */

const surfaces = (() => {
  const { scale, blend, css, ink } = scales;
  const { mark, write, axes } = charts;

  // Disks, triangles, squares, pentagons.
  const CORNERS = [0, 3, 4, 5];

  /** Returns { node, show(snapshot) } for a run that has a plane. */
  function surface(view, place, width) {
    const plane = view.runs[place].surface;
    const side = Math.min(width - 44, 360);
    const [x0, x1, y0, y1] = plane.extent;
    const x = scale("linear", x0, x1, 36, 36 + side);
    const y = scale("linear", y0, y1, 22 + side, 22);
    const over = charts.canvas(width, side + 58, view.text("surface"));
    over.append(axes(x, y, "", ""), ...x.ticks().map(([value, words]) => write(x(value), y.start + 17, words)));
    over.append(write(x.start, 14, "x₂", { kind: "title", size: 12 }), write(x.end, y.start + 32, "x₁", { kind: "title", size: 12 }));
    const line = mark("path", { class: "border" });
    const nothing = write(36 + side / 2, 42, "", { size: 13, kind: "nothing" });
    over.append(line, ...examples(view, plane, x, y), nothing);
    const cells = document.createElement("canvas");
    cells.width = cells.height = plane.size;
    cells.style.cssText = `left:36px;top:22px;width:${side}px;height:${side}px`;
    if (plane.kind === "classes") cells.className = "sharp";
    const node = page.element("div", { class: "plane", style: `width:${width}px` }, cells, over);

    function show(snapshot) {
      const grid = bytes(snapshot.grid);
      paint(cells, grid, view, plane);
      nothing.textContent = grid.length ? "" : view.text("no surface");
      line.setAttribute("d", grid.length && plane.border ? border(grid, plane.size, x, y) : "");
      const score = snapshot.scores.length ? `${view.text("loss")} ${scales.number(snapshot.scores[0])}` : "";
      over.setAttribute("aria-label", `${view.text("surface")}, ${view.text("step")} ${snapshot.step}. ${score}`);
    }
    return { node, show };
  }

  function bytes(text) {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  }

  function paint(cells, grid, view, plane) {
    const context = cells.getContext("2d");
    context.clearRect(0, 0, plane.size, plane.size);
    if (!grid.length) return;
    const palette = colours(view, plane);
    const image = context.createImageData(plane.size, plane.size);
    grid.forEach((byte, i) => image.data.set([...palette[byte], 255], 4 * i));
    context.putImageData(image, 0, 0);
  }

  /** The colour of each of the 256 bytes. */
  function colours(view, plane) {
    const middle = hex(blend(ink("--ui-paper"), ink("--ui-muted"), 0.12));
    const levels = Math.floor(256 / plane.classes);
    return Array.from({ length: 256 }, (_, byte) => {
      if (plane.kind === "classes") {
        const place = Math.min(plane.classes - 1, Math.floor(byte / levels));
        const sure = (byte - place * levels) / (levels - 1);
        return blend(middle, classColour(view, place), Math.max(0, (sure * plane.classes - 1) / (plane.classes - 1)));
      }
      const share = byte / 255;
      return share > 0.5
        ? blend(middle, view.colours.high, 2 * share - 1)
        : blend(middle, view.colours.low, 1 - 2 * share);
    });
  }

  const hex = (rgb) => `#${rgb.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
  const classColour = (view, place) => view.colours.classes[place % view.colours.classes.length];

  /** Where the prediction passes the middle, between the middles of the cells (marching squares). */
  function border(grid, size, x, y) {
    const level = 127.5;
    const side = (x.end - x.start) / size;
    const at = (row, column) => grid[row * size + column];
    let d = "";
    for (let row = 0; row < size - 1; row++) {
      for (let column = 0; column < size - 1; column++) {
        const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
        const crossings = [];
        for (let i = 0; i < 4; i++) {
          const [one, other] = [corners[i], corners[(i + 1) % 4]];
          const [low, high] = [at(...one), at(...other)];
          if (low > level === high > level) continue;
          const share = (level - low) / (high - low);
          const [r, c] = [one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share];
          crossings.push(`${(x.start + (c + 0.5) * side).toFixed(1)} ${(y.end + (r + 0.5) * side).toFixed(1)}`);
        }
        for (let i = 0; i + 1 < crossings.length; i += 2) d += `M${crossings[i]}L${crossings[i + 1]}`;
      }
    }
    return d;
  }

  /** A shape for each class; circles where a number is wanted. One path for each shape and colour. */
  function examples(view, plane, x, y) {
    const shapes = new Map();
    const size = plane.points.length > 60 ? 3 : 4.8;
    plane.points.forEach(([u, v], i) => {
      const place = plane.places[i];
      const corners = place === null ? 0 : CORNERS[place % CORNERS.length];
      const key = JSON.stringify([colourOf(view, plane, plane.targets[i]), place === null ? "wanted" : ""]);
      shapes.set(key, (shapes.get(key) || "") + shape(x(u), y(v), size, corners));
    });
    return [...shapes].map(([key, d]) => {
      const [fill, kind] = JSON.parse(key);
      return mark("path", { d, fill, class: `example ${kind}` });
    });
  }

  function colourOf(view, plane, target) {
    if (plane.kind === "classes") return classColour(view, target);
    const share = (target - plane.low) / (plane.high - plane.low);
    const end = share > 0.5 ? view.colours.high : view.colours.low;
    return css(blend("#ffffff", end, Math.round(Math.abs(2 * share - 1) * 8) / 8));
  }

  /** A regular polygon, or a disk. */
  function shape(x, y, size, corners) {
    if (!corners) return `M${(x - size).toFixed(1)} ${y.toFixed(1)}a${size} ${size} 0 1 0 ${2 * size} 0a${size} ${size} 0 1 0 ${-2 * size} 0z`;
    const reach = size * (corners === 3 ? 1.35 : 1.2);
    const turn = corners === 4 ? Math.PI / 4 : 0;
    const at = Array.from({ length: corners }, (_, i) => turn + (2 * Math.PI * i) / corners);
    return `M${at.map((a) => `${(x + reach * Math.sin(a)).toFixed(1)} ${(y - reach * Math.cos(a)).toFixed(1)}`).join("L")}z`;
  }

  return { surface };
})();
