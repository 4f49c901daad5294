// Handlers and Dead letters: what they show, what a person does there, and what happens when that is refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { holds, openBrowser, openPage, PHONE } from './browser.mjs';
import { reactionDoors } from './reaction-doors.mjs';
import { startServer, until } from './server.mjs';
import { append } from './story.mjs';

const LOOKS = { dark: {}, light: { theme: 'light' }, phone: { size: PHONE } };
let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  server?.remove();
});

async function open(path, doors, options = {}) {
  const page = await openPage(browser, server, path, { ...options, mock: doors.mock });
  return page;
}
const posted = (doors) => doors.asked.filter((one) => one.body !== null);
const handlerRow = (page, name) => page.getByRole('region', { name: 'Handlers' }).getByRole('row').filter({ hasText: name });

for (const [look, options] of Object.entries(LOOKS)) {
  test(`without a handler, a letter or leave, ${look}`, async () => {
    const none = reactionDoors({ handlers: [], letters: 0 });
    const page = await open('/handlers', none, options);
    await page.getByText('No handler is set').waitFor();
    await holds(page, `no-handler-${look}`);
    await page.goto(`${server.url}/dead-letters`);
    await page.getByText('No letter is dead').waitFor();
    await holds(page, `no-letter-${look}`);
    await page.context().close();

    const locked = await open('/handlers?at=notify-webhook&map=table', reactionDoors({ isLocked: true }), options);
    await locked.getByRole('button', { name: 'Retry now' }).click();
    await locked.getByText('run tacho open').waitFor();
    await holds(locked, `locked-${look}`);
    await locked.context().close();
  });

  test(`an edited letter, ${look}`, async () => {
    const page = await open('/dead-letters?at=letter-2', reactionDoors({ letters: 250 }), options);
    await page.getByRole('button', { name: 'Edit' }).click();
    const field = page.getByRole('textbox', { name: 'Payload' });
    await field.fill((await field.inputValue()).replace('urgent', 'high'));
    await page.getByText('Retry with 1 change').waitFor();
    await holds(page, `edited-letter-${look}`);
    await page.context().close();
  });
}

test('what a person has to write stands on the empty page, to be copied', async () => {
  const page = await open('/handlers', reactionDoors({ handlers: [] }));
  await page.getByRole('button', { name: 'Copy' }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^\[\[handler\]\]\nname = /);
  assert.equal(copied.trim().split('\n').length, 6);
  await page.context().close();
});

test('the former address leads to Handlers', async () => {
  const page = await open('/delivery?at=notify-webhook', reactionDoors());
  await page.getByRole('region', { name: 'The handler' }).waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/handlers?at=notify-webhook');
  await page.context().close();
});

