// Fails the build when what a first visit loads has grown too large. Run after `vite build`.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const DIST = fileURLToPath(new URL('../dist', import.meta.url))
/** Bytes after gzip. */
const MOST_ENTRY = 150_000
/** The entry with everything that it imports at once, and the styles. */
const MOST_FIRST_VISIT = 250_000

const page = readFileSync(path.join(DIST, 'index.html'), 'utf8')
const sizeOf = (file) => gzipSync(readFileSync(path.join(DIST, file))).length
const named = (pattern) => [...page.matchAll(pattern)].map(([, file]) => file)

const [entry, ...others] = named(/<script type="module"[^>]* src="([^"]+)"/g)
if (entry === undefined || others.length > 0) throw new Error('dist/index.html has not one entry')
const linked = named(/<link rel="(?:modulepreload|stylesheet)"[^>]* href="([^"]+)"/g)

const entrySize = sizeOf(entry)
const firstVisit = [entry, ...linked].reduce((sum, file) => sum + sizeOf(file), 0)
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`
console.log(
  `Entry ${kilobytes(entrySize)} of ${kilobytes(MOST_ENTRY)}, ` +
    `first visit ${kilobytes(firstVisit)} of ${kilobytes(MOST_FIRST_VISIT)} (gzip)`,
)

const foreign = named(/(?:src|href)="(https?:[^"]+)"/g)
if (foreign.length > 0) throw new Error(`The page asks other servers: ${foreign.join(', ')}`)
if (/<script(?![^>]*\ssrc=)[^>]*>/.test(page)) throw new Error('The page has an inline script')
if (entrySize > MOST_ENTRY) throw new Error('The entry chunk is too large: load more of it lazily')
if (firstVisit > MOST_FIRST_VISIT) throw new Error('A first visit loads too much')
