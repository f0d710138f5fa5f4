import { defineConfig } from 'vitest/config';

// PILEUS_CONSOLE_OUT: where the built console goes; CMake sets it.
export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    outDir: process.env['PILEUS_CONSOLE_OUT'] ?? 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // `npm run dev` beside a cloud: its API and streams are as if from here.
  server: {
    proxy: {
      '^/$': process.env['PILEUS_ENDPOINT'] ?? 'http://127.0.0.1:8773',
      '/live': process.env['PILEUS_ENDPOINT'] ?? 'http://127.0.0.1:8773',
    },
  },
  test: { include: ['src/**/*.test.ts'], setupFiles: ['vitest.setup.mjs'] },
});
