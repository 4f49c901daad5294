/** Server-sent events over `fetch`: unlike a browser's EventSource it can carry a token. WHATWG HTML, section 9.2. */

export interface Message {
  event: string;
  data: string;
}

/** Cuts a stream of text into messages; what is not whole yet waits. */
export class MessageReader {
  #rest = '';

  read(text: string): Message[] {
    const whole = this.#rest + text;
    const blocks = whole.split(/\r?\n\r?\n/);
    this.#rest = blocks.pop() ?? '';
    return blocks.map(message).filter((one) => one.data !== '');
  }
}

function message(block: string): Message {
  const found: Message = { event: 'message', data: '' };
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') found.event = value;
    if (name === 'data') data.push(value);
  }
  found.data = data.join('\n');
  return found;
}

/** Reads until the server or the signal ends it; ends with an error or when the server ends the answer. */
export async function follow(answer: Response, take: (message: Message) => void): Promise<void> {
  if (!answer.body) return;
  const reader = new MessageReader();
  const text = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await text.read();
    if (done) return;
    for (const one of reader.read(value)) take(one);
  }
}
