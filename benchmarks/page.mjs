// Measures the built pages in a Chromium; see page.py, which starts it. Prints JSON:
// {"paints": {page: [ms, …]}, "answers": {interaction: [ms, …]}}.

import { createRequire } from 'node:module'

const require = createRequire(new URL('../model_heritage_frontend/package.json', import.meta.url))
const { chromium } = require('playwright-core')

const { base, chromium: executablePath, rounds } = JSON.parse(process.argv[2])
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})

/** A new context has no cache: every paint is that of a first visit. */
async function openPage() {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  await context.addInitScript(() => localStorage.setItem('model-heritage.tour', 'done'))
  return context.newPage()
}

async function measurePaint(path) {
  const page = await openPage()
  await page.goto(base + path, { waitUntil: 'load' })
  const paint = await page.evaluate(
    () =>
      new Promise((resolve) => {
        new PerformanceObserver((list) => {
          const entry = list.getEntriesByName('first-contentful-paint')[0]
          if (entry) resolve(entry.startTime)
        }).observe({ type: 'paint', buffered: true })
      }),
  )
  await page.context().close()
  return paint
}

/** The longest event of one action, as Interaction to Next Paint counts it. */
async function measureAnswer(page, act) {
  await page.evaluate(() => {
    globalThis.longest = 0
    globalThis.watching?.disconnect()
    globalThis.watching = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.interactionId) globalThis.longest = Math.max(globalThis.longest, entry.duration)
      }
    })
    globalThis.watching.observe({ type: 'event', durationThreshold: 16 })
  })
  await act()
  await page.waitForTimeout(400)
  // Shorter ones than 16 ms are not told at all.
  return page.evaluate(() => Math.max(globalThis.longest, 8))
}

async function measureAnswers(answers) {
  const page = await openPage()
  const note = async (name, act) => {
    answers[name] = [...(answers[name] ?? []), await measureAnswer(page, act)]
  }
  await page.goto(`${base}/models`, { waitUntil: 'networkidle' })
  const search = page.getByLabel('Search models by name')
  await note('typing a letter of a search', () => search.press('a'))
  await note('typing on', () => search.press('t'))
  await page.waitForLoadState('networkidle')
  await note('clearing the search', () => page.getByRole('button', { name: 'Clear search' }).click())
  await note('choosing a relation', async () => {
    const select = page.getByLabel('Relation to parent')
    await select.focus()
    await page.keyboard.press('ArrowDown')
  })
  await page.getByRole('button', { name: 'Clear filters' }).click()
  await note('cards to table', () => page.getByRole('radio', { name: 'Table' }).click())
  await page.waitForLoadState('networkidle')
  await note('sorting by a column', () => page.getByRole('button', { name: 'Parameters' }).click())
  await page.waitForLoadState('networkidle')
  for (let page_ = 0; page_ < 12; page_ += 1) {
    await page.mouse.wheel(0, 4000)
    await page.waitForTimeout(120)
  }
  await page.waitForLoadState('networkidle')
  await note('marking a model far down', () => page.locator('tbody input').nth(12).click())
  await note('opening the question before deleting', () =>
    page.getByRole('button', { name: 'Delete' }).click(),
  )
  await note('closing it', () => page.getByRole('button', { name: 'Cancel' }).click())
  await note('opening a model', () => page.getByRole('row').nth(8).getByRole('link').first().click())
  await page.waitForLoadState('networkidle')
  await note('opening its edit dialog', () => page.getByRole('button', { name: 'Edit' }).click())
  await page.keyboard.press('Escape')
  await note('to the statistics', () => page.getByRole('link', { name: 'Statistics' }).first().click())
  await page.waitForLoadState('networkidle')
  await note('opening a table of figures', () => page.locator('summary').first().click())
  await note('opening the help', () => page.keyboard.press('?'))
  await page.context().close()
}

const paints = {}
const answers = {}
for (let round = 0; round < rounds; round += 1) {
  for (const path of ['/', '/models', '/models?view=table', '/families', '/statistics', '/add']) {
    paints[path] = [...(paints[path] ?? []), await measurePaint(path)]
  }
  await measureAnswers(answers)
}
console.log(JSON.stringify({ paints, answers }))
await browser.close()
