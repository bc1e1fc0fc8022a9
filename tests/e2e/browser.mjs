/**
 * A real Chromium for the stories: started once, closed at the end, and every error that a page
 * reports makes the story fail.
 */
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'

const { path: executablePath } = JSON.parse(
  readFileSync(new URL('../../node_modules/.chromium.json', import.meta.url)),
)

const FLAGS = [
  '--no-sandbox', // containers and CI run as root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A page of 1280×800 that collects what goes wrong in it. */
export async function openBrowser() {
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS })
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    acceptDownloads: true,
  })
  const page = await context.newPage()
  const errors = []
  page.on('pageerror', (error) => errors.push(`page error: ${error.message}`))
  page.on('console', (message) => {
    // Refused requests are reported below, with their address.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) {
      errors.push(`console: ${message.text()}`)
    }
  })
  page.on('response', (response) => {
    // Asking who is signed in answers 401 before sign-in.
    if (response.status() >= 400 && response.status() !== 401) {
      errors.push(`${response.status()} ${response.request().method()} ${response.url()}`)
    }
  })
  return { browser, page, errors }
}

/** Polls until `check` gives something truthy. */
export async function until(what, check, limitMs = 60_000, stepMs = 250) {
  const deadline = Date.now() + limitMs
  while (Date.now() < deadline) {
    const value = await check()
    if (value) return value
    await new Promise((resolve) => setTimeout(resolve, stepMs))
  }
  throw new Error(`waited ${limitMs / 1000} s in vain: ${what}`)
}
