// How long the dashboard takes to show something: `node load.mjs URL TIMES` prints one line of JSON for the load
// generator, then keeps the last page open until its input ends.
import { openBrowser, WIDE } from './browser.mjs';

const [url, times] = process.argv.slice(2);
const CONTENT = '#main :is(table, .agent-card, .event, .step, .day-chart)';
/** What the page loads behind its first content is loaded within this, in milliseconds. */
const REST = 1_000;

/** Bytes as they came over the wire, heads included; a stream that does not end is counted as far as it came. */
function countTransfers(session) {
  const bytes = new Map();
  const add = (id, more) => bytes.set(id, (bytes.get(id) ?? 0) + more);
  session.on('Network.responseReceived', ({ requestId, response }) => add(requestId, response.encodedDataLength));
  session.on('Network.dataReceived', ({ requestId, encodedDataLength }) => add(requestId, encodedDataLength));
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => bytes.set(requestId, encodedDataLength));
  return () => ({ bytes: [...bytes.values()].reduce((sum, one) => sum + one, 0), requests: bytes.size });
}

async function load(browser) {
  const context = await browser.newContext({ viewport: WIDE });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  const transferred = countTransfers(session);
  const begun = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  await page.locator(CONTENT).first().waitFor();
  const content_ms = performance.now() - begun;
  await new Promise((resolve) => setTimeout(resolve, REST));
  return { context, figures: { content_ms, ...transferred() } };
}

const browser = await openBrowser();
try {
  const loads = [];
  let last;
  for (let count = 0; count < Number(times); count += 1) {
    await last?.close();
    const { context, figures } = await load(browser);
    last = context;
    loads.push(figures);
  }
  console.log(JSON.stringify({ loads }));
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
} finally {
  await browser.close();
}
