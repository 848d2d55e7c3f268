"use strict";

/* Scales with their ticks, numbers as texts, colours: what charts are made with. */

const scales = (() => {
  const BEND = { linear: (v) => v, log: Math.log10, steps: Math.log1p };

  /** A function from values to places, with its range and its ticks [value, text]. */
  function scale(kind, low, high, start, end) {
    const bend = BEND[kind];
    const from = bend(low);
    const span = bend(high) - from;
    const place = (value) => start + (end - start) * (span > 0 ? (bend(value) - from) / span : 0.5);
    const holds = (value) => value !== null && value !== undefined && value >= low && value <= high;
    return Object.assign(place, { kind, low, high, start, end, holds, ticks: () => ticks(kind, low, high) });
  }

  function ticks(kind, low, high) {
    if (kind === "linear") return roundTicks(low, high);
    const first = low > 0 ? Math.ceil(Math.log10(low) - 1e-9) : 0;
    const last = high > 0 ? Math.floor(Math.log10(high) + 1e-9) : -1;
    const apart = Math.max(1, Math.ceil((last - first) / 6));
    const found = kind === "steps" ? [[0, "0"]] : [];
    for (let e = first; e <= last; e++) {
      if ((last - e) % apart === 0) found.push([10 ** e, kind === "steps" ? String(10 ** e) : powerOfTen(e)]);
    }
    return found;
  }

  function roundTicks(low, high) {
    const span = high - low;
    if (!(span > 0)) return [[low, number(low)]];
    const power = 10 ** Math.floor(Math.log10(span / 3));
    const step = power * ([10, 5, 2].find((m) => span / (power * m) >= 2.999) || 1);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i <= Math.floor(high / step + 1e-9); i++) {
      found.push([i * step, number(Number((i * step).toPrecision(6)))]);
    }
    return found;
  }

  /** Whole decades around the positive values, at most so many below the largest. */
  function logRange(values, most = 16) {
    let low = Infinity;
    let high = 0;
    for (const v of values) {
      if (!(v > 0)) continue;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    if (!high) return [0.1, 1];
    const top = Math.ceil(Math.log10(high) + 1e-9);
    const bottom = Math.max(Math.floor(Math.log10(low) - 1e-9), top - most);
    return [10 ** bottom, 10 ** Math.max(top, bottom + 1)];
  }

  /** A number as pictures print it, with a real minus; null is none that is finite, undefined none that is wanted. */
  function number(value, digits = 4) {
    if (value === undefined) return "—";
    if (value === null) return "NaN/∞";
    const size = Math.abs(value);
    let text;
    if (size !== 0 && (size < 1e-4 || size >= 1e7)) text = value.toExponential(Math.max(0, digits - 2));
    else text = String(Number(value.toPrecision(digits)));
    return text.replace("e+", "e").replace(/-/g, "−");
  }

  function powerOfTen(exponent) {
    if (exponent === 0 || exponent === 1) return String(10 ** exponent);
    return "10" + String(exponent).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"["0123456789".indexOf(c)] || "⁻");
  }

  function parts(colour) {
    return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  }

  /** [r, g, b] of `share` of `other` in `one`. */
  function blend(one, other, share) {
    const [a, b] = [parts(one), parts(other)];
    return a.map((v, i) => Math.round(v + (b[i] - v) * share));
  }

  const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

  /** A colour of the page's theme. */
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  return { scale, logRange, number, blend, css, ink };
})();
