/** The server's token, where it asks for one. It is kept for this browser tab alone. */

const NAME = 'tacho-token';

class Access {
  /** The server refused what was sent, or that nothing was. */
  isNeeded = $state(false);
  wasWrong = $state(false);
  #token = '';

  constructor() {
    try {
      this.#token = sessionStorage.getItem(NAME) ?? '';
    } catch {
      this.#token = '';
    }
  }

  get headers(): Record<string, string> {
    return this.#token ? { authorization: `Bearer ${this.#token}` } : {};
  }

  refused(): void {
    this.wasWrong = this.#token !== '';
    this.isNeeded = true;
  }

  give(token: string): void {
    this.#token = token.trim();
    this.isNeeded = false;
    try {
      sessionStorage.setItem(NAME, this.#token);
    } catch {
      return;
    }
  }
}

export const access = new Access();
