// The real server, over a fresh folder, on a port of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BINARY = process.env.TACHO ?? 'tacho';

/** A port that nothing listens on. */
async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

export async function startServer({ data = mkdtempSync(join(tmpdir(), 'tacho-web-')), port, token, config } = {}) {
  const listen = `127.0.0.1:${port ?? (await freePort())}`;
  const more = [];
  if (config) {
    const file = join(data, 'tacho.toml');
    writeFileSync(file, config(data));
    more.push('--config', file);
  }
  const child = spawn(BINARY, ['up', '--data', data, '--listen', listen, ...more], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...(token ? { TACHO_TOKEN: token } : {}) },
  });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  const url = `http://${listen}`;
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`the server ended: ${said}`);
    return (await fetch(`${url}/readyz`).catch(() => null))?.ok;
  });
  const stop = async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGINT');
    await new Promise((resolve) => child.once('exit', resolve));
  };
  return { url, data, port: Number(listen.split(':')[1]), stop, remove: () => rmSync(data, { recursive: true, force: true }) };
}

/** Asks again until it is so; fails after ten seconds. */
export async function until(isSo) {
  const end = Date.now() + 10_000;
  for (;;) {
    const answer = await isSo();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`it did not become so: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
