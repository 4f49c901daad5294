/** RFC 6902: a list of operations that turns one document into another. Documents are never changed in place, so a
 * thousand states of a stream share what did not change between them. */

export interface Operation {
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  /** RFC 6901. */
  path: string;
  from?: string;
  value?: unknown;
}

/** What does not fit the document: then the state is asked for whole. */
export class PatchMismatch extends Error {}

/** RFC 6901: `/a~1b/0` → `['a/b', '0']`. */
export function parts(pointer: string): string[] {
  if (pointer === '') return [];
  return pointer.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

export function pointer(names: readonly (string | number)[]): string {
  return names.map((name) => `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function apply(document: unknown, patch: readonly Operation[]): unknown {
  return patch.reduce<unknown>((before, operation) => one(before, operation), document);
}

/** The patch that turns what `patch` makes of `before` into `before` again. */
export function invert(before: unknown, patch: readonly Operation[]): Operation[] {
  const back: Operation[] = [];
  let document = before;
  for (const operation of patch) {
    back.unshift(...opposite(document, operation));
    document = one(document, operation);
  }
  return back;
}

function opposite(document: unknown, operation: Operation): Operation[] {
  const { op, path } = operation;
  if (op === 'test') return [];
  if (op === 'remove') return [{ op: 'add', path, value: at(document, path) }];
  if (op === 'replace') return [{ op: 'replace', path, value: at(document, path) }];
  const undone = op === 'move' ? [{ op: 'add' as const, path: operation.from ?? '', value: at(document, operation.from ?? '') }] : [];
  const rest = op === 'move' ? one(document, { op: 'remove', path: operation.from ?? '' }) : document;
  return [...taken(rest, path), ...undone];
}

/** Takes away what an `add` to `path` puts into the document. */
function taken(document: unknown, path: string): Operation[] {
  const names = parts(path);
  const last = names.pop();
  if (last === undefined) return [{ op: 'replace', path: '', value: document }];
  const parent = at(document, pointer(names));
  if (Array.isArray(parent)) return [{ op: 'remove', path: pointer([...names, last === '-' ? parent.length : last]) }];
  const held = isObject(parent) && Object.hasOwn(parent, last);
  return held ? [{ op: 'replace', path, value: parent[last] }] : [{ op: 'remove', path }];
}

function one(document: unknown, operation: Operation): unknown {
  switch (operation.op) {
    case 'add':
      return put(document, parts(operation.path), operation.value, true);
    case 'replace':
      return put(document, parts(operation.path), operation.value, false);
    case 'remove':
      return without(document, parts(operation.path));
    case 'copy':
      return put(document, parts(operation.path), at(document, operation.from ?? ''), true);
    case 'move': {
      const value = at(document, operation.from ?? '');
      return put(without(document, parts(operation.from ?? '')), parts(operation.path), value, true);
    }
    case 'test':
      if (same(at(document, operation.path), operation.value)) return document;
      throw new PatchMismatch(`another value than the tested one is at ${operation.path}`);
  }
}

/** What a pointer names. */
export function at(document: unknown, path: string): unknown {
  return parts(path).reduce<unknown>((held, name) => child(held, name, path), document);
}

function child(held: unknown, name: string, path: string): unknown {
  if (Array.isArray(held) && Number(name) < held.length && /^\d+$/.test(name)) return held[Number(name)];
  if (isObject(held) && Object.hasOwn(held, name)) return held[name];
  throw new PatchMismatch(`the state has nothing at ${path}`);
}

function put(document: unknown, names: readonly string[], value: unknown, isNew: boolean): unknown {
  const [name, ...rest] = names;
  if (name === undefined) return value;
  if (Array.isArray(document)) {
    const index = name === '-' ? document.length : Number(name);
    if (!Number.isInteger(index) || index < 0 || index > document.length) throw new PatchMismatch(`no place ${name} in a list of ${document.length}`);
    if (rest.length === 0 && isNew) return document.toSpliced(index, 0, value);
    if (index >= document.length) throw new PatchMismatch(`no place ${name} in a list of ${document.length}`);
    return document.with(index, put(document[index], rest, value, isNew));
  }
  if (!isObject(document)) throw new PatchMismatch(`nothing can be put at ${name} of a plain value`);
  if (rest.length > 0 && !Object.hasOwn(document, name)) throw new PatchMismatch(`the state has no ${name}`);
  return { ...document, [name]: rest.length === 0 ? value : put(document[name], rest, value, isNew) };
}

function without(document: unknown, names: readonly string[]): unknown {
  const [name, ...rest] = names;
  if (name === undefined) return null;
  const held = child(document, name, name);
  if (Array.isArray(document)) {
    return rest.length === 0 ? document.toSpliced(Number(name), 1) : document.with(Number(name), without(held, rest));
  }
  const object = document as Record<string, unknown>;
  if (rest.length > 0) return { ...object, [name]: without(held, rest) };
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Equal as JSON: the order of names says nothing. */
export function same(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) return Array.isArray(right) && left.length === right.length && left.every((one, index) => same(one, right[index]));
  if (!isObject(left) || !isObject(right)) return false;
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => Object.hasOwn(right, name) && same(left[name], right[name]));
}
