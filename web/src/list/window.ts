/** Which rows of a long list are drawn. */

export interface Window {
  first: number;
  /** Behind the last one. */
  end: number;
  above: number;
  below: number;
}

/** The rows in view and one screen of overscan on both sides; heights in pixels. */
export function windowOf(count: number, rowHeight: number, scrolled: number, height: number): Window {
  const screen = Math.ceil(height / rowHeight) || 1;
  const top = Math.floor(Math.max(0, scrolled) / rowHeight);
  const first = Math.max(0, Math.min(top - screen, count - 1));
  const end = Math.min(count, top + 2 * screen + 1);
  return { first, end: Math.max(first, end), above: first * rowHeight, below: Math.max(0, count - end) * rowHeight };
}
