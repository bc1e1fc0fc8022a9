/**
 * How a long log scrolls in Chromium: `node benchmarks/scrolling.mjs URL TASK USER` with the password
 * on standard input. Prints one JSON object: milliseconds until the last line is seen, frame times of
 * three ways to scroll, and what the page holds in memory before and after.
 */
import { readFileSync } from 'node:fs'
import { openBrowser } from '../tests/e2e/browser.mjs'

const [url, task, user] = process.argv.slice(2)
const PHASE_MS = 8_000
const TURNS = 3
/** A screen that draws 60 times a second is late after this. */
const LATE_MS = 34

/** Times between frames while the box is moved before each; runs in the page. */
function frames({ how, forMs }) {
  const box = document.querySelector('.log-box')
  const way = box.scrollHeight - box.clientHeight
  const ways = {
    nothing: () => undefined,
    // As fast as a wheel or a finger on a pad.
    lines: (_, sign) => box.scrollBy(0, sign * 60),
    pages: (_, sign) => box.scrollBy(0, sign * box.clientHeight),
    // The handle of the scroll bar from one end to the other and back.
    handle: (part) => (box.scrollTop = way * (1 - Math.abs(1 - 2 * part))),
  }
  return new Promise((resolve) => {
    const times = []
    const begun = performance.now()
    let last = begun
    const next = (now) => {
      times.push(now - last)
      last = now
      const part = (now - begun) / forMs
      if (part >= 1) return resolve(times.slice(1))
      ways[how](part, part < 0.5 ? -1 : 1)
      requestAnimationFrame(next)
    }
    requestAnimationFrame(next)
  })
}

function summary(times) {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] * 10) / 10
  return {
    frames: times.length,
    median_ms: at(0.5),
    p95_ms: at(0.95),
    worst_ms: at(1),
    late_percent: Math.round((1000 * times.filter((ms) => ms > LATE_MS).length) / times.length) / 10,
  }
}

async function held(page, inspector) {
  await inspector.send('HeapProfiler.collectGarbage')
  const { usedSize } = await inspector.send('Runtime.getHeapUsage')
  const nodes = await page.evaluate(() => document.querySelectorAll('.log-box *').length)
  return { heap_mb: Math.round(usedSize / 1e5) / 10, nodes }
}

const { browser, page, errors } = await openBrowser()
try {
  const password = readFileSync(0, 'utf-8').trim()
  const signedIn = await page.context().request.post(`${url}/api/v1/auth/login`, {
    data: { username: user, password },
    headers: { 'X-EasyTune': '1' },
  })
  if (!signedIn.ok()) throw new Error(`sign-in: ${signedIn.status()} ${await signedIn.text()}`)
  const inspector = await page.context().newCDPSession(page)
  await page.goto(`${url}/training/${task}`)
  await page.getByRole('tab').nth(2).waitFor()
  await page.waitForLoadState('networkidle')
  const begun = performance.now()
  await page.getByRole('tab').nth(2).click()
  await page.locator('.log-box [data-number]').first().waitFor()
  const found = { opened_ms: Math.round(performance.now() - begun) }
  await page.waitForTimeout(2_000)
  found.before = await held(page, inspector)
  // Nothing moves: what the machine can do at best, now.
  found.control = summary(await page.evaluate(frames, { how: 'nothing', forMs: 3_000 }))
  for (const how of ['lines', 'pages', 'handle']) {
    const times = []
    for (let turn = 0; turn < TURNS; turn++) {
      times.push(...(await page.evaluate(frames, { how, forMs: PHASE_MS / TURNS })))
    }
    found[how] = summary(times)
  }
  await page.waitForTimeout(2_000)
  found.after = await held(page, inspector)
  found.errors = errors
  console.log(JSON.stringify(found))
} finally {
  await browser.close()
}
