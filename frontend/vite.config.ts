/** How the browser app is built, served in development and tested. */
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const backend = process.env.EASYTUNE_DEV_BACKEND ?? 'http://127.0.0.1:8000'
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// What it tests keeps the objects of the page that it was loaded in.
const ALONE = ['src/features/datasets/upload/uploads.test.ts']

export default defineConfig({
  root: here('.'),
  plugins: [react()],
  resolve: { alias: { '@': here('./src') } },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': { target: backend },
      '/healthz': { target: backend },
      '/readyz': { target: backend },
    },
  },
  build: {
    outDir: here('./dist'),
    emptyOutDir: true,
    // The Content-Security-Policy allows no data: URL but for images: every other asset is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
  },
  test: {
    environment: 'happy-dom',
    setupFiles: [here('./src/testing/setup.ts')],
    // A busy machine is slow, not wrong.
    testTimeout: 30_000,
    restoreMocks: true,
    maxWorkers: '100%',
    // Tests run in Node, which would otherwise get the client's own version for Node.
    alias: { 'tus-js-client': 'tus-js-client/lib.esm/browser/index.js' },
    server: { deps: { inline: ['tus-js-client'] } },
    unstubGlobals: true,
    projects: [
      {
        extends: true,
        // One file after the other in the same process: each would load all components anew.
        test: { name: 'pages', include: ['src/**/*.test.{ts,tsx}'], exclude: ALONE, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: ALONE } },
    ],
  },
})
