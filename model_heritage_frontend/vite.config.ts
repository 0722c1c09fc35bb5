import { fileURLToPath, URL } from 'node:url'

import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

/** Where the development server sends `/api`; the built pages are served by that server itself. */
const API = process.env.MODEL_HERITAGE_API ?? 'http://localhost:5001'

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { port: 5173, proxy: { '/api': API } },
  preview: { proxy: { '/api': API } },
  build: { chunkSizeWarningLimit: 400 },
  test: {
    environment: 'happy-dom',
    // A busy machine is no fault of the page.
    testTimeout: 240_000,
    // The browser's half of this package, as the build takes it, not Node's.
    alias: { 'tus-js-client': 'tus-js-client/lib.esm/browser/index.js' },
    server: { deps: { inline: ['tus-js-client'] } },
    setupFiles: ['./src/testing/setup.ts'],
    restoreMocks: true,
    // Two cores are shared with the back end's tests.
    maxWorkers: 2,
  },
})
