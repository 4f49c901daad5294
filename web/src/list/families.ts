/** What the feed's switches leave out. */
import type { Family, Row } from '../fold/row';

export interface Switch {
  name: string;
  title: string;
  family: Family;
  families: readonly Family[];
}

export const SWITCHES: readonly Switch[] = [
  { name: 'turns', title: 'Turns', family: 'turn', families: ['turn', 'answer'] },
  { name: 'tools', title: 'Tools', family: 'tool', families: ['tool', 'agent', 'system'] },
  { name: 'failures', title: 'Failures', family: 'fail', families: ['fail'] },
  { name: 'markers', title: 'Markers', family: 'marker', families: ['marker', 'done'] },
  { name: 'reactions', title: 'Reactions', family: 'reaction', families: ['reaction'] },
];

/** A call is told once, by its end when it has one; what telemetry measures is on the Events page. */
export function told(rows: readonly Row[]): Row[] {
  const ended = new Set(rows.filter((row) => row.call && !row.begins).map((row) => row.call));
  // What an agent says last is its answer, which is told by its stop.
  const answered = new Set(rows.filter((row) => row.type.endsWith('.stop')).map((row) => `${row.subject} ${row.detail}`));
  return rows.filter((row) => {
    if (row.type.endsWith('.message_display') && answered.has(`${row.subject} ${row.detail}`)) return false;
    if (row.begins && ended.has(row.call)) return false;
    return !(row.type.startsWith('claude_code.') && row.family === 'system') && !row.type.endsWith('.post_tool_batch');
  });
}

/** A question to a person is never left out. */
export function shown(rows: readonly Row[], hidden: readonly string[], wanted: string): Row[] {
  const without = new Set(SWITCHES.filter((one) => hidden.includes(one.name)).flatMap((one) => one.families));
  const needle = wanted.trim().toLowerCase();
  if (without.size === 0 && !needle) return rows as Row[];
  return rows.filter((row) => {
    if (without.has(row.family)) return false;
    if (!needle) return true;
    return `${row.type} ${row.verb} ${row.code} ${row.detail} ${row.place} ${row.subject}`.toLowerCase().includes(needle);
  });
}