test('each handler with its figures, and the sum of all', async () => {
  const page = await open('/handlers', reactionDoors());
  await page.getByRole('heading', { name: '5 handlers' }).waitFor();
  assert.match(await handlerRow(page, 'notify-webhook').innerText(), /hitl_escalated, budget_\*\s+broken\s+http\s+0\s+–\s+–\s+98 %\s+28\s+9\s+open\s+tries at \d\d:\d\d:\d\d\s+311\s+2/);
  assert.match(await handlerRow(page, 'index-screenshots').innerText(), /running\s+warm\s+118\s+3\.6 ms\s+22 ms\s+100 %\s+4 of 16\s+4/);
  const sum = await page.getByRole('group', { name: 'What became of what matched' }).innerText();
  const [matched, ...parts] = sum.split('The sum')[0].match(/[\d,]+/g).map((one) => Number(one.replaceAll(',', '')));
  assert.equal(matched, parts.reduce((left, right) => left + right));
  assert.match(sum, /The sum is right at #147/);
  assert.match(await page.getByRole('region', { name: 'Sinks' }).innerText(), /events-file[\s\S]*archive-webhook\s+http\s+broken[\s\S]*archive\.example\.org answered 500\s+try 5 at/);
  await page.context().close();
});

test('figures are read again by themselves', async () => {
  const doors = reactionDoors();
  const page = await open('/handlers', doors);
  await handlerRow(page, 'review-finished-work').filter({ hasText: '1,204' }).waitFor();
  Object.assign(doors.handlers[0], { done: 1210, matched: 1211 });
  await handlerRow(page, 'review-finished-work').filter({ hasText: '1,210' }).waitFor();
  await page.getByText('The sum is off by 1').waitFor();
  await page.context().close();
});

test('the map says the same as its table', async () => {
  const page = await open('/handlers', reactionDoors());
  const map = page.getByRole('region', { name: 'Map' });
  await map.getByRole('img', { name: /7 types into 5 handlers, 3 types out/ }).waitFor();
  assert.equal(await map.locator('path.flow').count(), 10);
  assert.equal(await map.locator('path.flow.idle').count(), 2);
  await page.keyboard.press('m');
  await map.getByRole('row', { name: /index-screenshots goes in web\.captured 102 6,100/ }).waitFor();
  await map.getByRole('row', { name: /notify-webhook goes in budget_\* 0 0/ }).waitFor();
  assert.equal(await map.getByRole('row').count(), 11);
  await page.context().close();
});

test('a handler by keyboard: chosen, paused with a reason, resumed', async () => {
  const doors = reactionDoors();
  const page = await open('/handlers', doors);
  await handlerRow(page, 'review-finished-work').waitFor();
  await page.keyboard.press('j');
  const detail = page.getByRole('region', { name: 'The handler' });
  await detail.getByText('version 1.2.0').waitFor();
  await page.keyboard.press('Enter');
  assert.ok(await detail.evaluate((box) => box === document.activeElement));
  await page.keyboard.press('p');
  await page.getByRole('dialog', { name: 'Pause review-finished-work' }).getByRole('textbox').fill('the model is away');
  await holds(page, 'handler-pause');
  await page.keyboard.press('Enter');
  await detail.getByText('Paused by user:dashboard').waitFor();
  assert.match(await detail.innerText(), /the model is away/);
  await page.keyboard.press('r');
  await page.getByRole('dialog', { name: 'Resume review-finished-work' }).waitFor();
  await page.keyboard.press('Enter');
  await detail.getByRole('button', { name: 'Pause' }).waitFor();
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  assert.deepEqual(posted(doors), [
    { path: '/api/handlers/review-finished-work/pause', body: { reason: 'the model is away' } },
    { path: '/api/handlers/review-finished-work/resume', body: { reason: '' } },
  ]);
  await page.keyboard.press('Escape');
  await detail.waitFor({ state: 'detached' });
  await page.context().close();
});

test('what waits is tried at once: one, or all', async () => {
  const doors = reactionDoors();
  const page = await open('/handlers?at=notify-webhook', doors);
  const waiting = page.getByRole('region', { name: 'Pending' });
  await waiting.getByText('the first 3 of 28').waitFor();
  assert.match(await waiting.innerText(), /#91\s+hitl_escalated high\s+retrying\s+4\s+http_503: hooks\.example\.org answered 503\s+\d\d:\d\d:\d\d/);
  assert.match(await page.getByRole('region', { name: 'Recent deliveries' }).innerText(), /done\s+#88\s+budget_warning\s+1\s+0\.8 ms\s+1/);
  await waiting.getByRole('button', { name: 'Retry #91' }).click();
  await until(() => posted(doors).length === 1);
  await page.keyboard.press('r');
  await until(() => posted(doors).length === 2);
  assert.deepEqual(posted(doors).map((one) => one.body), [{ position: 91 }, {}]);
  await page.context().close();
});

test('a handler is tested with an event of the log', async () => {
  const doors = reactionDoors();
  const page = await open('/handlers?at=review-finished-work', doors);
  await page.getByRole('region', { name: 'The handler' }).waitFor();
  await page.keyboard.press('x');
  await page.keyboard.type('42');
  await page.keyboard.press('Enter');
  const tested = page.getByRole('region', { name: 'Test' });
  await tested.getByText('done in 12 ms, 1 event returned').waitFor();
  assert.match(await tested.innerText(), /"work\.reviewed"/);
  assert.deepEqual(posted(doors), [{ path: '/api/handlers/review-finished-work/test', body: { position: 42 } }]);
  await holds(page, 'handler-test');
  await page.context().close();
});

test('without the control token, reading goes on and a notice says what to do', async () => {
  const doors = reactionDoors({ isLocked: true });
  const page = await open('/dead-letters?at=letter-1', doors);
  await page.getByRole('region', { name: 'The letter' }).waitFor();
  await page.keyboard.press('r');
  const notice = page.getByRole('status', { name: 'Control' });
  await notice.getByText('To control handlers from here, run tacho open').waitFor();
  await page.getByRole('heading', { name: '3 dead letters' }).waitFor();
  assert.equal(await page.getByText('asks for its token').count(), 0);
  doors.isLocked = false;
  await page.keyboard.press('r');
  await notice.waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: '2 dead letters' }).waitFor();
  await page.context().close();
});

test('letters by cause; one is edited, checked and retried', async () => {
  const doors = reactionDoors({ letters: 20 });
  const page = await open('/dead-letters', doors);
  const causes = page.getByRole('region', { name: 'Causes' });
  await causes.getByRole('button', { name: /repair-payload bad_output.* 2 / }).click();
  await page.getByRole('region', { name: 'Dead letters' }).getByText('urlCacher.urlCacheFailed').first().waitFor();
  assert.ok(doors.asked.some(({ path }) => path.startsWith('/api/dead-letters?handler=repair-payload&code=bad_output')));
  await page.keyboard.press('j');
  await page.keyboard.press('e');
  const field = page.getByRole('textbox', { name: 'Payload' });
  const text = await field.inputValue();
  await field.fill(text.replace('"attempts": 3,', '"attempts": 3,,'));
  await page.getByText('Not JSON').waitFor();
  await page.keyboard.press('Control+Enter');
  assert.ok(await page.getByRole('button', { name: /^Retry( with|$)/ }).first().isDisabled());
  await field.fill(text.replace('"attempts": 3', '"attempts": 12345678901234567890'));
  await page.getByText('which a browser rounds').waitFor();
  await field.fill(text.replace('urgent', 'high'));
  assert.deepEqual(posted(doors), []);
  await page.keyboard.press('Control+Enter');
  await until(() => posted(doors).length === 1);
  const [{ path, body }] = posted(doors);
  assert.equal(path, '/api/dead-letters/letter-9/retry');
  assert.equal(body.data.priority, 'high');
  // The next one takes its place.
  await page.waitForURL('**at=letter-19');
  await causes.getByRole('button', { name: /repair-payload bad_output.* 1 / }).waitFor();
  await page.context().close();
});

test('a discard needs a reason', async () => {
  const doors = reactionDoors();
  const page = await open('/dead-letters?at=letter-0', doors);
  await page.getByRole('region', { name: 'The letter' }).waitFor();
  await page.keyboard.press('d');
  const dialog = page.getByRole('dialog', { name: 'Discard hitl_escalated' });
  assert.ok(await dialog.getByRole('button', { name: 'Discard' }).isDisabled());
  await dialog.getByRole('textbox').fill('a test');
  await holds(page, 'letter-discard');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '2 dead letters' }).waitFor();
  assert.deepEqual(posted(doors), [{ path: '/api/dead-letters/letter-0/discard', body: { reason: 'a test' } }]);
  await page.context().close();
});

