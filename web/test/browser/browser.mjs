// Debian's Chromium, driven without downloads, and what every page must hold.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SHOTS = process.env.SHOTS;
export const WIDE = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

export function openBrowser() {
  // In a container as root there is no sandbox to be had; the pages are our own.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
}

/** A page that remembers every error, every refusal of its policy and every request to somebody else. */
export async function openPage(browser, server, path, { size = WIDE, theme = 'dark', mock } = {}) {
  const context = await browser.newContext({ viewport: size, colorScheme: theme, reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(error.message));
  page.on('console', (message) => {
    // A door that this server does not have yet is no fault of the page's.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) page.faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(server.url)) page.faults.push(`asks ${request.url()}`);
  });
  if (mock) await mock(page);
  await page.goto(server.url + path);
  await page.locator('#main').waitFor();
  return page;
}

/** No error, nothing that a policy or a reader with a screen reader would stumble over, nothing wider than the screen. */
export async function holds(page, name) {
  const drawn = page.locator('.day-chart');
  const isChart = (await drawn.count()) > 0;
  assert.deepEqual(page.faults, [], `${name}: errors`);
  const styled = await page.evaluate(() => [...document.querySelectorAll('[style]:not([style=""])')].filter((one) => !one.closest('.day-chart')).map((one) => one.outerHTML.slice(0, 120)));
  assert.deepEqual(styled, [], `${name}: style attributes`);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(overflow <= 0, `${name}: ${overflow} px wider than the screen`);
  if (SHOTS) {
    mkdirSync(SHOTS, { recursive: true });
    await page.screenshot({ path: join(SHOTS, `${name}.png`) });
  }
  // Evaluated by the debugger, which a page's policy does not bind.
  await page.evaluate(AXE);
  const found = await page.evaluate(async (isChart) => {
    const { violations } = await globalThis.axe.run(isChart ? { exclude: ['.uplot'] } : document);
    return violations
      .filter((one) => one.impact === 'serious' || one.impact === 'critical')
      .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
  }, isChart);
  assert.deepEqual(found, [], `${name}: accessibility`);
}
