/** How numbers are written everywhere: no data is a dash, never a zero. */

export const NONE = '–';

/** `42 ms`, `2.6 s`, `6:10`, `4 h 15 min`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return NONE;
  const value = Math.max(0, ms);
  if (value < 1_000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${(Math.floor(value / 100) / 10).toFixed(1)} s`;
  if (value < 3_600_000) return clock(value);
  const minutes = Math.round(value / 60_000);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `0:08`, `18:04`, `1:02:03`: what runs on while it is read. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** `just now`, `4 min ago`, `2 h ago`, `3 days ago`. */
export function ago(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return `${Math.floor(minutes / 1440)} days ago`;
}

export function money(usd: number | null | undefined, places = 2): string {
  if (usd === null || usd === undefined) return NONE;
  const digits = usd !== 0 && Math.abs(usd) < 0.005 && places === 2 ? 4 : places;
  return `$${usd.toFixed(digits)}`;
}

/** `940`, `12.4k`, `3.1M`. */
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (value < 10_000) return value.toLocaleString('en-US');
  if (value < 1_000_000) return `${(value / 1_000).toFixed(1)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
}

export function whole(value: number): string {
  return value.toLocaleString('en-US');
}

export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined) return NONE;
  const value = share * 100;
  return value > 0 && value < 10 ? value.toFixed(1) : value.toFixed(0);
}

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

export function timeOfDay(at: number): string {
  return TIME.format(at);
}

export function exactTime(at: number): string {
  return `${TIME.format(at)}.${String(Math.floor(at) % 1_000).padStart(3, '0')}`;
}

/** With the day when it is not today. */
export function moment(at: number, now: number): string {
  const isToday = new Date(at).toDateString() === new Date(now).toDateString();
  return isToday ? TIME.format(at) : `${DAY.format(at)} ${TIME.format(at)}`;
}

export function day(at: number): string {
  return DAY.format(at);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${whole(value)} ${value === 1 ? one : many}`;
}
