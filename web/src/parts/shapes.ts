/** Drawings of 16 by 16, for controls and pages. */
export const ICONS = {
  live: 'M1.5 8h3l2-5 3 10 2-5h3',
  sessions: 'M2 4h7M5.5 8H14M3.5 12h6.5',
  events: 'M5.5 4H14M5.5 8H14M5.5 12H14M2.3 4h.01M2.3 8h.01M2.3 12h.01',
  delivery: 'M9 2 3.5 9H8l-1 5 5.5-7H8z',
  cost: 'M2 14h12M3.5 11.5V9M7 11.5v-7M10.5 11.5v-5M14 11.5V3',
  alerts: 'M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4zM6.5 13.8h3',
  search: 'M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM10.5 10.5 14 14',
  theme: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11',
  terminal: 'M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10h3',
  branch: 'M6.1 3.5a1.6 1.6 0 1 1-3.2 0 1.6 1.6 0 0 1 3.2 0zM6.1 12.5a1.6 1.6 0 1 1-3.2 0 1.6 1.6 0 0 1 3.2 0zM13.1 5.5a1.6 1.6 0 1 1-3.2 0 1.6 1.6 0 0 1 3.2 0zM4.5 5.1v5.8M11.5 7.1c0 2.4-4 2-6.4 3.9',
  play: 'M5 3.2 12.5 8 5 12.8z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  cross: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.5 6.5 12 13 4.5',
  up: 'M8 3.5l5.5 9h-11z',
  dash: 'M4 8h8',
  retry: 'M13.5 3v3.5H10M13.2 6.5a5.6 5.6 0 1 0 .2 3',
  filter: 'M2 4h12M4.5 8h7M7 12h2',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  right: 'M6 3.5 10.5 8 6 12.5',
  down: 'M3.5 6 8 10.5 12.5 6',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  link: 'M6.5 9.5a2.8 2.8 0 0 0 4 0l2.2-2.2a2.8 2.8 0 0 0-4-4l-.9.9M9.5 6.5a2.8 2.8 0 0 0-4 0L3.3 8.7a2.8 2.8 0 0 0 4 4l.9-.9',
  save: 'M8 2.5v7M5 7l3 3 3-3M2.5 13.5h11',
  switchClosed: 'M1.5 8h13M6.2 8a1.2 1.2 0 1 1-2.4 0 1.2 1.2 0 0 1 2.4 0zM12.2 8a1.2 1.2 0 1 1-2.4 0 1.2 1.2 0 0 1 2.4 0z',
  switchOpen: 'M1.5 8H5l5-4.5M11 8h3.5',
  switchHalf: 'M1.5 8H5l6-2.2M11 8h3.5',
} as const;

export type IconName = keyof typeof ICONS;

/** Drawings of 12 by 12: the glyph of a family says what its colour says. */
export const GLYPHS = {
  turn: 'M4 2.5 8 6 4 9.5',
  answer: 'M2.5 2v4.5H9M6.5 4 9.2 6.5 6.5 9',
  tool: 'M2.5 2.5h7v7h-7z',
  agent: 'M6 1.5 10.5 6 6 10.5 1.5 6z',
  ask: 'M4 2.5v7M8 2.5v7',
  fail: 'M3 3l6 6M9 3 3 9',
  done: 'M2.2 6.5l2.6 2.6L9.8 3.5',
  marker: 'M4.5 1.8l-1 8.4M8.5 1.8l-1 8.4M2 4.3h8M1.8 7.7h8',
  reaction: 'M6.8 1.5l-4 5.2H6l-.8 3.8 4-5.2H6z',
  system: 'M7.3 6a1.3 1.3 0 1 1-2.6 0 1.3 1.3 0 0 1 2.6 0z',
} as const;
