/** A history that is supposed: what is left out, what is put in, what is said instead. */

export interface Added {
  type: string;
  /** As it was typed: JSON. */
  data: string;
  /** The number of the event behind which it comes; empty for the end. */
  after: string;
}

export interface Instead {
  id: string;
  data: string;
}

export interface Supposition {
  without: string[];
  added: Added[];
  instead: Instead[];
}

export interface Supposed {
  without: string[];
  with: { type: string; data: unknown; after?: number }[];
  instead: Record<string, unknown>;
  until?: number;
}

/** What keeps a text from being a JSON object; empty when nothing does. */
export function jsonTrouble(typed: string): string {
  try {
    const value: unknown = JSON.parse(typed);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? '' : 'the data of an event is an object: { … }';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function isEmpty(one: Supposition): boolean {
  return one.without.length === 0 && one.added.every((event) => !event.type.trim()) && one.instead.length === 0;
}

/** The first thing that keeps it from being asked; empty when nothing does. */
export function suppositionTrouble(one: Supposition): string {
  for (const event of one.added) {
    if (!event.type.trim()) return 'an event that is added needs a type';
    const trouble = jsonTrouble(event.data);
    if (trouble) return `${event.type}: ${trouble}`;
    if (event.after && !/^\d+$/.test(event.after)) return `${event.type}: behind which event, as a number`;
  }
  for (const event of one.instead) {
    const trouble = jsonTrouble(event.data);
    if (trouble) return `${event.id}: ${trouble}`;
  }
  return isEmpty(one) ? 'leave something out, add an event, or change one' : '';
}

/** As `POST …/whatif` takes it; `until` is a position in the log. */
export function supposedOf(one: Supposition, until: number | null): Supposed {
  return {
    without: one.without,
    with: one.added.map(({ type, data, after }) => ({ type: type.trim(), data: JSON.parse(data) as unknown, ...(after ? { after: Number(after) } : {}) })),
    instead: Object.fromEntries(one.instead.map(({ id, data }) => [id, JSON.parse(data) as unknown])),
    ...(until === null ? {} : { until }),
  };
}

/** One breakpoint a line; one that is off begins with `!`, with which no condition can begin. */
export interface Breakpoint {
  condition: string;
  isOn: boolean;
}

export function breakpointsOf(text: string): Breakpoint[] {
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean);
  return lines.map((line) => ({ condition: line.replace(/^!\s*/, ''), isOn: !line.startsWith('!') }));
}

export function breakpointText(breakpoints: readonly Breakpoint[]): string {
  return breakpoints.map((one) => `${one.isOn ? '' : '!'}${one.condition.replaceAll('\n', ' ')}`).join('\n');
}
