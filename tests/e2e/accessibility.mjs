/**
 * Every page of the app under axe-core, in each language and both themes: no violation that is
 * serious or critical. Colours know no language, so their contrast, which costs the most, is looked
 * at in the first language only. Uses a platform that holds data already; the languages run side by side.
 */
import { readFileSync } from 'node:fs'
import { until } from './browser.mjs'

const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf-8')
export const LANGUAGES = ['en', 'zh-CN']
const TABS = ['summary', 'metrics', 'logs', 'samples', 'config', 'checkpoints', 'events']
const BAD = new Set(['serious', 'critical'])

// Data sets in the states that the good example never has.
const FILES = {
  'unmapped.csv': 'foo,bar,baz\n1,2,3\n4,5,6\n',
  'broken.jsonl':
    '{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n{"messages":\n',
  'empty.jsonl': '',
}

/** Uploads `FILES`; the addresses of their pages by file name. */
async function addDatasets(page) {
  return page.evaluate(async (files) => {
    const addresses = {}
    for (const [name, text] of Object.entries(files)) {
      const body = new FormData()
      body.append('name', name)
      body.append('file', new Blob([text]), name)
      const headers = { 'X-EasyTune': '1' }
      const answer = await fetch('/api/v1/datasets', { method: 'POST', body, headers })
      addresses[name] = `/data/${(await answer.json()).id}`
    }
    return addresses
  }, FILES)
}

async function violations(page, rules) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE)
  const { violations: found } = await page.evaluate(
    (options) => window.axe.run(document, { resultTypes: ['violations'], ...options }),
    rules,
  )
  return found
    .filter(({ impact }) => BAD.has(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 5).map(({ html }) => html.slice(0, 160)).join('\n    ')}`)
}

/** Waits until the theme is the one asked for and nothing fades any more (what spins may spin). */
const settled = (page, theme) =>
  page.waitForFunction(
    (wanted) =>
      document.documentElement.dataset.theme === wanted &&
      document
        .getAnimations()
        .every(({ playState, effect }) => playState !== 'running' || effect.getTiming().iterations === Infinity),
    theme,
    { polling: 30 },
  )

const NAMES = { 'label-content-name-mismatch': { enabled: true } }
/** What is looked for in which theme. A theme changes colours and nothing else. */
const ALL = { light: { rules: NAMES }, dark: { runOnly: ['color-contrast'] } }
const WORDS = { light: { rules: { ...NAMES, 'color-contrast': { enabled: false } } } }

/** The page as it stands, in the themes that `report` wants to hear of: the one in force first. */
async function check(page, name, report) {
  const themes = Object.entries(report.rules)
  if (await page.evaluate(() => document.documentElement.dataset.theme === 'dark')) themes.reverse()
  for (const [theme, rules] of themes) {
    await page.emulateMedia({ colorScheme: theme })
    await settled(page, theme)
    let barriers = await violations(page, rules)
    if (barriers.length > 0) {
      // A button that was just then fading is no barrier; what is one stays.
      await page.waitForTimeout(1000)
      await settled(page, theme)
      barriers = await violations(page, rules)
    }
    for (const found of barriers) report(`${name}, ${theme}: ${found}`)
  }
}

async function checkWizard(page, url, task, report) {
  await page.goto(`${url}/training/new?clone=${task}`)
  await page.locator('#field-name').fill('Looked at')
  for (const step of [1, 2, 3, 4]) {
    await page.locator('main h2').first().waitFor()
    if (step === 3) await page.locator('[aria-controls=advanced-settings]').click()
    await check(page, `wizard step ${step}`, report)
    if (step < 4) await page.locator('main button[type=submit]').click()
  }
}

async function checkDialogs(page, url, report) {
  await page.goto(`${url}/models?add=1`)
  await page.getByRole('dialog').waitFor()
  await check(page, 'dialog to add a model', report)
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').getByRole('combobox').waitFor()
  await check(page, 'jump panel', report)
}

async function checkLanguage(browser, url, language, { addresses, task, cookies }, report) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 720 },
    reducedMotion: 'reduce',
  })
  await context.addInitScript((code) => localStorage.setItem('easytune.language', code), language)
  const page = await context.newPage()
  const say = Object.assign((text) => report(`${language}, ${text}`), {
    rules: language === LANGUAGES[0] ? ALL : WORDS,
  })
  await page.goto(`${url}/login`)
  await page.locator('input[type=password]').waitFor()
  await check(page, '/login', say)
  await context.addCookies(cookies)
  for (const address of addresses) {
    await page.goto(url + address)
    await page.getByRole('heading', { level: 1 }).first().waitFor()
    await check(page, address, say)
  }
  await checkWizard(page, url, task, say)
  await checkDialogs(page, url, say)
  await context.close()
}

/** Runs that ended in other ways than `task`: the page of one of each, with the log beside its panel. */
async function others(page, task) {
  const { items } = await page.evaluate(() => fetch('/api/v1/tasks?limit=200').then((answer) => answer.json()))
  const found = new Map(items.filter(({ status, id }) => status !== 'COMPLETED' && id !== task).map((each) => [each.status, each.id]))
  return [...found.values()].flatMap((id) => [`/training/${id}`, `/training/${id}?tab=logs`])
}

/** What axe-core finds serious or critical on any page; `task`: a run that has completed. */
export async function findBarriers(page, url, task, languages = LANGUAGES) {
  const files = await addDatasets(page)
  await until('the files are imported', async () => {
    const all = await page.evaluate(() => fetch('/api/v1/datasets').then((answer) => answer.json()))
    return all.items.every(({ status }) => status !== 'importing')
  })
  const addresses = [
    '/', '/data', '/models', '/training', '/playground', '/system', '/nowhere',
    '/notices', '/notices?tab=preferences', '/notices?tab=targets',
    ...Object.values(files),
    `/data/${task}`, `/training/${files['empty.jsonl'].split('/').pop()}`, // of another kind: not there
    ...TABS.map((tab) => `/training/${task}?tab=${tab}`),
    ...(await others(page, task)), // failed, stopped, waiting: where there are such
    `/training/compare?ids=${task}`, '/training?q=nothing-has-this-name&tag=none', '/training/compare',
    `/training/${task}?tab=logs&level=error&q=loss&regex=1&only=1`, `/training/${task}?tab=logs&q=(&regex=1`,
  ] // prettier-ignore
  const { items } = await page.evaluate(() =>
    fetch('/api/v1/datasets?status=ready').then((answer) => answer.json()),
  )
  for (const tab of ['preview', 'fields', 'quality', 'report', 'versions']) {
    addresses.push(`/data/${items[0].id}?tab=${tab}`)
  }
  for (const view of ['conversation', 'raw']) addresses.push(`/data/${items[0].id}?view=${view}`)
  addresses.push(`/data/${items[0].id}?open=1`, `/data/${items[0].id}/prepare`)
  const cookies = await page.context().cookies()
  const found = []
  const seen = { addresses, task, cookies }
  await Promise.all(
    languages.map((language) =>
      checkLanguage(page.context().browser(), url, language, seen, (text) => found.push(text)),
    ),
  )
  return found
}
