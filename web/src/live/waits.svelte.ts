/** What a person does about what waits; the event that it becomes takes it off the list everywhere. */
import type { Waiter } from '../fold/cards';
import { type Call, literal } from '../fold/call';
import { post } from './api';
import { copied } from './copy.svelte';
import { key, type Key } from './keys.svelte';

/** What a deed is about. */
export type Asked = Pick<Waiter, 'id' | 'isTask' | 'seenBy' | 'who' | 'command'>;

export function askedOf(agent: string, call: Call): Asked {
  return { id: call.askId, isTask: false, seenBy: call.seenBy, who: agent, command: literal(call.tool, call.input) };
}

const DONE = { acknowledge: 'is acknowledged', answer: 'is answered', resolve: 'is resolved' };

class Waits {
  /** What is being answered. */
  answering = $state.raw<Asked | null>(null);

  async record(asked: Asked, deed: keyof typeof DONE, said: Record<string, string> = {}): Promise<boolean> {
    try {
      await post(`/api/waits/${encodeURIComponent(asked.id)}/${deed}`, said);
      copied.say(`${asked.who} ${DONE[deed]}`);
      return true;
    } catch (error) {
      copied.say(error instanceof Error ? error.message : String(error));
      return false;
    }
  }

  /** The keys of a page on which something may wait. */
  keys(first: () => Asked | undefined): Key[] {
    const on = (run: (asked: Asked) => void) => () => {
      const asked = first();
      if (asked?.id) run(asked);
    };
    return [
      key('a', 'acknowledge', on((asked) => void (asked.seenBy || this.record(asked, 'acknowledge'))), true),
      key('r', 'answer', on((asked) => asked.isTask && (this.answering = asked)), true),
      key('d', 'resolve', on((asked) => void this.record(asked, 'resolve')), true),
    ];
  }
}

export const waits = new Waits();
