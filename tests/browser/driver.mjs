// What journeys through the real page have in common: a browser, drops, accessibility, pictures.

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const frontEnd = fileURLToPath(new URL('../../model_heritage_frontend/package.json', import.meta.url))
const require = createRequire(frontEnd)
const { chromium } = require('playwright-core')
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8')

/** Pictures of the journeys, for whoever wants to look; not committed. */
const ARTEFACTS = fileURLToPath(new URL('artefacts/', import.meta.url))

const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
]

export const DESKTOP = { viewport: { width: 1280, height: 900 } }
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

/** Tells what was done, with the seconds since the beginning. */
export const step = (text) => console.log(`${(performance.now() / 1000).toFixed(1)} s: ${text}`)

export const launch = (executablePath) =>
  chromium.launch({ executablePath, args: CHROMIUM_FLAGS })

/** How long anything may take: long enough for machines that are several times slower than usual. */
export const PATIENCE = 240_000

/** A reader who has closed the tour before. */
export async function openContext(browser, options = DESKTOP) {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(PATIENCE)
  await context.addInitScript(() => localStorage.setItem('model-heritage.tour', 'done'))
  return context
}

export async function takePicture(page, name) {
  mkdirSync(ARTEFACTS, { recursive: true })
  await page.screenshot({ path: path.join(ARTEFACTS, `${name}.png`) })
}

/** Drops files or folders of the disk onto the page, as the operating system would. */
export async function dropPaths(page, paths) {
  const line = await page.context().newCDPSession(page)
  const data = { items: [], files: paths, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await line.send('Input.dispatchDragEvent', { type, x: 400, y: 400, data })
  }
  await line.detach()
}

/** Animations end first: half-faded text would be measured as low contrast. */
async function settle(page) {
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'hidden' })
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getTiming().iterations !== Infinity)
        .map((animation) => animation.finished.catch(() => undefined)),
    ),
  )
}

/** Not one violation that axe knows, and nothing wider than the screen. */
export async function checkPage(page, label) {
  await settle(page)
  // Evaluated, not added as a script element: the page's content policy stays as it is.
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document))
  const told = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.map((node) => node.html).join('\n    ')}`,
  )
  assert.deepEqual(told, [], `accessibility of ${label}:\n  ${told.join('\n  ')}`)
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  assert.equal(overflow, 0, `${label}: the page is wider than the screen`)
}

/** Faults that the page itself reports: exceptions, and anything written to console.error. */
export function collectFaults(page) {
  const faults = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  return faults
}

/** Requests that leave the server of the page; there must be none. */
export function collectStrangers(page, base) {
  const strangers = []
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(base) && !/^(data|blob):/.test(url)) strangers.push(url)
  })
  return strangers
}
