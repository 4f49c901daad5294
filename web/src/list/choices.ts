/** What the command palette offers for what was typed. */
import { groups } from '../fold/cards';
import { shortPath, streamPath } from '../fold/event';
import { type Fleet, taskOf } from '../fold/fleet';
import type { Family, Row } from '../fold/row';
import { ago, clock } from '../fold/wording';
import { PAGE_LINKS } from '../parts/pages';
import type { IconName } from '../parts/shapes';

/** Of each kind, at most. */
const MOST = 6;

export interface Choice {
  key: string;
  kind: 'Agents' | 'Sessions' | 'Streams' | 'Events' | 'Pages' | 'Commands';
  text: string;
  hint: string;
  href: string;
  family?: Family;
  icon?: IconName;
  command?: 'theme';
}

export function choices(asked: string, fleet: Fleet, rows: readonly Row[], streams: readonly string[], now: number): Choice[] {
  const prefix = /^[>#@]/.exec(asked)?.[0] ?? '';
  const wanted = asked.replace(/^[>#@]\s*/, '').trim();
  const found = prefix === '#' ? position(wanted) : [
    ...(prefix === '>' ? [] : agents(fleet, now)),
    ...(prefix === '' && wanted ? [...sessions(fleet, now), ...inStreams(streams), ...events(rows)] : []),
    ...(prefix === '@' ? [] : [...pages(), ...commands(wanted)]),
  ];
  const needle = wanted.toLowerCase();
  const counted = new Map<string, number>();
  return found.filter((choice) => {
    const isHit = prefix === '#' || choice.key.startsWith('search') || `${choice.text} ${choice.hint}`.toLowerCase().includes(needle);
    const before = counted.get(choice.kind) ?? 0;
    if (!isHit || before >= (choice.kind === 'Pages' || choice.kind === 'Commands' ? 12 : MOST)) return false;
    counted.set(choice.kind, before + 1);
    return true;
  });
}

function position(wanted: string): Choice[] {
  const at = Number(wanted.replaceAll(',', ''));
  if (!Number.isInteger(at) || at < 1) return [];
  return [{ key: 'position', kind: 'Events', text: `Event #${at}`, hint: 'by position', href: `/events?at=${at}`, icon: 'events' }];
}

function agents(fleet: Fleet, now: number): Choice[] {
  return groups(fleet, now).flatMap((group) =>
    group.cards.map((card): Choice => ({
      key: `agent ${card.key}`,
      kind: 'Agents',
      text: `${card.name} · ${card.task}`,
      hint: `${card.state === 'waits' ? 'waits' : card.state} ${clock(now - (card.callSince ?? card.since))} · ${group.name}`,
      href: card.href,
      family: card.state === 'waits' ? 'ask' : 'agent',
    })),
  );
}

function sessions(fleet: Fleet, now: number): Choice[] {
  const newest = [...fleet.sessions.values()].sort((left, right) => right.lastAt - left.lastAt);
  return newest.map((session): Choice => ({
    key: `session ${session.id}`,
    kind: 'Sessions',
    text: `${session.id.slice(0, 8)} · ${taskOf(session) || session.agent}`,
    hint: `${shortPath(session.cwd)} · ${ago(now - session.lastAt)}`,
    href: `/session/${session.id}`,
    icon: 'sessions',
  }));
}

function inStreams(streams: readonly string[]): Choice[] {
  return streams
    .filter((stream) => !stream.startsWith('session/'))
    .flatMap((stream): Choice[] => [
      { key: `past ${stream}`, kind: 'Streams', text: stream, hint: 'rewind', href: `/rewind/${streamPath(stream)}`, icon: 'rewind' },
      { key: `stream ${stream}`, kind: 'Streams', text: stream, hint: 'its events', href: `/events?stream=${encodeURIComponent(stream)}`, icon: 'events' },
    ]);
}

function events(rows: readonly Row[]): Choice[] {
  return rows.slice(0, 2_000).map((row): Choice => ({
    key: `event ${row.position}`,
    kind: 'Events',
    text: [row.verb, row.code, row.detail].filter(Boolean).join(' '),
    hint: `#${row.position} · ${row.place}`,
    href: `/events?at=${row.position}`,
    family: row.family,
  }));
}

function pages(): Choice[] {
  return PAGE_LINKS.flat().map((link): Choice => ({
    key: `page ${link.page}`,
    kind: 'Pages',
    text: link.name,
    hint: `g ${link.key}`,
    href: link.href,
    icon: link.icon,
  }));
}

function commands(wanted: string): Choice[] {
  const theme: Choice = { key: 'theme', kind: 'Commands', text: 'Switch theme', hint: 't', href: '', icon: 'theme', command: 'theme' };
  if (!wanted) return [theme];
  const asked = encodeURIComponent(wanted);
  return [
    { key: 'search all', kind: 'Commands', text: `Search all events for “${wanted}”`, hint: `tacho events --search ${wanted}`, href: `/events?search=${asked}`, icon: 'search' },
    { key: 'search live', kind: 'Commands', text: `Show only “${wanted}” in the feed`, hint: 'filter', href: `/?filter=${asked}`, icon: 'filter' },
    theme,
  ];
}
