// Writes into the built files what they were built from, so that a stale build is found without Node, and a compressed
// copy of each file whose name holds its hash.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { sourcesHash } from './sources.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = process.env.WEB_DIST ?? join(root, 'dist');
for (const name of readdirSync(join(dist, 'assets'))) {
  const path = join(dist, 'assets', name);
  writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
}
writeFileSync(join(dist, 'sources.txt'), `${sourcesHash(root)}\n`);
