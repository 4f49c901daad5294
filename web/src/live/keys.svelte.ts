/** The keyboard: what each key does on the page in view. Single keys are off while a field has the focus. */

export interface Key {
  /** As `KeyboardEvent.key`; several may do the same. */
  keys: readonly string[];
  /** As it is drawn. */
  shown: readonly string[];
  does: string;
  run: (key: string) => void;
  /** Left out of the status bar, which has little room. */
  quiet?: boolean;
}

export function key(shown: string, does: string, run: (key: string) => void, quiet = false): Key {
  const drawn = shown.split(' ');
  const named = drawn.map((name) => ({ '↵': 'Enter', space: ' ', esc: 'Escape', '−': '-' })[name] ?? name);
  return { keys: named, shown: drawn, does, run, quiet };
}

/** Where `g` and a letter lead. */
export const GOES: Record<string, { href: string; name: string }> = {
  l: { href: '/', name: 'Live' },
  s: { href: '/sessions', name: 'Sessions' },
  e: { href: '/events', name: 'Events' },
  w: { href: '/rewind', name: 'Rewind' },
  d: { href: '/debugger', name: 'Debugger' },
  o: { href: '/orchestrations', name: 'Orchestrations' },
  p: { href: '/profile', name: 'Profile' },
  h: { href: '/handlers', name: 'Handlers' },
  x: { href: '/dead-letters', name: 'Dead letters' },
  c: { href: '/cost', name: 'Cost' },
  n: { href: '/alerts', name: 'Alerts' },
};

class Keyboard {
  /** Of the page in view. */
  page = $state.raw<readonly Key[]>([]);
  everywhere: readonly Key[] = [];
  single = $state(true);
  #going = 0;
  go: (href: string) => void = () => undefined;

  start(): void {
    addEventListener('keydown', (event) => this.#press(event));
  }

  #press(event: KeyboardEvent): void {
    if (event.altKey || event.isComposing) return;
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      this.everywhere.find((known) => known.keys.includes('k'))?.run('k');
      return;
    }
    if (event.metaKey || event.ctrlKey || !this.single || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    if (this.#going > Date.now()) {
      this.#going = 0;
      const goal = GOES[event.key];
      if (goal) {
        event.preventDefault();
        this.go(goal.href);
        return;
      }
    }
    if (event.key === 'g') {
      this.#going = Date.now() + 1_500;
      return;
    }
    if ((event.key === 'Enter' || event.key === ' ') && isControl(event.target)) return;
    const found = [...this.page, ...this.everywhere].find((known) => known.keys.includes(event.key) && known.shown[0] !== 'Ctrl K');
    if (!found) return;
    event.preventDefault();
    found.run(event.key);
  }
}

function isTyping(target: EventTarget | null): boolean {
  // For a frame, the field of a dialog that was just closed still has the focus.
  if (target instanceof Element && target.closest('dialog:not([open])')) return false;
  return target instanceof HTMLElement && (target.matches('input, textarea, select') || target.isContentEditable);
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('button, a, [role="option"], summary');
}

export const keyboard = new Keyboard();
