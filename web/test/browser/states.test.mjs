// The empty store, the first event, the lost connection, the captured sessions, a hundred thousand events.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { holds, openBrowser, openPage, PHONE } from './browser.mjs';
import { startServer, until } from './server.mjs';
import { append, CAPTURES, capture, replayHooks } from './story.mjs';

let browser;
before(async () => (browser = await openBrowser()));
after(async () => browser?.close());

test('the first run says what to type, copies it, and turns into Live with the first event', async () => {
  const server = await startServer();
  try {
    for (const theme of ['dark', 'light']) {
      const page = await openPage(browser, server, '/', { theme });
      await page.getByText('Nothing recorded yet').waitFor();
      await holds(page, `empty-${theme}`);
      await page.context().close();
    }
    const phone = await openPage(browser, server, '/', { size: PHONE });
    await phone.getByText('Nothing recorded yet').waitFor();
    await holds(phone, 'empty-phone');
    await phone.context().close();
    for (const path of ['/sessions', '/events', '/cost', '/alerts', '/handlers', '/dead-letters', '/session/none']) {
      const page = await openPage(browser, server, path);
      await page.locator('#main :is(.nothing, .trouble, .kpis, .feed)').first().waitFor();
      await holds(page, `empty-${path.split('/')[1]}`);
      await page.context().close();
    }
    const page = await openPage(browser, server, '/');
    await page.getByText('Nothing recorded yet').waitFor();
    await page.keyboard.press('1');
    await page.getByText('Copied tacho connect claude-code').waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'tacho connect claude-code');
    await append(server.url, [{ specversion: '1.0', id: 'a', source: '/me', type: 'hello', data: { from: 'me' } }]);
    await page.locator('.event', { hasText: 'hello' }).waitFor();
    await page.context().close();
  } finally {
    await server.stop();
    server.remove();
  }
});

test('a lost connection is said, what is shown stays, and nothing is missing or twice afterwards', async () => {
  let server = await startServer();
  try {
    await replayHooks(server.url, 'full');
    const page = await openPage(browser, server, '/');
    await page.locator('.event').first().waitFor();
    await server.stop();
    await page.getByText('Connection lost').waitFor();
    assert.ok((await page.locator('.event').count()) > 5);
    await holds(page, 'lost-dark');
    server = await startServer({ data: server.data, port: server.port });
    await append(server.url, [1, 2, 3].map((n) => ({ specversion: '1.0', id: `a${n}`, source: '/me', type: `hello.${n}`, data: {} })));
    await page.getByText('Recording').waitFor();
    for (const n of [1, 2, 3]) {
      await page.locator('.event', { hasText: `hello.${n}` }).waitFor();
      assert.equal(await page.locator('.event', { hasText: `hello.${n}` }).count(), 1);
    }
    await page.context().close();
  } finally {
    await server.stop();
    server.remove();
  }
});

test('a server with a token asks for it once, and streams with it', async () => {
  const token = 'a-long-secret-of-this-test';
  const server = await startServer({ token });
  try {
    const page = await openPage(browser, server, '/events');
    await page.getByText('asks for its token').waitFor();
    await holds(page, 'token-dark');
    await page.getByLabel('Token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText("not this server's token").waitFor();
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await page.getByText('0 events').first().waitFor();
    await page.goto(server.url);
    await page.getByText('Nothing recorded yet').waitFor();
    await append(server.url, [{ specversion: '1.0', id: 'a', source: '/me', type: 'hello.token', data: {} }], token);
    await page.locator('.event', { hasText: 'hello.token' }).waitFor();
    assert.ok(!page.url().includes(token));
    await page.context().close();
  } finally {
    await server.stop();
    server.remove();
  }
});

test("Claude Code's captured sessions look right", async () => {
  const server = await startServer();
  try {
    for (const name of CAPTURES) await replayHooks(server.url, name);
    const idOf = (name) => capture(name)[0].payload.session_id;
    const turns = {};
    for (const name of CAPTURES) {
      const page = await openPage(browser, server, `/session/${idOf(name)}`);
      await page.locator('.turns li').first().waitFor();
      turns[name] = await page.locator('.turns').innerText();
      await holds(page, `captured-${name}`);
      await page.context().close();
    }
    assert.match(turns.full, /Agent[\s\S]*Inspect the repo[\s\S]*wc -l hello\.py/);
    assert.match(turns['background-agent'], /Reported to the agent by the system, not by you/);
    assert.doesNotMatch(turns['background-agent'], /task-notification/);
    assert.match(turns['permission-denied'], /refused after/);
    assert.match(turns.compaction, /Compaction/);
    assert.match(turns['api-error'], /API Error: 400/);
  } finally {
    await server.stop();
    server.remove();
  }
});

test('a hundred thousand events scroll smoothly, with a true scrollbar', async () => {
  const server = await startServer();
  try {
    const count = 100_000;
    const at = Date.now() - count * 10;
    for (let from = 0; from < count; from += 1_000) {
      const events = Array.from({ length: 1_000 }, (_, index) => ({ specversion: '1.0', id: `n${from + index}`, source: '/load', type: (from + index) % 50 === 0 ? 'load.Failed' : 'load.step', subject: 'task/load', time: new Date(at + (from + index) * 10).toISOString(), data: { n: from + index } }));
      await append(server.url, events);
    }
    const page = await openPage(browser, server, '/events');
    await page.locator('.event .what').first().waitFor();
    assert.equal(await page.locator('.top h1').innerText(), 'about 100,000 events');
    const list = page.locator('.long-list');
    assert.ok((await list.evaluate((box) => box.scrollHeight)) >= count * 26);
    const slow = await list.evaluate(async (box) => {
      let late = 0;
      let last = performance.now();
      for (let frame = 0; frame < 120; frame += 1) {
        box.scrollTop += 900;
        await new Promise((resolve) => requestAnimationFrame(resolve));
        const now = performance.now();
        if (now - last > 100) late += 1;
        last = now;
      }
      return late;
    });
    assert.ok(slow <= 12, `${slow} of 120 frames took longer than 100 ms`);
    await list.evaluate((box) => (box.scrollTop = box.scrollHeight));
    await page.locator('.event[title="load.Failed · #1"]').waitFor();
    assert.ok((await page.locator('.event').count()) < 120);
    await page.goto(`${server.url}/events?at=50001`);
    await page.locator('.event[aria-current]').waitFor();
    await holds(page, 'events-100000');
    await page.goto(`${server.url}/events?type=*.Failed`);
    await until(async () => /2,000 events/.test(await page.locator('.top h1').innerText()));
    await page.context().close();
  } finally {
    await server.stop();
    server.remove();
  }
});
