import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Svelte's messages name pages of its documentation. A page that asks nobody else has no address of anybody else. */
function withoutAddresses(): Plugin {
  return {
    name: 'without-addresses',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk') file.code = file.code.replaceAll('https://svelte.dev/', 'svelte.dev/');
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), withoutAddresses()],
  build: {
    // A check builds beside what is checked in.
    outDir: process.env['WEB_DIST'] ?? 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // A preload's polyfill is inline code, and inlined pictures are not what `img-src` is for.
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  test: { include: ['test/fold/**/*.test.ts'] },
  server: { proxy: { '/api': 'http://127.0.0.1:3010', '/readyz': 'http://127.0.0.1:3010' } },
});
