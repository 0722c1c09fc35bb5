// Walks a family tree in a real Chromium: corrects it by dragging and by a form, takes that back,
// compares two models, and goes from the forest to a model's page with the keyboard alone.
//
//   node tree.mjs '{"base": "http://127.0.0.1:5001", "chromium": "/usr/bin/chromium",
//                   "child": "noisy-odd", "parent": "base", "other": "rotated"}'
//
// `child` descends from `parent` and not from `other`. Prints one line per step; ends with status 1
// and the reason when a step fails.

import assert from 'node:assert/strict'

import { launch, openContext, step, takePicture } from './driver.mjs'

const { base, chromium, child, parent, other } = JSON.parse(process.argv[2])

const get = async (address) => (await fetch(`${base}/api${address}`)).json()

async function findModel(name) {
  const { models } = await get(`/models?search=${encodeURIComponent(name)}`)
  return models.find((model) => model.name === name)
}

async function isParent(parentName) {
  return (await findModel(child)).parent_name === parentName
}

/** The tree is painted and stands still. */
async function settle(page) {
  await page.locator('canvas[data-painted]').waitFor()
  await page.waitForTimeout(600)
}

/** Where a model's card is on the page: the canvas tells nobody, so every place of it is tried. */
async function findOnCanvas(page, name) {
  const box = await page.getByRole('application').boundingBox()
  for (let y = box.y + 20; y < box.y + box.height; y += 24) {
    for (let x = box.x + 20; x < box.x + box.width - 60; x += 90) {
      await page.mouse.move(x, y)
      const card = page.getByTestId('hover-card')
      if ((await card.count()) > 0 && (await card.locator('p').first().innerText()) === name) {
        return { x, y }
      }
    }
  }
  throw new Error(`${name} is not on the canvas`)
}

async function correctByDragging(page, family) {
  await page.goto(`${base}/families/${family}`)
  await settle(page)
  const from = await findOnCanvas(page, child)
  const to = await findOnCanvas(page, other)
  await page.mouse.move(from.x, from.y)
  await page.mouse.down()
  await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 })
  await page.mouse.move(to.x, to.y, { steps: 4 })
  await page.mouse.up()
  const dialog = page.getByRole('dialog')
  await dialog.getByText(`${other} is the parent of ${child}?`).waitFor()
  await dialog.getByLabel('Your name').fill('Ann')
  await dialog.getByLabel(/How do you know/).fill('I trained it.')
  await dialog.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText(`${child}: ${parent} → ${other}`).waitFor()
  assert.ok(await isParent(other), 'the server has the new parent')
  step('corrected by dragging')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByText('Taken back.').waitFor()
  assert.ok(await isParent(parent), 'undone, it is what it was')
  step('undone: the tree is what it was')
}

async function correctByForm(page, family) {
  const { id } = await findModel(child)
  await page.goto(`${base}/families/${family}?model=${id}`)
  const panel = page.getByRole('region', { name: `About ${child}` })
  await panel.getByRole('button', { name: 'Not its parent' }).click()
  await panel.getByLabel('Your name').fill('Ann')
  await panel.getByRole('button', { name: 'Rule it out' }).click()
  await page.getByText('Stated by people').first().waitFor()
  assert.ok(!(await isParent(parent)), 'ruled out, it is no longer the parent')
  await page.getByRole('button', { name: /^Take back/ }).first().click()
  await page.getByText('Taken back.').waitFor()
  assert.ok(await isParent(parent), 'taken back, it is the parent again')
  step('ruled out and taken back')
}

async function compare(page) {
  const [first, second] = [await findModel(parent), await findModel(child)]
  await page.goto(`${base}/compare?a=${first.id}&b=${second.id}`)
  await page.getByText(`${child} descends directly from ${parent}`).waitFor()
  await page.getByRole('button', { name: /^All kinds, layer 0|, layer 0:/ }).first().click()
  await page.getByRole('button', { name: /^Only / }).waitFor()
  const tensors = page.getByRole('region', { name: 'Tensors' })
  await tensors.getByRole('button', { name: 'Tensor', exact: true }).click()
  const names = await tensors.getByRole('rowheader').allInnerTexts()
  assert.ok(names.length > 0, 'the layer has tensors')
  assert.match(page.url(), /layer=.*order=name|order=name.*layer=/, 'all of it is in the address')
  step(`compared: ${names.length} tensors of one layer, by name`)
}

/** No mouse from here on. */
async function walkByKeyboard(page) {
  await page.goto(`${base}/families`)
  const link = page.getByRole('article').getByRole('link').first()
  await link.waitFor()
  for (let press = 0; press < 40; press += 1) {
    await page.keyboard.press('Tab')
    if (await link.evaluate((element) => element === document.activeElement)) break
  }
  await page.keyboard.press('Enter')
  const tree = page.getByRole('application')
  await settle(page)
  for (let press = 0; press < 40; press += 1) {
    await page.keyboard.press('Tab')
    if (await tree.evaluate((element) => element === document.activeElement)) break
  }
  await page.keyboard.press('Home')
  await page.getByRole('region', { name: /^About / }).waitFor()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('/')
  await page.getByPlaceholder('Name').waitFor()
  await page.keyboard.type(child)
  await page.getByRole('option', { name: child, exact: true }).waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: `About ${child}` }).waitFor()
  await tree.focus()
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('Keys in the tree').waitFor()
  await page.keyboard.press('Escape')
  await tree.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: child }).waitFor()
  step('by keyboard: from the forest to a model')
}

const browser = await launch(chromium)
try {
  const context = await openContext(browser, {
    viewport: { width: 1280, height: 1100 },
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const faults = []
  page.on('pageerror', (error) => faults.push(error.message))
  const { family_id: family } = await findModel(child)
  for (const journey of [correctByDragging, correctByForm, compare, walkByKeyboard]) {
    try {
      await journey(page, family)
    } finally {
      await takePicture(page, `tree-${journey.name}`)
    }
  }
  assert.deepEqual(faults, [], 'exceptions in the page')
} finally {
  await browser.close()
}
