// Drives a real Chromium over a running Model Heritage, as a person would.
//
//   node journey.mjs '{"base": "http://127.0.0.1:5001", "chromium": "/usr/bin/chromium",
//                      "file": "/path/child.safetensors", "name": "child", "parent": "base"}'
//
// Sends the file over a line that is interrupted, drops it again on the start page, waits for its parent's name and a percentage, walks on to the
// family tree, and looks for serious accessibility faults on every page, light, dark and on a phone.
// Prints one line per step; ends with status 1 and the reason when a step fails.

import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const frontEnd = fileURLToPath(new URL('../../model_heritage_frontend/package.json', import.meta.url))
const require = createRequire(frontEnd)
const { chromium } = require('playwright-core')
const axe = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8')

const { base, chromium: executablePath, file, name, parent } = JSON.parse(process.argv[2])

const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
]

const step = (text) => console.log(text)

/** Drops a file onto whatever is under the middle of the page, as the operating system would. */
async function dropFile(page, filePath) {
  const content = (await readFile(filePath)).toString('base64')
  const transfer = await page.evaluateHandle(
    ({ content, fileName }) => {
      const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0))
      const data = new DataTransfer()
      // The same file has the same time, whenever it is dropped.
      data.items.add(new File([bytes], fileName, { lastModified: 1 }))
      return data
    },
    { content, fileName: path.basename(filePath) },
  )
  for (const event of ['dragenter', 'dragover', 'drop']) {
    await page.dispatchEvent('main', event, { dataTransfer: transfer })
  }
}

async function checkAccessibility(page, label) {
  // Animations end first: half-faded text would be measured as low contrast.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getTiming().iterations !== Infinity)
        .map((animation) => animation.finished),
    ),
  )
  // Evaluated, not added as a script element: the page's content policy stays as it is.
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document))
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.map((node) => node.html).join('\n    ')}`)
  assert.deepEqual(serious, [], `accessibility of ${label}:\n  ${serious.join('\n  ')}`)
}

/** Faults that the page itself reports: exceptions, and anything written to console.error. */
function collectFaults(page) {
  const faults = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  return faults
}

/** Over a slow line the page is closed in the middle; the same file, dropped again, goes on. */
async function interruptAndResume(context) {
  const page = await context.newPage()
  const line = await context.newCDPSession(page)
  const { size } = await stat(file)
  await page.goto(`${base}/add`)
  await line.send('Network.enable')
  await line.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: size / 6,
  })
  await dropFile(page, file)
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Add 1 model' }).click()
  // A percentage above zero: some of it is on its way.
  await page.getByText(/, [1-9]\d?%/).waitFor()
  await page.getByRole('button', { name: /^Pause/ }).click()
  await page.getByText('Paused. What has arrived is kept.').waitFor()
  await page.close()

  const again = await context.newPage()
  const uploads = []
  again.on('request', (request) => {
    if (request.url().includes('/api/uploads')) uploads.push(request)
  })
  await dropAndSeeParent(again)
  assert.ok(!uploads.some((request) => request.url().endsWith('/api/uploads')), 'begun only once')
  const patch = uploads.find((request) => request.method() === 'PATCH')
  const offset = Number(patch?.headers()['upload-offset'])
  assert.ok(offset > 0 && offset < size, `goes on in the middle: at ${offset} of ${size}`)
  step(`interrupted and resumed at ${Math.round((100 * offset) / size)}%`)
  return again
}

async function dropAndSeeParent(page) {
  await page.goto(`${base}/`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await dropFile(page, file)
  await page.waitForURL('**/add')
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Add 1 model' }).click()
  const result = page.getByTestId('upload-result')
  await result.waitFor({ timeout: 60_000 })
  const text = await result.innerText()
  assert.ok(text.includes(parent), `the result names the parent "${parent}": ${text}`)
  assert.match(text, /\d+%/, 'the result says how sure it is')
  step(`dropped: ${text.split('\n').slice(0, 2).join(' ')}`)
  await checkAccessibility(page, 'the result of an upload')
}

async function dropAgain(page) {
  await page.goto(`${base}/models`)
  await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor()
  await dropFile(page, file)
  await page.waitForURL('**/add')
  await page.getByRole('button', { name: 'Add 1 model' }).click()
  await page.getByRole('link', { name: 'Open the model that is here' }).click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
  step('dropped again: led to the model that is here')
}

/** From the model to its family: parent above child in the list, and the tree takes the keyboard. */
async function walkTheFamily(page) {
  await page.getByRole('link', { name: 'Open the whole family' }).click()
  const tree = page.getByRole('application')
  await tree.waitFor()
  await page.getByRole('region', { name: `About ${name}` }).waitFor()
  await tree.focus()
  await page.keyboard.press('ArrowLeft')
  await page.getByRole('region', { name: `About ${parent}` }).waitFor()
  await page.getByRole('radio', { name: 'List' }).click()
  const levelOf = async (each) => {
    const link = page.getByRole('link', { name: each, exact: true })
    return Number(await page.getByRole('row').filter({ has: link }).getAttribute('aria-level'))
  }
  assert.equal(await levelOf(name), (await levelOf(parent)) + 1, 'one level below its parent')
  step('family: the child stands below its parent')
}

async function visitAll(browser, kind, options) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  const faults = collectFaults(page)
  const { models } = await (await fetch(`${base}/api/models`)).json()
  const child = models.find((model) => model.name === name)
  const pages = [
    '/',
    '/models',
    '/models?search=nothing-is-called-like-this',
    `/models/${child.id}`,
    '/families',
    `/families/${child.family_id}?model=${child.id}`,
    `/families/${child.family_id}?view=list`,
    '/compare',
    `/compare?a=${child.parent_id}&b=${child.id}`,
    '/statistics',
    '/jobs',
    '/add',
    '/no-such-page',
  ]
  for (const address of pages) {
    await page.goto(base + address, { waitUntil: 'networkidle' })
    await page.locator('[aria-busy=true]').first().waitFor({ state: 'hidden' })
    await checkAccessibility(page, `${address}, ${kind}`)
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    )
    assert.equal(overflow, 0, `${address}, ${kind}: the page is wider than the screen`)
  }
  assert.deepEqual(faults, [], `faults reported by the pages, ${kind}`)
  step(`${pages.length} pages, ${kind}: no serious accessibility fault`)
  await context.close()
}

const DESKTOP = { viewport: { width: 1280, height: 900 } }
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS })
try {
  const page = await interruptAndResume(await browser.newContext(DESKTOP))
  await dropAgain(page)
  await walkTheFamily(page)
  await page.close()
  await visitAll(browser, 'light', { ...DESKTOP, colorScheme: 'light' })
  await visitAll(browser, 'dark', { ...DESKTOP, colorScheme: 'dark' })
  await visitAll(browser, 'phone', { ...PHONE, colorScheme: 'light' })
} finally {
  await browser.close()
}
