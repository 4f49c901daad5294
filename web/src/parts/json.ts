/** JSON as coloured pieces. */

export interface Piece {
  text: string;
  kind: 'plain' | 'name' | 'text' | 'value';
}

/** Longer strings are cut in the drawing; copying takes the whole. */
const LONGEST = 2_000;

export function pieces(value: unknown): Piece[] {
  const pretty = JSON.stringify(value, (_, one: unknown) => (typeof one === 'string' && one.length > LONGEST ? `${one.slice(0, LONGEST)}…` : one), 2) ?? '';
  const found: Piece[] = [];
  const token = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  let last = 0;
  for (const match of pretty.matchAll(token)) {
    if (match.index > last) found.push({ text: pretty.slice(last, match.index), kind: 'plain' });
    if (match[1]) {
      found.push({ text: match[1], kind: match[2] ? 'name' : 'text' });
      if (match[2]) found.push({ text: match[2], kind: 'plain' });
    } else found.push({ text: match[0], kind: 'value' });
    last = match.index + match[0].length;
  }
  found.push({ text: pretty.slice(last), kind: 'plain' });
  return found;
}