test('all letters of a cause are retried a part at a time, with progress', async () => {
  const doors = reactionDoors({ letters: 200 });
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const page = await open('/dead-letters?handler=notify-webhook&code=http_503', doors);
  await page.getByRole('region', { name: 'Causes' }).getByText('180').waitFor();
  await page.route(/\/api\/dead-letters\/retry$/, async (route) => {
    if (posted(doors).length === 2) await held;
    await route.fallback();
  });
  await page.keyboard.press('R');
  await page.getByText('180 letters of notify-webhook http_503 will be delivered again').waitFor();
  await page.keyboard.press('Enter');
  const progress = page.getByRole('region', { name: 'Progress' });
  await progress.getByText('80 of 180').waitFor();
  await holds(page, 'letters-progress');
  release();
  await progress.waitFor({ state: 'detached' });
  await page.getByText('180 retried').waitFor();
  await page.getByText('No letter has this cause any more').waitFor();
  await page.getByRole('heading', { name: '20 dead letters' }).waitFor();
  assert.deepEqual(posted(doors).map((one) => one.body), Array(5).fill({ handler: 'notify-webhook', code: 'http_503' }));
  await page.context().close();
});

test('a retry of many is stopped after the part that runs', async () => {
  const doors = reactionDoors({ letters: 200 });
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const page = await open('/dead-letters', doors);
  await page.getByRole('heading', { name: '200 dead letters' }).waitFor();
  await page.route(/\/api\/dead-letters\/retry$/, async (route) => {
    await held;
    await route.fallback();
  });
  await page.getByRole('button', { name: 'Retry all' }).click();
  await page.getByRole('button', { name: 'Retry 200' }).click();
  await page.getByRole('region', { name: 'Progress' }).getByRole('button', { name: 'Stop' }).click();
  release();
  await page.getByText('40 retried, 160 left').waitFor();
  await page.getByRole('heading', { name: '160 dead letters' }).waitFor();
  assert.equal(posted(doors).length, 1);
  await page.context().close();
});

