/** Geometry of the recorder's disc: one turn is one hour on a clock face. */
import type { Span } from '../fold/activity';

const HOUR = 3_600_000;

/** The minute hand's angle at a moment, in radians from twelve, clockwise; in local time, as clocks are. */
export function angle(at: number): number {
  const local = at - new Date(at).getTimezoneOffset() * 60_000;
  return ((((local % HOUR) + HOUR) % HOUR) / HOUR) * 2 * Math.PI;
}

export function point(centre: number, radius: number, turned: number): string {
  const x = centre + radius * Math.sin(turned);
  const y = centre - radius * Math.cos(turned);
  return `${x.toFixed(2)} ${y.toFixed(2)}`;
}

/** An arc over a span of time; the shortest still shows. */
export function arc(centre: number, radius: number, [from, to]: Span): string {
  const shown = Math.min(Math.max(to, from + HOUR / 240), from + HOUR - 1_000);
  const large = shown - from > HOUR / 2 ? 1 : 0;
  return `M${point(centre, radius, angle(from))}A${radius} ${radius} 0 ${large} 1 ${point(centre, radius, angle(shown))}`;
}

export function stroke(centre: number, inner: number, outer: number, at: number): string {
  return `M${point(centre, inner, angle(at))}L${point(centre, outer, angle(at))}`;
}
