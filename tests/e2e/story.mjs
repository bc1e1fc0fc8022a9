/**
 * The main job as a user does it: set up, upload, add the starter model, train, watch, reload in
 * between, talk to both models, take the result away; at the end every page is looked at for barriers.
 *
 * Usage: node story.mjs URL SETUP_TOKEN OUT_DIR [whole]. Writes OUT_DIR/story.json and screenshots;
 * `whole` looks for barriers in every language, else in the first one.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBarriers, LANGUAGES } from './accessibility.mjs'
import { openBrowser, until } from './browser.mjs'

const [url, token, out, extent] = process.argv.slice(2)
const example = fileURLToPath(new URL('../../examples/customer-service.jsonl', import.meta.url))
const STEPS = 8 // of four rows, a quarter of a minute each on two busy cores; the loss has fallen by half long before
const QUESTION = 'What is your return period?'
const MINUTES = 60_000

mkdirSync(out, { recursive: true })
const { browser, page, errors } = await openBrowser()
const story = { prompt: QUESTION }
const main = page.locator('main')
const shot = (name) => page.screenshot({ path: join(out, `${name}.png`) })
const api = (path) => page.evaluate((p) => fetch(p).then((answer) => answer.json()), `/api/v1${path}`)
/** With the seconds since the start: what takes long is seen at once. */
const said = (text) => process.stdout.write(`${Math.round(performance.now() / 1000)} s: ${text}\n`)

async function setUp() {
  await page.goto(url)
  await page.getByLabel('Setup token').fill(token)
  await page.getByLabel('User name').fill('ada')
  await page.locator('input[type=password]').fill('nine quiet herons at dusk')
  await page.getByRole('button', { name: 'Create administrator' }).click()
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
  await shot('overview-first')
  said('set up')
}

async function upload() {
  await page.goto(`${url}/data`)
  await page.locator('input[type=file]').setInputFiles(example)
  const link = main.getByRole('link', { name: 'customer-service' }).first()
  await link.waitFor({ timeout: MINUTES })
  await main.locator('table').getByText('Ready').first().waitFor({ timeout: MINUTES })
  await link.click()
  await main.getByText('Dibblewick').first().waitFor()
  await shot('dataset')
  said('uploaded')
}

async function addStarter() {
  await page.goto(`${url}/models`)
  await page.getByRole('button', { name: /Add the starter model/ }).first().click()
  await until(
    'the starter model is ready',
    async () => (await api('/models')).items.some(({ status }) => status === 'ready'),
    8 * MINUTES,
  )
  await main.getByText('Ready').first().waitFor({ timeout: MINUTES })
  await shot('models')
  said('starter model ready')
}

async function chooseSource(id, name) {
  await page.locator(`#${id}`).click()
  await page.locator('.ant-select-dropdown:visible').getByText(name).first().click()
}

async function wizard() {
  await page.goto(`${url}/training/new`)
  await page.locator('#field-name').fill('Support bot')
  await page.locator('#field-output_name').fill('support-bot')
  await shot('wizard-goal')
  const next = page.getByRole('button', { name: 'Next', exact: true })
  await next.click()
  await chooseSource('field-model_id', 'SmolLM2')
  await chooseSource('field-dataset_id', 'customer-service')
  await page.getByText('Model and data fit each other').waitFor()
  await shot('wizard-sources')
  await page.getByText('Draft saved').waitFor()
  await page.reload() // nothing may be lost
  await page.getByText('Model and data fit each other').waitFor()
  await next.click()
  await page.getByRole('button', { name: /advanced settings/ }).click()
  await page.locator('#field-hyperparameters-max_steps').fill(String(STEPS))
  await page.locator('#field-hyperparameters-batch_size').fill('4')
  await page.locator('#field-hyperparameters-learning_rate').fill('0.001')
  await shot('wizard-method')
  await next.click()
  const start = page.getByRole('button', { name: 'Start training' })
  await start.waitFor()
  await until('the estimate is there', () => start.isEnabled())
  await shot('wizard-review')
  await start.dblclick() // two clicks, one task
  await page.waitForURL(/\/training\/[0-9a-f-]{36}/)
  story.task = page.url().match(/training\/([0-9a-f-]{36})/)[1]
  const { items } = await api('/tasks')
  if (items.length !== 1) throw new Error(`two clicks made ${items.length} tasks`)
  said('started')
}