test('letters that die appear by themselves, and what is being edited stays', async () => {
  const doors = reactionDoors();
  const page = await open('/dead-letters?at=letter-1', doors);
  await page.getByRole('button', { name: 'Edit' }).click();
  const field = page.getByRole('textbox', { name: 'Payload' });
  await field.fill('{"mine":true}');
  doors.letters = 5;
  await append(server.url, [{ specversion: '1.0', id: 'died', source: '/me', type: 'something.died', data: {} }]);
  await page.getByRole('heading', { name: '5 dead letters' }).waitFor();
  await until(async () => (await page.locator('.long-list .event').count()) === 5);
  assert.equal(await field.inputValue(), '{"mine":true}');
  await page.context().close();
});

test('a long list does not move under the reader: it says that it changed', async () => {
  const doors = reactionDoors({ letters: 1_000 });
  const page = await open('/dead-letters', doors);
  const list = page.locator('.long-list');
  await list.locator('.event').first().waitFor();
  const height = () => list.evaluate((box) => box.scrollHeight);
  for (let far = 0; far < 3; far += 1) {
    const before = await height();
    await list.evaluate((box) => (box.scrollTop = box.scrollHeight));
    await until(async () => (await height()) > before);
  }
  const before = await list.evaluate((box) => box.scrollTop);
  doors.letters = 1_001;
  await append(server.url, [{ specversion: '1.0', id: 'died-too', source: '/me', type: 'something.died', data: {} }]);
  const again = page.getByRole('button', { name: 'It changed: read again' });
  await again.waitFor();
  assert.equal(await list.evaluate((box) => box.scrollTop), before);
  await again.click();
  await again.waitFor({ state: 'detached' });
  await page.context().close();
});

test('a hundred thousand letters stay at hand, and are never all asked for', async () => {
  const doors = reactionDoors({ letters: 100_000 });
  const page = await open('/dead-letters', doors);
  await page.getByRole('heading', { name: '100,000 dead letters' }).waitFor();
  const list = page.locator('.long-list');
  const pages = () => doors.asked.filter(({ path }) => path.startsWith('/api/dead-letters?')).length;
  assert.equal(pages(), 1);
  assert.ok((await page.locator('.long-list .event').count()) < 120);
  for (let far = 0; far < 5; far += 1) {
    const before = await list.evaluate((box) => box.scrollHeight);
    await list.evaluate((box) => (box.scrollTop = box.scrollHeight));
    await until(async () => (await list.evaluate((box) => box.scrollHeight)) > before);
  }
  assert.ok(pages() <= 8, `${pages()} pages were asked for`);
  assert.ok((await page.locator('.long-list .event').count()) < 120);
  await page.keyboard.press('j');
  await page.getByRole('region', { name: 'The letter' }).waitFor();
  await holds(page, 'letters-100000');
  await page.context().close();
});
