// Cost, Alerts, Handlers and Dead letters over the real doors: prices, budgets, rules and sinks as they are configured.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { holds, openBrowser, openPage, PHONE } from './browser.mjs';
import { startServer, until } from './server.mjs';
import { append, hook, request, tellMorning } from './story.mjs';

const PAID = 'd0110000-0000-4000-8000-00000000000a';
const PAGES = { cost: '/cost', alerts: '/alerts', handlers: '/handlers?at=dead-webhook', 'dead-letters': '/dead-letters' };

const config = (receiver) => (data) => `
[budget]
session_usd = 1.0
feature_usd = 0.35
day_usd = 0.25

[[price]]
model = "house-*"
input = 2.0
output = 10.0

[[alert]]
condition = "failure_rate > 0.05"
message = "Too many calls fail"

[[alert]]
condition = "validation_pass_rate < 0.1"
action = "warn_user"
message = "Too little passes"

[[alert]]
condition = "cost_per_feature > 1.5"
message = "A feature is dear"

[[sink]]
kind = "jsonl"
name = "events-file"
path = "${data}/events.jsonl"
start = "start"

[[sink]]
kind = "http"
name = "picky-webhook"
url = "${receiver.url}/picky"
mode = "structured"
on = "demo.*"
start = "start"

[[sink]]
kind = "http"
name = "dead-webhook"
url = "${receiver.url}/down"
on = "claude.stop*"
start = "start"
retry = { first_ms = 10, longest_ms = 3600000 }
`;