async function watch() {
  const path = `/tasks/${story.task}`
  await until('training runs', async () => (await api(path)).step >= 2, 6 * MINUTES)
  await main.locator('canvas').first().waitFor()
  await shot('run')
  await main.getByRole('tab', { name: 'Logs' }).click()
  const log = page.getByRole('log')
  await log.getByText(/step 2\//).waitFor({ timeout: MINUTES })
  await page.reload()
  await log.getByText(/step 2\//).waitFor()
  const step = (await api(path)).step
  await log.getByText(new RegExp(`step ${step + 2}/`)).waitFor({ timeout: 6 * MINUTES })
  await shot('run-logs')
  said(`the log streams, also after a reload at step ${step}`)
  await main.getByText('Completed', { exact: true }).first().waitFor({ timeout: 12 * MINUTES })
  story.status = 'Completed'
  const { series } = await api(`${path}/metrics`)
  story.first_loss = series.loss[0].value
  story.last_loss = series.loss.slice(-4).reduce((sum, { value }) => sum + value / 4, 0)
  await main.getByRole('tab', { name: 'Summary' }).click()
  await main.locator('canvas').first().waitFor()
  await page.waitForTimeout(500)
  await shot('run-completed')
  said(`completed: loss ${story.first_loss} to ${story.last_loss}`)
}

async function talk() {
  const asked = page.waitForRequest(
    (request) =>
      request.url().endsWith('/playground/generate') && request.postDataJSON().task_id !== undefined,
  )
  await main.getByRole('link', { name: 'Try it in the playground' }).click()
  await page.getByRole('textbox', { name: /Your question/ }).fill(QUESTION)
  await page.getByRole('button', { name: 'Send' }).click()
  const { messages } = (await asked).postDataJSON()
  story.system = messages.find(({ role }) => role === 'system')?.content ?? ''
  const facts = page.getByText(/tokens\/s/)
  await until('both have answered', async () => (await facts.count()) >= 2, 5 * MINUTES)
  const answers = await page.locator('.playground-answer').allInnerTexts()
  story.tuned_answer = answers[0]
  story.base_answer = answers[1]
  await shot('playground')
  said(`tuned: ${answers[0]}\nbase: ${answers[1]}`)
}

async function takeAway() {
  await page.goto(`${url}/training/${story.task}`)
  const download = page.waitForEvent('download')
  await main.getByRole('link', { name: 'Download model' }).click()
  story.artifact = join(out, 'artifact.zip')
  await (await download).saveAs(story.artifact)
  said('downloaded')
}

async function otherLanguage() {
  await page.goto(url)
  await main.getByText('Support bot').first().waitFor()
  await page.waitForTimeout(500)
  await shot('overview')
  await page.evaluate(() => localStorage.setItem('easytune.language', 'zh-CN'))
  for (const [name, path] of [
    ['overview', '/'],
    ['datasets', '/data'],
    ['models', '/models'],
    ['tasks', '/training'],
    ['run', `/training/${story.task}`],
    ['wizard', '/training/new'],
    ['playground', '/playground'],
    ['system', '/system'],
  ]) {
    await page.goto(url + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.waitForTimeout(700)
    const chinese = await main.evaluate((element) => /\p{Script=Han}/u.test(element.innerText))
    if (!chinese) throw new Error(`${path} shows no Chinese`)
    await shot(`zh-${name}`)
  }
  said('looked at in Chinese')
}

async function everybody() {
  const languages = extent === 'whole' ? LANGUAGES : LANGUAGES.slice(0, 1)
  const barriers = await findBarriers(page, url, story.task, languages)
  if (barriers.length > 0) throw new Error(`axe-core found barriers:\n${barriers.join('\n')}`)
  said(`no barriers on any page, in both themes, in ${languages.join(' and ')}`)
}

try {
  await setUp()
  await upload()
  await addStarter()
  await wizard()
  await watch()
  await talk()
  await takeAway()
  await otherLanguage()
  await everybody()
  if (errors.length > 0) throw new Error(`the pages reported errors:\n${errors.join('\n')}`)
  writeFileSync(join(out, 'story.json'), JSON.stringify(story, null, 2))
} catch (error) {
  await shot('failed').catch(() => undefined)
  process.stderr.write(`${error.stack}\nat ${page.url()}\n${errors.join('\n')}\n`)
  process.exitCode = 1
} finally {
  await browser.close()
}
