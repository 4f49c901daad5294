// Rewind, Debugger, Orchestrations and Profile: both themes, phone, keyboard, dragging. The doors answer as their contract says.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { holds, openBrowser, openPage, PHONE } from './browser.mjs';
import { FAILED, PAST } from './past.mjs';
import { mockPast } from './past-doors.mjs';
import { startServer, until } from './server.mjs';
import { append } from './story.mjs';

let server;
let browser;
const REWIND = `/rewind/${FAILED}`;
const DEBUGGER = `/debugger/${FAILED}`;

before(async () => {
  server = await startServer();
  browser = await openBrowser();
  await append(server.url, PAST);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  server?.remove();
});

const open = (path, more = {}) => openPage(browser, server, path, { mock: mockPast, ...more });
const queryOf = (page) => new URL(page.url()).searchParams;
const said = (page) => page.getByRole('slider', { name: 'Moment' }).getAttribute('aria-valuetext');
const cell = (page, field) => page.locator('.tree tbody tr', { has: page.getByText(field, { exact: true }) }).first();

const PAGES = {
  'rewind-streams': ['/rewind', '.of-streams tbody tr'],
  'rewind-compare': [`${REWIND}?a=29&b=47`, '.tree .added'],
  'rewind-moment': [`${REWIND}?b=44`, '.cause-row[aria-current]'],
  'rewind-patch': [`${REWIND}?a=29&b=47&view=patch`, '.state-pane .json'],
  debugger: [`${DEBUGGER}?b=44&break=${encodeURIComponent('.state.errors | length > 0')}`, '.tree .changed'],
  'debugger-what-if': [`${DEBUGGER}?b=47&tab=whatif&without=*Failed`, '.what-if'],
  'debugger-divergence': [`${DEBUGGER}?tab=divergence&other=issue/SHOP-42`, '.divergence .part'],
  orchestrations: ['/orchestrations', '.of-orchestrations tbody tr'],
  orchestration: ['/orchestrations/PROJ-123', '.why .chain li'],
  profile: [`/profile/${FAILED}`, '.flake'],
};
for (const [name, [path, content]] of Object.entries(PAGES)) {
  for (const [look, options] of Object.entries({ dark: {}, light: { theme: 'light' }, phone: { size: PHONE } })) {
    test(`${name}, ${look}`, async () => {
      const page = await open(path, options);
      await page.locator(content).first().waitFor();
      await holds(page, `${name}-${look}`);
      await page.context().close();
    });
  }
}

