// Each page over a morning's work: in both themes, at phone width, by keyboard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { holds, openBrowser, openPage, PHONE } from './browser.mjs';
import { mockDoors } from './doors.mjs';
import { startServer, until } from './server.mjs';
import { append, CAPTURES, hook, replayHooks, tellMorning } from './story.mjs';

const WAITS = 'b1f0c3e2-0000-4000-8000-000000000001';
let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await openBrowser();
  for (const name of CAPTURES) await replayHooks(server.url, name);
  await tellMorning(server.url);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  server?.remove();
});

const PAGES = {
  live: '/',
  sessions: '/sessions',
  session: `/session/${WAITS}`,
  events: '/events?at=100',
  cost: '/cost',
  alerts: '/alerts',
  handlers: '/handlers?at=notify-webhook',
  'dead-letters': '/dead-letters?at=letter-1',
};
for (const [name, path] of Object.entries(PAGES)) {
  for (const theme of ['dark', 'light']) {
    test(`${name}, ${theme}`, async () => {
      const page = await openPage(browser, server, path, { theme, mock: mockDoors });
      await page.locator('#main :is(table, .agent-card, .event, .step, .day-chart)').first().waitFor();
      await holds(page, `${name}-${theme}`);
      await page.context().close();
    });
  }
  test(`${name}, phone`, async () => {
    const page = await openPage(browser, server, path, { size: PHONE, mock: mockDoors });
    await page.locator('#main :is(table, .agent-card, .event, .step, .day-chart)').first().waitFor();
    await holds(page, `${name}-phone`);
    await page.context().close();
  });
}

test('doors that the server does not have are no data, not an error', async () => {
  for (const path of ['/cost', '/alerts', '/handlers', '/dead-letters']) {
    const page = await openPage(browser, server, path, {
      mock: (mocked) => mocked.route(/\/api\/(metrics|cost|alerts|handlers|dead-letters)/, (route) => route.fulfill({ status: 404, json: { code: 'not_found' } })),
    });
    await page.getByText('No data').first().waitFor();
    await holds(page, `absent-${path.slice(1)}`);
    await page.context().close();
  }
});

test("an hour's numbers are asked for often, the days behind it seldom", async () => {
  const asked = { hour: 0, days: 0 };
  const page = await openPage(browser, server, '/', {
    mock: async (mocked) => {
      await mocked.clock.install();
      mocked.on('request', (request) => {
        if (request.url().includes('/api/metrics')) asked[request.url().includes('trend') ? 'days' : 'hour'] += 1;
      });
    },
  });
  await until(async () => asked.hour === 1 && asked.days === 1);
  const passes = (milliseconds, isSo) =>
    until(async () => {
      await page.clock.runFor(milliseconds);
      return isSo();
    });
  await passes(5_000, () => asked.hour >= 4);
  assert.equal(asked.days, 1);
  await page.clock.fastForward(10 * 60_000);
  await passes(1_000, () => asked.days === 2);
  await page.context().close();
});

test('who waits, on what, for how long, and the way to it', async () => {
  const page = await openPage(browser, server, '/');
  const needs = page.locator('.needs');
  assert.match(await needs.innerText(), /claude-code waits for you[\s\S]*npx prisma migrate deploy/);
  assert.match(await page.title(), /^\(1\) Live/);
  assert.equal(await page.locator('.agent-card').count(), 4);
  assert.match(await page.locator('.agent-card.sub').innerText(), /test-writer-fixer[\s\S]*Add integration tests/);
  assert.match(await page.locator('.agent-card', { hasText: 'Build hello.py' }).innerText(), /Same call failed 3 times/);
  await page.keyboard.press('w');
  await page.waitForURL(`**/session/${WAITS}?call=*`);
  assert.match(await page.locator('.detail').innerText(), /npx prisma migrate deploy/);
  await page.context().close();
});

test('an answer takes the bar away, live', async () => {
  const page = await openPage(browser, server, '/');
  await page.locator('.needs').waitFor();
  const asked = { prompt_id: 'p-payments', tool_name: 'Bash', tool_use_id: 'toolu_wait', tool_input: { command: 'npx prisma migrate deploy', description: 'Migrate the database' } };
  await append(server.url, [hook(WAITS, 'PostToolUse', 0, { ...asked, tool_response: { stdout: 'done' }, duration_ms: 100 }, { cwd: '/home/dev/work/payments-api' })]);
  await page.locator('.needs').waitFor({ state: 'detached' });
  assert.match(await page.title(), /^Live/);
  await page.context().close();
});

