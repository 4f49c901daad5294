/** What a person does to handlers and letters. The server asks for the control token, which a browser gets from `tacho open`. */
import { ask, Refusal } from './api';

class Control {
  /** The server refused, because this browser has no control token. */
  isLocked = $state(false);
  /** Why the last deed was not done. */
  trouble = $state('');

  /** Null when it was not done; then the page says why. */
  async send<T>(path: string, body: unknown = {}): Promise<T | null> {
    try {
      const answer = await ask<T>(path, body);
      [this.isLocked, this.trouble] = [false, ''];
      return answer;
    } catch (error) {
      this.isLocked = error instanceof Refusal && error.isControl;
      this.trouble = this.isLocked ? '' : error instanceof Error ? error.message : String(error);
      return null;
    }
  }

  dismiss(): void {
    [this.isLocked, this.trouble] = [false, ''];
  }
}

export const control = new Control();
