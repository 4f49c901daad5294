import type { PageName } from '../live/place.svelte';
import type { IconName } from './shapes';

export interface PageLink {
  page: PageName;
  href: string;
  name: string;
  icon: IconName;
  key: string;
}

export const PAGE_LINKS: readonly (readonly PageLink[])[] = [
  [
    { page: 'live', href: '/', name: 'Live', icon: 'live', key: 'l' },
    { page: 'sessions', href: '/sessions', name: 'Sessions', icon: 'sessions', key: 's' },
    { page: 'events', href: '/events', name: 'Events', icon: 'events', key: 'e' },
  ],
  [
    { page: 'rewind', href: '/rewind', name: 'Rewind', icon: 'rewind', key: 'w' },
    { page: 'debugger', href: '/debugger', name: 'Debugger', icon: 'debugger', key: 'd' },
    { page: 'orchestrations', href: '/orchestrations', name: 'Orchestrations', icon: 'orchestrations', key: 'o' },
    { page: 'profile', href: '/profile', name: 'Profile', icon: 'profile', key: 'p' },
  ],
  [
    { page: 'handlers', href: '/handlers', name: 'Handlers', icon: 'handlers', key: 'h' },
    { page: 'dead-letters', href: '/dead-letters', name: 'Dead letters', icon: 'dead', key: 'x' },
  ],
  [
    { page: 'cost', href: '/cost', name: 'Cost', icon: 'cost', key: 'c' },
    { page: 'alerts', href: '/alerts', name: 'Alerts', icon: 'alerts', key: 'n' },
  ],
];
