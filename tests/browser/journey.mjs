// Drives a real Chromium over a running Model Heritage, as a person would.
//
//   node journey.mjs '{"base": "http://127.0.0.1:5001", "chromium": "/usr/bin/chromium",
//                      "file": "/path/child.safetensors", "name": "child", "parent": "base"}'
//
// Sends the file over a line that is interrupted, drops it again on the start page, waits for its parent's name and a percentage, walks on to the
// family tree. Prints one line per step; ends with status 1 and the reason when a step fails.

import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'

import { checkPage, dropPaths, launch, openContext, step, takePicture } from './driver.mjs'

const { base, chromium, file, name, parent } = JSON.parse(process.argv[2])

/** Over a slow line the page is closed in the middle; the same file, dropped again, goes on. */
async function interruptAndResume(context) {
  const page = await context.newPage()
  const line = await context.newCDPSession(page)
  const { size } = await stat(file)
  await page.goto(`${base}/add`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await line.send('Network.enable')
  await line.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: size / 6,
  })
  await dropPaths(page, [file])
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
  await dropPaths(page, [file])
  await page.waitForURL('**/add')
  await page.getByLabel('Name').fill(name)
  await page.getByRole('button', { name: 'Add 1 model' }).click()
  const result = page.getByTestId('upload-result')
  await result.waitFor()
  const text = await result.innerText()
  assert.ok(text.includes(parent), `the result names the parent "${parent}": ${text}`)
  assert.match(text, /\d+%/, 'the result says how sure it is')
  step(`dropped: ${text.split('\n').slice(0, 2).join(' ')}`)
  await checkPage(page, 'the result of an upload')
  await takePicture(page, 'resumed')
}

async function dropAgain(page) {
  await page.goto(`${base}/models`)
  await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor()
  await dropPaths(page, [file])
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

const browser = await launch(chromium)
try {
  const page = await interruptAndResume(await openContext(browser))
  await dropAgain(page)
  await walkTheFamily(page)
} finally {
  await browser.close()
}
