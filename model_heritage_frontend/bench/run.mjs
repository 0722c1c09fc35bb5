// Measures how soon a family tree is to be seen and how evenly it zooms, beside vis-network and React
// Flow, in one run of headless Chromium with software rendering. Writes benchmarks/results/tree.md
// and .json.
//
//   node bench/run.mjs [--repeats 5] [--out DIR]

import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { chromium } from 'playwright-core'
import { build, preview } from 'vite'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: options } = parseArgs({
  options: {
    repeats: { type: 'string', default: '5' },
    out: { type: 'string', default: path.join(here, '../../benchmarks/results') },
  },
})
const repeats = Number(options.repeats)
const FRAMES = 180
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking']

const NAMES = { ours: 'Model Heritage', vis: 'vis-network', flow: 'React Flow' }
const READY_ASKED = { 1000: 150, 5000: 400, 20000: 700 }
const FRAME_ASKED = 34
/** React Flow needs minutes for 20,000. */
const SIZES = { ours: [1000, 5000, 20000], vis: [1000, 5000, 20000], flow: [1000, 5000] }

const median = (numbers) => {
  const sorted = numbers.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}
const percentile95 = (numbers) =>
  numbers.toSorted((a, b) => a - b)[Math.ceil(numbers.length * 0.95) - 1]
const round = (value) => Math.round(value * 10) / 10

async function servePages() {
  const outDir = await mkdtemp(path.join(tmpdir(), 'tree-bench-'))
  const config = {
    configFile: false,
    root: here,
    logLevel: 'error',
    plugins: [react(), tailwindcss()],
    resolve: { alias: { '@': path.join(here, '../src') } },
    build: { outDir, chunkSizeWarningLimit: 4000 },
    preview: { port: 0, host: '127.0.0.1' },
  }
  await build(config)
  const server = await preview(config)
  return { server, outDir, url: server.resolvedUrls.local[0] }
}

/** A fresh page each time: nothing is warm but what the browser keeps of the code. */
async function measureOnce(browser, url, way, size) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } })
  try {
    await page.goto(url)
    await page.waitForFunction(() => window.bench)
    const ready = await page.evaluate(([w, n]) => window.bench.measureReady(w, n), [way, size])
    await page.waitForTimeout(500)
    const frames =
      size <= 5000
        ? await page.evaluate(([w, n]) => window.bench.measureFrames(w, n), [way, FRAMES])
        : []
    return { ready, frames }
  } finally {
    await page.close()
  }
}

async function measure(url, executablePath) {
  const browser = await chromium.launch({ executablePath, args: FLAGS })
  const rows = []
  try {
    const version = browser.version()
    for (const [way, sizes] of Object.entries(SIZES)) {
      for (const size of sizes) {
        const load = loadavg()[0]
        const runs = []
        const times = way === 'ours' ? repeats : Math.min(repeats, 3)
        for (let run = 0; run < times; run += 1) {
          runs.push(await measureOnce(browser, url, way, size))
        }
        const frames = runs.map((run) => run.frames).filter((each) => each.length > 0)
        rows.push({
          way: NAMES[way],
          nodes: size,
          runs: times,
          ready_ms: round(median(runs.map((run) => run.ready))),
          ready_all_ms: runs.map((run) => round(run.ready)),
          frame_median_ms: frames.length > 0 ? round(median(frames.map(median))) : null,
          frame_p95_ms: frames.length > 0 ? round(median(frames.map(percentile95))) : null,
          load_before: round(load),
        })
        console.log(JSON.stringify(rows.at(-1)))
      }
    }
    return { version, rows }
  } finally {
    await browser.close()
  }
}

function describe({ version, rows, load, commit }) {
  const asked = (row) =>
    row.way === NAMES.ours
      ? `${READY_ASKED[row.nodes]}${row.nodes === 5000 ? ` / ${FRAME_ASKED}` : ''}`
      : ''
  const cells = rows.map((row) =>
    [
      row.way,
      row.nodes.toLocaleString('en'),
      row.ready_ms,
      row.frame_median_ms ?? '–',
      row.frame_p95_ms ?? '–',
      asked(row),
      row.load_before,
    ].join(' | '),
  )
  return `# Drawing a family tree

\`make bench-tree\`, ${new Date().toISOString().slice(0, 10)}, commit ${commit}. Headless Chromium ${version} with software
rendering, ${cpus().length} cores (${cpus()[0]?.model.trim()}), load average ${load.map((each) => each.toFixed(1)).join(', ')} at the end. A window of
1280 x 1000; medians of ${repeats} runs (3 for the others), each in a fresh page.

| | nodes | ready, ms | median frame, ms | 95th percentile frame, ms | asked (ready / frame) | load |
|---|---|---|---|---|---|---|
${cells.map((line) => `| ${line} |`).join('\n')}

*Ready*: from the family in memory to the frame after the one that shows it, all of it, no siblings grouped. Ours is the
whole workbench of the family page: building the genealogy, layout, toolbar, legend. The others are given our places (their own
layouts take longer), whose making is part of their time too. *Frame*: between frames while ${FRAMES} turns of the wheel, one per frame, zoom in
and out again. 16.7 is the least there is.
`
}

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const { server, outDir, url } = await servePages()
try {
  const { version, rows } = await measure(url, executablePath)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: here })
    .toString()
    .trim()
  const result = { version, rows, load: loadavg(), commit, cores: cpus().length }
  await writeFile(path.join(options.out, 'tree.json'), `${JSON.stringify(result, null, 2)}\n`)
  await writeFile(path.join(options.out, 'tree.md'), describe(result))
} finally {
  await new Promise((resolve) => server.httpServer.close(resolve))
  await rm(outDir, { recursive: true })
}
