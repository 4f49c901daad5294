// One hash over everything that the built files come from. `xtask/src/tidy/dashboard.rs` computes the same without Node.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDERS = ['public', 'src'];
const FILES = ['index.html', 'package-lock.json', 'package.json', 'tsconfig.json', 'vite.config.ts'];

/** 64-bit FNV-1a over each path, its length and its bytes, in the order of the paths. */
export function sourcesHash(root) {
  const names = [...FILES];
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      names.push(join(entry.parentPath, entry.name).slice(root.length + 1));
    }
  }
  names.sort();
  let hash = 0xcbf29ce484222325n;
  for (const name of names) {
    const bytes = readFileSync(join(root, name));
    for (const byte of [...Buffer.from(`${name}\0${bytes.length}\0`), ...bytes]) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
  }
  return hash.toString(16).padStart(16, '0');
}
