// From an empty lake to a full one, as people would go: the first tree, a folder of many files,
// finding and sharing, looking up, deleting, jobs, the phone; then every page in both themes.
//
//   node pages.mjs '{"base": …, "chromium": …, "family": {"base": "/path", …}, "stranger": "/path",
//                    "folder": "/path", "many": 150}'
//
// Prints one line per step; ends with status 1 and the reason when a step fails.

import assert from 'node:assert/strict'

import {
  checkPage,
  collectFaults,
  collectStrangers,
  DESKTOP,
  dropPaths,
  launch,
  openContext,
  PATIENCE,
  PHONE,
  step,
  takePicture,
} from './driver.mjs'

const { base, chromium, family, stranger, folder, many } = JSON.parse(process.argv[2])

const ask = async (path) => (await fetch(`${base}/api${path}`)).json()
const listModels = async () => (await ask('/models?limit=200')).models
const findModel = async (name) => (await listModels()).find((model) => model.name === name)

/** An empty lake says what to do; two files later there is a tree. */
async function firstTree(browser) {
  const page = await (await browser.newContext(DESKTOP)).newPage()
  page.setDefaultTimeout(PATIENCE)
  await page.goto(`${base}/`)
  await page.getByRole('heading', { name: 'The first three steps' }).waitFor()
  const tour = page.getByRole('region', { name: 'Tour' })
  await tour.getByRole('button', { name: 'Next' }).click()
  await checkPage(page, 'the first visit')
  await takePicture(page, 'first-visit')
  await tour.getByRole('button', { name: 'Close the tour for good' }).click()
  await page.reload()
  await page.getByRole('heading', { name: 'The first three steps' }).waitFor()
  assert.equal(await tour.count(), 0, 'the tour stays closed')
  await dropPaths(page, Object.values(family))
  await page.waitForURL('**/add')
  for (const [name, file] of Object.entries(family)) {
    const row = page.getByRole('group', { name: file.split('/').at(-1), exact: true })
    await row.getByLabel('Name').fill(name)
  }
  const count = Object.keys(family).length
  await page.getByRole('button', { name: `Add ${count} models` }).click()
  await page.getByTestId('upload-result').nth(count - 1).waitFor()
  await takePicture(page, 'first-models')
  await page.getByRole('link', { name: 'See it in its family' }).last().click()
  await page.getByRole('application').waitFor()
  await page.getByRole('heading', { level: 1 }).waitFor()
  await takePicture(page, 'first-tree')
  await page.close()
  step('first run: an empty lake, a tour, and the first tree')
}

/** A filter, a search and a view are an address; who gets it sees the same. */
async function findAndShare(context, browser) {
  const page = await context.newPage()
  await page.goto(`${base}/models`)
  await page.getByLabel('Search models by name').fill('noisy')
  await page.getByRole('radio', { name: 'Table' }).click()
  await page.getByLabel('Relation to parent').selectOption('merge')
  await page.getByRole('button', { name: 'Parameters' }).click()
  const table = page.getByRole('table', { name: 'Models' })
  await table.getByRole('link', { name: 'noisy-rotated', exact: true }).waitFor()
  await page.getByText('1 model', { exact: true }).waitFor()
  await takePicture(page, 'search')
  const other = await (await openContext(browser)).newPage()
  await other.goto(page.url())
  await other.getByText('1 model', { exact: true }).waitFor()
  const shared = other.getByRole('table', { name: 'Models' })
  await shared.getByRole('link', { name: 'noisy-rotated', exact: true }).waitFor()
  assert.equal(await other.getByLabel('Search models by name').inputValue(), 'noisy')
  await other.context().close()
  await page.close()
  step('searched, filtered, and shared by the address')
}

/** The file is looked up, its parent is named, and nothing is kept. */
async function identify(context) {
  const before = (await listModels()).length
  const page = await context.newPage()
  await page.goto(`${base}/add`)
  await page.getByRole('switch').click()
  await dropPaths(page, [stranger])
  await page.getByRole('button', { name: 'Look up 1 model' }).click()
  const answer = page.getByTestId('identified')
  await answer.getByRole('link', { name: 'noisy', exact: true }).first().waitFor()
  await checkPage(page, 'a file that was looked up')
  await takePicture(page, 'identified')
  assert.equal((await listModels()).length, before, 'nothing is stored')
  await page.close()
  step('identified, and nothing stored')
}

/** Whoever deletes a parent is told of its children first. */
async function deleteWithConsequences(context) {
  const { id } = await findModel('noisy')
  const page = await context.newPage()
  await page.goto(`${base}/models/${id}`)
  await page.getByRole('button', { name: 'Delete' }).click()
  const dialog = page.getByRole('alertdialog')
  await dialog.getByText(/lose(s)? (its|a) parent/).waitFor()
  await dialog.getByText('noisy-int8').waitFor()
  await checkPage(page, 'the question before deleting')
  await takePicture(page, 'delete')
  await dialog.getByRole('button', { name: 'Delete model' }).click()
  await page.waitForURL('**/models')
  await page.getByText(`${Object.keys(family).length - 1} models`, { exact: true }).waitFor()
  await page.close()
  step('deleted, with its consequences told before')
}