test('by keyboard: events, failures, ends, A, B and comparing; the URL tells all of it', async () => {
  const page = await open('/');
  await page.keyboard.press('g');
  await page.keyboard.press('w');
  await page.getByLabel('Which stream').fill('proj');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${REWIND}`);
  await page.locator('.tree tbody tr').first().waitFor();
  assert.match(await said(page), /^Event 64 of 64, .*OrchestrationFailed/);
  await page.keyboard.press('h');
  await page.keyboard.press('h');
  assert.equal(queryOf(page).get('b'), '62');
  await page.keyboard.press('N');
  await until(async () => /PhaseFailed|AgentFailed/.test(await said(page)));
  await page.keyboard.press('Home');
  assert.match(await said(page), /^Event 1 of 64/);
  await page.keyboard.press('n');
  assert.match(await said(page), /^Event 44 of 64, .*TestRunFailed/);
  await page.keyboard.press('a');
  await page.keyboard.press('l');
  await page.keyboard.press('l');
  assert.deepEqual(['a', 'b'].map((name) => queryOf(page).get(name)), ['44', '46']);
  assert.match(await cell(page, 'failed_agents').innerText(), /~[\s\S]*0\s+1/);
  await page.keyboard.press('b');
  assert.deepEqual(['a', 'b'].map((name) => queryOf(page).get(name)), ['46', '44']);
  await page.keyboard.press('c');
  assert.equal(queryOf(page).get('a'), null);
  await page.reload();
  await page.locator('.tree tbody tr').first().waitFor();
  assert.match(await said(page), /^Event 44 of 64/);
  await page.context().close();
});

test('the scrubber is a slider: arrows, pages, ends', async () => {
  const page = await open(`${REWIND}?b=30`);
  const slider = page.getByRole('slider', { name: 'Moment' });
  await slider.focus();
  const steps = [['ArrowRight', 31], ['ArrowLeft', 30], ['PageDown', 24], ['PageUp', 30], ['Home', 1], ['ArrowLeft', 1], ['End', 64], ['ArrowRight', 64]];
  for (const [pressed, expected] of steps) {
    await page.keyboard.press(pressed);
    assert.equal(await slider.getAttribute('aria-valuenow'), String(expected), pressed);
  }
  await page.context().close();
});

test('a dragged needle shows each state within 50 ms, and asks for none of them', async () => {
  const page = await open(`${REWIND}?b=5`);
  await page.locator('.near[aria-current]').waitFor();
  const asked = [];
  page.on('request', (request) => /\/api\/state/.test(request.url()) && asked.push(request.url()));
  const times = await page.evaluate(async () => {
    const track = document.querySelector('.track');
    const { left, top, width } = track.getBoundingClientRect();
    const point = (type, x) => track.dispatchEvent(new PointerEvent(type, { clientX: left + x, clientY: top + 100, pointerId: 1, button: 0, buttons: 1, bubbles: true }));
    track.setPointerCapture = () => undefined;
    point('pointerdown', 60);
    const times = [];
    for (let step = 1; step <= 40; step += 1) {
      const begun = performance.now();
      point('pointermove', 60 + ((width - 80) * step) / 40);
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      const shown = document.querySelector('.tree thead th:last-child').textContent;
      const clock = document.querySelector('.moment b').textContent;
      if (!shown.includes(clock)) throw new Error(`the state is of ${shown}, the clock says ${clock}`);
      times.push(performance.now() - begun);
    }
    point('pointerup', width);
    return times.sort((left, right) => left - right);
  });
  assert.match(await said(page), /^Event 6\d of 64/);
  assert.deepEqual(asked, []);
  // The machine may be at work with other things for a moment, not for half of them.
  assert.ok(times[20] < 50, `half of them took longer than ${times[20]} ms`);
  await page.context().close();
});

test('dragged with a real pointer, A and B go where they are put', async () => {
  const page = await open(`${REWIND}?a=29&b=47`);
  await page.locator('.tree .added').first().waitFor();
  const track = await page.locator('.track').boundingBox();
  const tag = await page.locator('.tag-a').boundingBox();
  await page.mouse.move(tag.x + 10, tag.y + 60);
  await page.mouse.down();
  await page.mouse.move(track.x + 30, tag.y + 60, { steps: 5 });
  await page.mouse.up();
  assert.ok(Number(queryOf(page).get('a')) < 6);
  assert.equal(queryOf(page).get('b'), '47');
  await page.mouse.click(track.x + track.width - 14, track.y + 100);
  assert.equal(queryOf(page).get('b'), '64');
  await page.context().close();
});

test('it plays event by event until the end, and stops there', async () => {
  const page = await open(`${REWIND}?b=60`, { mock: async (mocked) => (await mocked.clock.install(), mockPast(mocked)) });
  await page.locator('.tree tbody tr').first().waitFor();
  await page.getByRole('button', { name: 'each' }).click();
  await page.locator('#main').focus().catch(() => undefined);
  await page.getByRole('button', { name: /^Play/ }).click();
  await page.getByRole('button', { name: /^Pause/ }).waitFor();
  await until(async () => {
    await page.clock.runFor(700);
    return /^Event 64/.test(await said(page));
  });
  await page.clock.runFor(700);
  await page.getByRole('button', { name: /^Play/ }).waitFor();
  await page.context().close();
});

test('stop when: the needle goes to the first event at which the condition holds; a bad one is said', async () => {
  const page = await open(`${REWIND}?b=1`);
  await page.locator('.tree tbody tr').first().waitFor();
  await page.keyboard.press('u');
  await page.keyboard.type('.state.errors | length > 0');
  await page.keyboard.press('Enter');
  await page.getByText('It holds after event 45').waitFor();
  assert.match(await said(page), /^Event 45 of 64/);
  await page.getByLabel('Stop when').fill('.state.');
  await page.keyboard.press('Enter');
  await page.getByText('this is not jq').waitFor();
  await page.context().close();
});

test('causes lead to their moments, and a replay is only said', async () => {
  const page = await open(`${REWIND}?b=47`);
  await page.locator('.cause-row', { hasText: 'AgentFailed' }).first().click();
  await until(async () => queryOf(page).get('b') === '46');
  await page.locator('.near', { hasText: 'GapIdentified' }).click();
  assert.equal(queryOf(page).get('b'), '48');
  await page.keyboard.press('r');
  const dialog = page.getByRole('dialog', { name: 'Replay, dry run' });
  await dialog.getByText('would run again').waitFor();
  assert.match(await dialog.innerText(), /are skipped[\s\S]*non replayable event type[\s\S]*Nothing was done/);
  await holds(page, 'replay-dark');
  await page.context().close();
});

test('the debugger runs to the nearest breakpoint, steps over what changes nothing, and keeps both in the URL', async () => {
  const page = await open(`${DEBUGGER}?b=1`);
  await page.locator('.tree tbody tr').first().waitFor();
  await page.keyboard.press('u');
  await page.keyboard.type('.event.type == "PhaseFailed"');
  await page.keyboard.press('Enter');
  await page.getByText('Stopped at event 47').waitFor();
  await page.locator('.breakpoints input.mono').fill('.state.status == "paused"');
  await page.keyboard.press('Enter');
  await until(async () => (queryOf(page).get('break') ?? '').split('\n').length === 2);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Home');
  await page.getByRole('button', { name: /^Run to/ }).click();
  await page.getByText('Stopped at event 28').waitFor();
  await page.reload();
  await page.locator('.breakpoints li').nth(1).waitFor();
  assert.match(await said(page), /^Event 28 of 64/);
  await page.keyboard.press('o');
  assert.match(await said(page), /^Event 29 of 64/);
  await page.context().close();
});

test('what if: left out, changed and added; bad JSON is said before it is asked', async () => {
  const page = await open(`${DEBUGGER}?b=47`);
  await page.locator('.tree tbody tr').first().waitFor();
  await page.keyboard.press('i');
  await page.keyboard.type('*Failed');
  await page.keyboard.press('Enter');
  assert.equal(queryOf(page).get('without'), '*Failed');
  const suppose = page.getByRole('button', { name: 'Suppose it' });
  await suppose.click();
  await page.getByText('55 folded, 9 left out, 0 added').waitFor();
  assert.match(await cell(page, 'status').innerText(), /failed\s+in_progress/);
  await page.getByRole('button', { name: 'Add an event' }).click();
  await page.getByLabel('Type', { exact: true }).fill('GapResolved');
  await page.getByLabel('Data of the event that is added').fill('{"gap_id":');
  await suppose.click();
  await page.getByRole('alert').getByText(/JSON/).waitFor();
  await page.getByLabel('Data of the event that is added').fill('{"gap_id":"gap-auth"}');
  await page.getByLabel('Behind which event').fill('60');
  await suppose.click();
  await page.getByText('55 folded').waitFor({ state: 'detached' });
  await page.getByText('56 folded, 9 left out, 1 added').waitFor();
  assert.match(await cell(page, 'resolved_gaps').innerText(), /1\s+2/);
  await holds(page, 'what-if-filled-dark');
  await page.context().close();
});

test('orchestrations: what failed comes first and says why, and leads to its evidence', async () => {
  const page = await open('/');
  await page.keyboard.press('g');
  await page.keyboard.press('o');
  const rows = page.locator('.of-orchestrations tbody tr');
  await rows.nth(1).waitFor();
  assert.match(await rows.first().innerText(), /PROJ-123[\s\S]*failed[\s\S]*the session store is not there/);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/orchestrations/PROJ-123');
  const why = page.getByRole('region', { name: 'Why it failed' });
  await why.waitFor();
  assert.match(await why.innerText(), /first cause[\s\S]*OrchestrationFailed[\s\S]*The moment before[\s\S]*What was tried[\s\S]*another agent[\s\S]*What to do next[\s\S]*set REDIS_URL/);
  assert.match(await page.getByRole('region', { name: 'Agents' }).innerText(), /test-writer-fixer\s+failed\s+integration tests failed/);
  assert.match(await page.getByRole('region', { name: 'Gaps' }).innerText(), /gap-refresh[\s\S]*resolved[\s\S]*gap-auth[\s\S]*high[\s\S]*open[\s\S]*blocks/);
  assert.match(await page.getByRole('region', { name: 'Commits and pull requests' }).innerText(), /#456\s+open[\s\S]*abc123d12/);
  assert.match(await page.getByRole('region', { name: 'Checks and tests' }).innerText(), /unit\s+passed\s+42\s+0\s+26[\s\S]*integration\s+failed\s+47\s+1\s+58/);
  await why.getByRole('link', { name: /TestRunFailed/ }).first().click();
  await page.waitForURL(`**${REWIND}?b=44`);
  await page.context().close();
});

test('a flame graph is walked and zoomed by keyboard, and its words go along', async () => {
  const page = await open(`/profile/${FAILED}`);
  await page.getByRole('option', { name: /^PROJ-123/ }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await until(async () => /^PLAN/.test((await page.locator(':focus').getAttribute('aria-label')) ?? ''));
  assert.match(await page.locator('.crumbs [role=status]').innerText(), /PLAN 33:30/);
  await page.keyboard.press('Enter');
  await until(async () => queryOf(page).get('zoom') === 'plan');
  assert.equal(await page.locator('.flake').count(), 2);
  await page.keyboard.press('Escape');
  await until(async () => queryOf(page).get('zoom') !== 'plan');
  assert.match(await page.getByRole('region', { name: 'Critical path' }).innerText(), /awaiting a design review wait\s+4 h 15 min/);
  await page.context().close();
});

test('what is not there is said where it would be, with a way out', async () => {
  const missing = { '/rewind/issue/NONE': /no event is on the stream issue\/NONE/, '/profile/issue/NONE': /no event is on the stream/, '/orchestrations/NONE': /no event is on the stream/ };
  for (const [path, words] of Object.entries(missing)) {
    const page = await open(path);
    await page.locator('#main .trouble').waitFor();
    assert.match(await page.locator('#main').innerText(), words);
    await holds(page, `missing-${path.split('/')[1]}`);
    await page.context().close();
  }
  const absent = (mocked) => mocked.route(/\/api\/(state|why|profile|projections)\//, (route) => route.fulfill({ status: 404, json: { code: 'not_found', detail: 'there is no such path' } }));
  for (const path of [REWIND, DEBUGGER, `/profile/${FAILED}`, '/orchestrations']) {
    const page = await open(path, { mock: absent });
    await page.getByText('No data').first().waitFor();
    await holds(page, `absent-${path.split('/')[1]}`);
    await page.context().close();
  }
});
