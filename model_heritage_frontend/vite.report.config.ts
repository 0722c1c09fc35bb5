import { fileURLToPath, URL } from 'node:url'

import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** Puts the one script and the one style sheet into the page itself: it is opened from a disk. */
function inlineAll(): Plugin {
  return {
    name: 'inline-all',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const page = bundle['report.html']
      if (page?.type !== 'asset') throw new Error('There is no page to put things into.')
      let html = String(page.source)
      for (const [name, file] of Object.entries(bundle)) {
        const safe = (code: string) => code.replaceAll('</script', '<\\/script')
        if (file.type === 'chunk') {
          const tag = new RegExp(`<script[^>]*src="[^"]*${name}"[^>]*></script>`)
          html = html.replace(tag, '')
          // At the end of the body, where its data and its root are already there.
          const script = `<script type="module">${safe(file.code)}</script>`
          html = html.replace('</body>', () => `${script}</body>`)
        } else if (name.endsWith('.css')) {
          const tag = new RegExp(`<link[^>]*href="[^"]*${name}"[^>]*>`)
          html = html.replace(tag, () => `<style>${String(file.source)}</style>`)
        } else continue
        Reflect.deleteProperty(bundle, name)
      }
      page.source = html
    },
  }
}

/** The page that `model-heritage scan --html` writes, as one file without its data. */
export default defineConfig({
  plugins: [react(), tailwindcss(), inlineAll()],
  publicDir: false,
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: 'dist-report',
    assetsInlineLimit: Number.MAX_SAFE_INTEGER,
    cssCodeSplit: false,
    modulePreload: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: { input: 'report.html', output: { codeSplitting: false } },
  },
})