/** Refuses what is poisoned, and is down for others. */
async function startReceiver() {
  const listener = createServer((asked, answer) => {
    let body = '';
    asked.on('data', (text) => (body += text));
    asked.on('end', () => {
      const status = asked.url === '/down' ? 500 : body.includes('demo.poisoned') ? 422 : 200;
      answer.writeHead(status).end();
    });
  });
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${listener.address().port}`, stop: () => new Promise((resolve) => listener.close(resolve)) };
}

let server;
let browser;
let receiver;
const ask = async (path) => (await fetch(server.url + path)).json();
const handler = async (name) => (await ask('/api/handlers')).handlers.find((one) => one.name === name);

before(async () => {
  receiver = await startReceiver();
  server = await startServer({ config: config(receiver) });
  browser = await openBrowser();
  await tellMorning(server.url);
  const priced = { model: 'house-model', input_tokens: 100_000, output_tokens: 10_000, cache_read_tokens: 0, cache_creation_tokens: 0, cost_usd: undefined, cost_usd_micros: undefined };
  await append(server.url, [
    request(PAID, 30, 'p', { ...priced, feature: 'PROJ-77' }),
    request(PAID, 20, 'p', { ...priced, model: 'stranger' }),
    { specversion: '1.0', id: 'queued', source: '/api', type: 'validation_complete', subject: 'task/t1', data: { task_id: 't1', passed: true, status: 'passed' } },
    ...[1, 2].map((n) => ({ specversion: '1.0', id: `good-${n}`, source: '/me', type: 'demo.good', data: { n } })),
    { specversion: '1.0', id: 'poison', source: '/me', type: 'demo.poisoned', data: { why: 'it is no good' } },
  ]);
  // The same call again and again is far from usual, and needs no rule.
  const call = { prompt_id: 'p', tool_name: 'Bash', tool_input: { command: 'make' } };
  const calls = Array.from({ length: 6 }, (_, n) => [hook(PAID, 'PreToolUse', 6 - n, { ...call, tool_use_id: `m${n}` }), hook(PAID, 'PostToolUseFailure', 6 - n, { ...call, tool_use_id: `m${n}`, error: 'Exit code 2', duration_ms: 5 })]);
  await append(server.url, calls.flat());
  await until(async () => (await handler('picky-webhook')).dead === 1);
  await until(async () => (await handler('dead-webhook')).state === 'broken');
  await until(async () => (await handler('events-file')).pending === 0);
  await until(async () => (await ask('/api/alerts/history')).alerts.length > 0);
  await until(async () => (await ask('/api/alerts')).anomalies.length > 0);
  await until(async () => (await ask('/api/events?type=budget_exceeded')).events.length > 1);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  server?.remove();
  await receiver?.stop();
});

for (const [name, path] of Object.entries(PAGES)) {
  for (const [look, options] of Object.entries({ dark: {}, light: { theme: 'light' }, phone: { size: PHONE } })) {
    test(`${name} over the real doors, ${look}`, async () => {
      const page = await openPage(browser, server, path, options);
      await page.locator('#main :is(table, .event)').first().waitFor();
      await holds(page, `real-${name}-${look}`);
      await page.context().close();
    });
  }
}

test('what is spent is counted at the prices in force, and what has none is said', async () => {
  const page = await openPage(browser, server, '/cost?range=month');
  const model = page.getByRole('region', { name: 'By model' });
  await model.getByRole('row', { name: /house-model/ }).waitFor();
  assert.match(await model.getByRole('row', { name: /house-model/ }).innerText(), /110\.0k\s+0 %\s+0\.3000/);
  assert.match(await model.getByRole('row', { name: /stranger/ }).innerText(), /unpriced/);
  assert.match(await page.locator('.source').innerText(), /1 request unpriced/);
  const told = await ask('/api/cost?by=model');
  assert.match(await page.getByRole('list', { name: 'Totals' }).innerText(), new RegExp(`30 days\\s+\\$${told.cost_usd.toFixed(2)}`));
  await page.keyboard.press('f');
  await page.getByRole('region', { name: 'By feature' }).getByRole('row', { name: /PROJ-77/ }).waitFor();
  assert.equal(await model.count(), 0);
  await page.context().close();
});

test('a budget is named as a person knows it, with what is spent by now', async () => {
  const page = await openPage(browser, server, '/cost');
  const budget = (name) => page.getByRole('region', { name: 'Budgets' }).getByRole('listitem').filter({ hasText: name });
  await budget('Feature PROJ-77').waitFor();
  assert.match(await budget('Feature PROJ-77').innerText(), /\$0\.30 of \$0\.35\s+Warned at 80 %/);
  assert.match(await budget('Session b1f0c3e2').innerText(), /\$1\.30 of \$1\.00\s+Exceeded/);
  // It was told when the first of them came, and more was spent since.
  const today = (await ask('/api/cost?by=day')).rows.at(-1);
  await budget(/^Day/).filter({ hasText: `$${today.cost_usd.toFixed(2)} of $0.25` }).waitFor();
  await append(server.url, [request(PAID, 1, 'p', { model: 'house-model', input_tokens: 20_000, output_tokens: 2_000, cache_read_tokens: 0, cache_creation_tokens: 0, cost_usd: undefined, cost_usd_micros: undefined, feature: 'PROJ-77' })]);
  await budget('Feature PROJ-77').filter({ hasText: 'Exceeded' }).waitFor();
  assert.match(await budget('Feature PROJ-77').innerText(), /\$0\.36 of \$0\.35/);
  await budget('Session b1f0c3e2').getByRole('link').click();
  await page.waitForURL('**/session/b1f0c3e2-*');
  await page.context().close();
});

test('rules stand as the figures stand, and each alert leads to its event', async () => {
  const page = await openPage(browser, server, '/alerts');
  await page.getByRole('heading', { name: '1 alert firing' }).waitFor();
  const rule = (name) => page.getByRole('region', { name: 'Rules' }).getByRole('row').filter({ hasText: name });
  assert.match(await rule('failure_rate > 0.05').innerText(), /fires[\s\S]*0\.05\s+the admin\s+Too many calls fail\s+\d\d:\d\d:\d\d/);
  assert.match(await rule('validation_pass_rate < 0.1').innerText(), /right[\s\S]*1\s+0\.1\s+you\s+Too little passes\s+–/);
  assert.match(await rule('cost_per_feature > 1.5').innerText(), /no data[\s\S]*–\s+1\.5/);
  assert.match(await page.getByRole('region', { name: 'Anomalies' }).innerText(), /repeated_call_count\s+claude-code\s+claude-code made the same call of Bash 5 times in a row/);
  const history = page.getByRole('region', { name: 'History' });
  await history.getByRole('row').filter({ hasText: 'Too many calls fail' }).getByRole('link').click();
  await page.locator('.event[aria-current]', { hasText: /tacho\.alert|Too many calls fail/ }).waitFor();
  await page.context().close();
});

test('each sink with what it owes, its error and its next attempt; a dead letter with its event', async () => {
  const page = await openPage(browser, server, '/handlers');
  await page.getByText('No handler is set').waitFor();
  const sink = (name) => page.getByRole('region', { name: 'Sinks' }).getByRole('row').filter({ hasText: name });
  await sink('events-file').waitFor();
  assert.match(await sink('events-file').innerText(), /jsonl\s+running/);
  assert.match(await sink('dead-webhook').innerText(), /http\s+broken[\s\S]*http_500: 127\.0\.0\.1:\d+ answered 500\s+try \d+ at/);
  const counts = (await page.getByRole('group', { name: 'What became of what matched' }).innerText()).match(/\d+/g).map(Number);
  assert.equal(counts[0], counts[1] + counts[2] + counts[3] + counts[4]);
  assert.equal(counts[3], 1);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.locator('tr[aria-current]', { hasText: 'picky-webhook' }).waitFor();
  await page.keyboard.press('d');
  await page.waitForURL('**/dead-letters?handler=picky-webhook');
  await page.getByRole('button', { name: /demo\.poisoned/ }).click();
  const letter = page.getByRole('region', { name: 'The letter' });
  assert.match(await letter.innerText(), /for picky-webhook, #\d+[\s\S]*answered 422[\s\S]*it is no good/);
  await holds(page, 'real-letter-dark');
  await page.context().close();
});