test('the feed pauses, keeps what is read in place, and resumes', async () => {
  const page = await openPage(browser, server, '/');
  await page.locator('.event').first().waitFor();
  await page.keyboard.press('j');
  await page.getByText('Paused at').waitFor();
  const chosen = await page.locator('.event[aria-current]').getAttribute('title');
  await append(server.url, [hook(WAITS, 'UserPromptSubmit', 0, { prompt: 'one more thing', prompt_id: 'p9' }, { cwd: '/home/dev/work/payments-api' })]);
  await page.getByText('Show 1 new').waitFor();
  assert.equal(await page.locator('.event[aria-current]').getAttribute('title'), chosen);
  await page.keyboard.press(' ');
  await page.locator('.event', { hasText: 'one more thing' }).waitFor();
  await page.context().close();
});

test('every page is reached by keyboard, and the link says where one is', async () => {
  const page = await openPage(browser, server, '/', { mock: mockDoors });
  await page.locator('.event').first().waitFor();
  for (const [letter, path] of [['s', '/sessions'], ['e', '/events'], ['c', '/cost'], ['n', '/alerts'], ['h', '/handlers'], ['x', '/dead-letters'], ['w', '/rewind'], ['d', '/debugger'], ['o', '/orchestrations'], ['p', '/profile'], ['l', '/']]) {
    await page.keyboard.press('g');
    await page.keyboard.press(letter);
    await until(() => new URL(page.url()).pathname === path);
  }
  await page.keyboard.press('Control+k');
  await page.locator('.palette input').fill('API reference');
  await page.locator('.palette [role=option]').first().waitFor();
  await holds(page, 'palette-dark');
  await page.keyboard.press('Enter');
  await until(() => page.url().includes('/session/'));
  await page.keyboard.press('?');
  await page.locator('.all-keys[open]').waitFor();
  await holds(page, 'keys-dark');
  await page.context().close();
});

test('a session by keyboard: the next failure, its link, the theme', async () => {
  const page = await openPage(browser, server, '/session/6de14646-dff7-4706-a66d-b9884b862135');
  await page.locator('.step').first().waitFor();
  const current = () => page.locator('.step[aria-current]').innerText();
  await page.keyboard.press('n');
  assert.match(await current(), /Read[\s\S]*does_not_exist/);
  await page.keyboard.press('h');
  assert.match(await current(), /Bash/);
  const link = page.url();
  await page.goto(link);
  assert.match(await current(), /Bash/);
  await page.keyboard.press('t');
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light');
  await page.context().close();
});

test('the whole query language, in the link', async () => {
  const page = await openPage(browser, server, '/events');
  const field = page.getByRole('searchbox');
  await field.fill('type:claude.post_tool_use_failure session:6de14646-dff7-4706-a66d-b9884b862135');
  await field.press('Enter');
  await until(async () => (await page.locator('.top h1').innerText()) === '2 events');
  assert.match(page.url(), /type=claude\.post_tool_use_failure/);
  await page.reload();
  await until(async () => (await page.locator('.top h1').innerText()) === '2 events');
  await field.fill('min:30000');
  await field.press('Enter');
  await until(async () => /^[1-9]\d* events?$/.test(await page.locator('.top h1').innerText()));
  await field.fill('type:nothing.like.this');
  await field.press('Enter');
  await page.getByText('No event matches').waitFor();
  await page.context().close();
});

test('events that arrive do not move what is read', async () => {
  const page = await openPage(browser, server, '/events');
  await page.locator('.event .what').first().waitFor();
  const list = page.locator('.long-list');
  await list.evaluate((box) => (box.scrollTop = 520));
  const first = () =>
    list.evaluate((box) => [...box.querySelectorAll('button.event')].find((one) => one.getBoundingClientRect().top >= box.getBoundingClientRect().top).title);
  const before = await until(first);
  const total = await page.locator('.top h1').innerText();
  await append(server.url, Array.from({ length: 7 }, (_, n) => ({ specversion: '1.0', id: `late-${n}`, source: '/me', type: 'late.event', data: {} })));
  await until(async () => (await page.locator('.top h1').innerText()) !== total);
  assert.equal(await first(), before);
  await list.evaluate((box) => (box.scrollTop = 0));
  await page.locator('.event', { hasText: 'late.event' }).first().waitFor();
  await page.context().close();
});

