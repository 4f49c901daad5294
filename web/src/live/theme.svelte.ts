/** Dark or light: as the link says, else as it was chosen here, else as the system is. */
import { place } from './place.svelte';

type Choice = 'dark' | 'light';

function isChoice(value: string | null): value is Choice {
  return value === 'dark' || value === 'light';
}

/** A browser may refuse storage; then a choice lasts as long as the page. */
function stored(): string | null {
  try {
    return localStorage.getItem('theme');
  } catch {
    return null;
  }
}

class Theme {
  chosen = $state<Choice | null>(null);

  start(): void {
    const asked = place.get('theme') || stored();
    if (isChoice(asked)) this.#use(asked);
  }

  switch(): void {
    const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    this.#use((this.chosen ?? system) === 'dark' ? 'light' : 'dark');
    if (place.get('theme')) place.set({ theme: this.chosen });
    try {
      localStorage.setItem('theme', this.chosen ?? '');
    } catch {
      return;
    }
  }

  #use(choice: Choice): void {
    this.chosen = choice;
    document.documentElement.dataset['theme'] = choice;
  }
}

export const theme = new Theme();