/** A folder of more files than a browser lists at once. */
async function dropFolder(context) {
  const before = (await listModels()).length
  const page = await context.newPage()
  await page.goto(`${base}/models`)
  await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor()
  await dropPaths(page, [folder])
  await page.waitForURL('**/add')
  await page.getByRole('button', { name: `Add ${many} models` }).click()
  await takePicture(page, 'folder')
  await page.getByTestId('upload-result').nth(many - 1).waitFor({ timeout: 1_200_000 })
  assert.equal((await ask('/models?limit=1')).total, before + many)
  await page.close()
  step(`a folder of ${many} files, dropped and stored`)
}

/** A job is asked for, and its row tells how it goes without a reload. */
async function followJob(context) {
  const page = await context.newPage()
  await page.goto(`${base}/jobs?kind=recluster`)
  await page.getByRole('heading', { name: 'No such jobs' }).waitFor()
  await page.getByRole('button', { name: 'Recluster' }).click()
  await page.getByRole('button', { name: 'Solve again' }).click()
  const row = page.getByRole('listitem').filter({ hasText: 'Solve the whole lake again' })
  await row.waitFor()
  await takePicture(page, 'job')
  await row.getByText('Done', { exact: true }).waitFor()
  await page.close()
  step('a job, followed to its end')
}

/** With one thumb: the menu, a list that scrolls on and on, a model. */
async function phone(browser) {
  const context = await openContext(browser, PHONE)
  const page = await context.newPage()
  const faults = collectFaults(page)
  await page.goto(`${base}/`)
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('navigation').getByRole('link', { name: 'Models' }).click()
  await page.getByRole('link', { name: 'base', exact: true }).waitFor()
  const last = page.getByRole('link', { name: `tiny-${many - 1}`, exact: true })
  for (let scrolls = 0; scrolls < 60 && (await last.count()) === 0; scrolls += 1) {
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight))
    await page.waitForTimeout(100)
  }
  await last.waitFor()
  assert.ok((await page.getByRole('listitem').count()) < 60, 'only what is near is drawn')
  const { id, family_id: home } = await findModel('noisy-rotated')
  for (const path of ['/', '/models', '/models?view=table', `/models/${id}`, `/families/${home}`]) {
    await page.goto(base + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await checkPage(page, `${path}, phone`)
  }
  await page.goto(`${base}/models/${id}`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await takePicture(page, 'phone')
  assert.deepEqual(faults, [], 'faults reported by the pages, phone')
  await context.close()
  step('a phone: menu, list, model; nothing is wider than the screen')
}

async function visitAll(browser, theme) {
  const context = await openContext(browser, { ...DESKTOP, colorScheme: theme })
  const page = await context.newPage()
  const faults = collectFaults(page)
  const strangers = collectStrangers(page, base)
  const child = await findModel('noisy-rotated')
  const pages = {
    home: '/',
    models: '/models',
    table: '/models?view=table&created_after=2020-01-01',
    nothing: '/models?search=nothing-is-called-like-this',
    model: `/models/${child.id}`,
    families: '/families',
    family: `/families/${child.family_id}?model=${child.id}`,
    list: `/families/${child.family_id}?view=list`,
    compare: '/compare',
    comparison: `/compare?a=${child.parent_id}&b=${child.id}`,
    statistics: '/statistics',
    jobs: '/jobs',
    settings: '/settings',
    add: '/add',
    missing: '/no-such-page',
  }
  for (const [name, path] of Object.entries(pages)) {
    await page.goto(base + path)
    await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' })
    await page.waitForLoadState('networkidle')
    await checkPage(page, `${path}, ${theme}`)
    await takePicture(page, `${name}-${theme}`)
  }
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Help' }).waitFor()
  await checkPage(page, `help, ${theme}`)
  assert.deepEqual(faults, [], `faults reported by the pages, ${theme}`)
  assert.deepEqual(strangers, [], `requests to other servers, ${theme}`)
  step(`${Object.keys(pages).length} pages and help, ${theme}: no violation`)
  await context.close()
}

const browser = await launch(chromium)
try {
  await firstTree(browser)
  const context = await openContext(browser)
  await findAndShare(context, browser)
  await identify(context)
  await deleteWithConsequences(context)
  await dropFolder(context)
  await followJob(context)
  await context.close()
  await phone(browser)
  await visitAll(browser, 'light')
  await visitAll(browser, 'dark')
} finally {
  await browser.close()
}
