/** What is usual: the middle of what was seen, told only when enough was seen. */

/** Fewer than this many say nothing about what is usual. */
const ENOUGH = 5;

export interface Usual {
  low: number;
  high: number;
}

/** From the 10th to the 90th of a hundred. */
export function usual(values: readonly number[]): Usual | null {
  if (values.length < ENOUGH) return null;
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { low: at(0.1), high: at(0.9) };
}

/** How many times the usual's upper end; null while within it. */
export function beyond(value: number | null, norm: Usual | null): number | null {
  if (value === null || norm === null || norm.high <= 0 || value <= norm.high) return null;
  return value / norm.high;
}
