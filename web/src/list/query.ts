/** The query language of the Events page: `type:claude.* since:2h words`, the same conditions as on the command line. */

/** As the server names them; each may be given once, `type` often. */
export const CONDITIONS = ['type', 'stream', 'session', 'agent', 'actor', 'phase', 'correlation', 'trace', 'id', 'since', 'until', 'where'] as const;

/** Not of the server: calls that took at least so many milliseconds. */
const MIN = 'min';

/** What a reader typed, as parameters; what is no condition is searched for as text. */
export function parse(typed: string): URLSearchParams {
  const found = new URLSearchParams();
  const words: string[] = [];
  for (const [whole, name = '', quoted, plain] of typed.matchAll(/(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/g)) {
    const value = quoted ?? plain ?? '';
    if (name === MIN || (CONDITIONS as readonly string[]).includes(name)) found.append(name, value);
    else words.push(name ? whole : value);
  }
  if (words.length > 0) found.set('search', words.join(' '));
  return found;
}

/** The same, to be typed. */
export function format(query: URLSearchParams): string {
  const parts: string[] = [];
  for (const name of [...CONDITIONS, MIN]) {
    for (const value of query.getAll(name)) parts.push(`${name}:${/\s/.test(value) ? `"${value}"` : value}`);
  }
  const search = query.get('search');
  if (search) parts.push(search);
  return parts.join(' ');
}

/** What the server is asked. */
export function conditions(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams();
  for (const name of [...CONDITIONS, 'search']) {
    if (name === 'where') continue;
    for (const value of query.getAll(name)) asked.append(name, value);
  }
  const least = Number(query.get(MIN) ?? '');
  const where = [query.get('where') ?? '', least > 0 ? `(.data.duration_ms // 0 | tonumber) >= ${least}` : ''].filter(Boolean);
  if (where.length > 0) asked.set('where', where.map((one) => (where.length > 1 ? `(${one})` : one)).join(' and '));
  return asked;
}

/** The command that answers the same. */
export function command(query: URLSearchParams): string {
  const quote = (value: string): string => (/^[\w./:@%+-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);
  const flags = [...conditions(query)].map(([name, value]) => `--${name} ${quote(value)}`);
  return ['tacho events', ...flags].join(' ');
}
