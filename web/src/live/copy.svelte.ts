/** Copies to the clipboard, and says so for a moment. */
class Copied {
  what = $state('');

  async copy(text: string, what = text): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.say(`Copied ${what}`);
    } catch {
      this.say('The browser did not let this page copy: select the text instead');
    }
  }

  say(what: string): void {
    this.what = what;
    setTimeout(() => {
      if (this.what === what) this.what = '';
    }, 2_500);
  }
}

export const copied = new Copied();
