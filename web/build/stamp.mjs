// Writes into the built files what they were built from, so that a stale build is found without Node.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourcesHash } from './sources.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
writeFileSync(join(process.env.WEB_DIST ?? join(root, 'dist'), 'sources.txt'), `${sourcesHash(root)}\n`);