test('a person resolves an escalation, and it is an event', async () => {
  const data = { task_id: 'refresh', attempts: 3, last_error: 'endpoint returns 500', priority: 'high' };
  await append(server.url, [{ specversion: '1.0', id: 'escalated', source: '/api', type: 'hitl_escalated', subject: 'task/refresh', data }]);
  const page = await openPage(browser, server, '/alerts', { mock: mockDoors });
  await page.locator('.needs', { hasText: 'endpoint returns 500' }).waitFor();
  await page.locator('.need', { hasText: 'endpoint returns 500' }).getByRole('button', { name: 'Resolve' }).click();
  await page.locator('.needs', { hasText: 'endpoint returns 500' }).waitFor({ state: 'detached' });
  await page.goto(`${server.url}/events?type=hitl_resolved`);
  await page.locator('.event', { hasText: 'Resolved' }).waitFor();
  await page.context().close();
});

/** What the server says of waits and of deeds. */
const asks = async (words) => (await (await fetch(`${server.url}/api/waits`)).json()).waits.find((wait) => wait.asks.includes(words));
const deeds = async (type) => (await (await fetch(`${server.url}/api/events?type=${type}&reverse=true`)).json()).events;

test('a person acknowledges what waits, then answers it', async () => {
  const data = { task_id: 'checkout', attempts: 2, last_error: 'the cart is empty', priority: 'high' };
  await append(server.url, [{ specversion: '1.0', id: 'escalated-2', source: '/api', type: 'hitl_escalated', subject: 'task/checkout', data }]);
  const page = await openPage(browser, server, '/');
  const need = page.locator('.need', { hasText: 'the cart is empty' });
  await need.getByRole('button', { name: 'Acknowledge' }).click();
  await need.getByText('seen by user').waitFor();
  assert.equal((await asks('the cart is empty')).acknowledged.by, 'user');
  await holds(page, 'live-acknowledged');
  await need.getByRole('button', { name: 'Answer' }).click();
  await page.getByRole('textbox', { name: 'Answer' }).fill('use the other cart');
  await holds(page, 'live-answer');
  await page.getByRole('button', { name: 'Send' }).click();
  await need.waitFor({ state: 'detached' });
  assert.equal(await asks('the cart is empty'), undefined);
  const [answered] = await deeds('hitl_answered');
  assert.deepEqual([answered.data.answer, answered.causationid, answered.subject], ['use the other cart', 'escalated-2', 'task/checkout']);
  await page.context().close();
});

test('a person takes a call that waits off the list, by keyboard, on its session', async () => {
  const session = 'b1f0c3e2-0000-4000-8000-0000000000d1';
  const asked = { prompt_id: 'p-d', tool_name: 'Bash', tool_input: { command: 'make deploy' } };
  const request = hook(session, 'PermissionRequest', 1, asked);
  await append(server.url, [
    hook(session, 'UserPromptSubmit', 3, { prompt: 'deploy it', prompt_id: 'p-d' }),
    hook(session, 'PreToolUse', 2, { ...asked, tool_use_id: 'toolu_d' }),
    request,
  ]);
  const page = await openPage(browser, server, `/session/${session}`);
  const detail = page.locator('.detail');
  await detail.getByText('Waits for you', { exact: true }).waitFor();
  assert.equal((await asks('make deploy')).id, request.id);
  await page.keyboard.press('a');
  await detail.getByText('seen by user').waitFor();
  await page.keyboard.press('d');
  await detail.getByText('Waits for you', { exact: true }).waitFor({ state: 'detached' });
  assert.equal(await asks('make deploy'), undefined);
  const [resolved] = await deeds('hitl_resolved');
  assert.deepEqual([resolved.causationid, resolved.sessionid], [request.id, session]);
  await holds(page, 'session-resolved');
  await page.context().close();
});

test('a note about an event is an event that it caused', async () => {
  const page = await openPage(browser, server, '/events?at=17');
  await page.getByRole('button', { name: 'Score or note' }).click();
  await page.getByRole('textbox', { name: 'Note' }).fill('flaky since Tuesday');
  await page.getByRole('button', { name: 'Append' }).click();
  await page.getByText('It is on the log').waitFor();
  await page.goto(`${server.url}/events?type=review_noted`);
  await page.locator('.event', { hasText: 'flaky since Tuesday' }).click();
  assert.match(await page.locator('.event-detail').innerText(), /Caused by/);
  await page.context().close();
});
