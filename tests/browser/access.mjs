// Signs in to a server that asks for tokens, as a person would, and works there with the session.
//
//   node access.mjs '{"base": "http://127.0.0.1:5001", "chromium": "/usr/bin/chromium",
//                     "token": "mh_…", "file": "/path/base.safetensors"}'

import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'

import { checkPage, dropPaths, launch, openContext, step, takePicture } from './driver.mjs'

const { base, chromium, token, file } = JSON.parse(process.argv[2])

async function signIn(page, text) {
  await page.getByLabel('Token').fill(text)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const browser = await launch(chromium)
const context = await openContext(browser)
const page = await context.newPage()
const addresses = []
page.on('request', (request) => addresses.push(request.url()))

await page.goto(`${base}/models`)
await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
await checkPage(page, 'sign-in')
await takePicture(page, 'sign-in')
await signIn(page, `${token.slice(0, -2)}AA`)
await page.getByText('This is no token of this server.').waitFor()
await signIn(page, token)
await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor()
step('signed in')

const [cookie] = await context.cookies(`${base}/api/`)
assert.deepEqual(
  [cookie.httpOnly, cookie.sameSite, cookie.path, cookie.value.includes(token)],
  [true, 'Strict', '/api', false],
)
assert.equal(await page.evaluate(() => document.cookie), '')

await page.goto(`${base}/add`)
await page.getByRole('heading', { level: 1, name: 'Add Model' }).waitFor()
await dropPaths(page, [file])
await page.getByRole('button', { name: 'Add 1 model' }).click()
await page.evaluate(async () => {
  for (let tries = 0; tries < 300; tries += 1) {
    const { models } = await (await fetch('/api/models')).json()
    if (models[0]?.status === 'ok') return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the model does not arrive')
})
step('uploaded in pieces')

const answers = await page.evaluate(async () => {
  const list = await (await fetch('/api/models')).json()
  const [model] = list.models
  const download = await fetch(model.weights_uri)
  const [job] = (await (await fetch('/api/jobs')).json()).jobs
  const event = await new Promise((resolve, reject) => {
    const stream = new EventSource(`/api/jobs/${job.id}/events`)
    stream.addEventListener('done', (said) => {
      stream.close()
      resolve(JSON.parse(said.data).state)
    })
    stream.addEventListener('error', () => reject(new Error('no events')))
  })
  return { bytes: (await download.arrayBuffer()).byteLength, event }
})
assert.deepEqual(answers, { bytes: (await stat(file)).size, event: 'done' })
step('downloads and event streams work')

await page.goto(`${base}/settings`)
await page.getByText('yours').waitFor()
await page.getByRole('button', { name: 'Make a token' }).click()
await page.getByLabel('What it is for').fill('CI')
await checkPage(page, 'the form of a token')
await page.getByRole('dialog').getByRole('button', { name: 'Make a token' }).click()
await page.getByText(/^mh_/).waitFor()
await takePicture(page, 'new-token')
await page.getByRole('button', { name: 'Done' }).click()
await page.getByText('CI', { exact: true }).waitFor()
await checkPage(page, 'tokens')
await takePicture(page, 'tokens')
step('made a token')

await page.getByRole('button', { name: 'Your access' }).click()
await page.getByRole('menuitem', { name: 'Sign out' }).click()
await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor()
assert.equal(await page.evaluate(async () => (await fetch('/api/models')).status), 401)
assert.ok(!addresses.some((address) => address.includes('mh_')), 'a token in an address')
step('signed out')
await browser.close()
