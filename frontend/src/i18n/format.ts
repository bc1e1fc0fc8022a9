/**
 * Numbers, sizes, durations and times as people read them. Functions of a language that is loaded;
 * components use `useFormat()`. Sizes count in 1024, as memory and operating systems do.
 */
import { useMemo } from 'react'
import { texts, useLanguage } from './language'

const MISSING = '–'
const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const

/** `12 min` in the words of a language that is loaded. */
const inUnit = (language: string, value: number | string, unit: 'd' | 'h' | 'min' | 's') =>
  texts.t(`general.durations.${unit}`, { lng: language, value })

const numberFormats = new Map<string, Intl.NumberFormat>()

function numberFormat(language: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language} ${JSON.stringify(options)}`
  const known = numberFormats.get(key) ?? new Intl.NumberFormat(language, options)
  numberFormats.set(key, known)
  return known
}

/** 1234567 → `1,234,567`; at most `digits` decimals. */
export function formatNumber(language: string, value: number | null | undefined, digits = 0) {
  if (value == null || Number.isNaN(value)) return MISSING
  return numberFormat(language, { maximumFractionDigits: digits }).format(value)
}

/** A measured value: four significant digits, scientific when tiny (1.414, 0.0213, 2e-4). */
export function formatValue(language: string, value: number | null | undefined): string {
  if (value == null || Number.isNaN(value)) return MISSING
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e9)) {
    return value.toExponential(3).replace(/\.?0+e/, 'e').replace('e+', 'e')
  }
  return numberFormat(language, { maximumSignificantDigits: 4 }).format(value)
}

/** 0.624 → `62 %`. */
export function formatPercent(language: string, fraction: number | null | undefined, digits = 0) {
  if (fraction == null || Number.isNaN(fraction)) return MISSING
  return numberFormat(language, { style: 'percent', maximumFractionDigits: digits }).format(fraction)
}

/** 1610612736 → `1.5 GB`. */
export function formatBytes(language: string, bytes: number | null | undefined): string {
  if (bytes == null || Number.isNaN(bytes)) return MISSING
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || Math.abs(value) >= 99.5 ? 0 : Math.abs(value) >= 9.95 ? 1 : 2
  return numberFormat(language, {
    style: 'unit',
    unit: BYTE_UNITS[unit],
    unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: digits,
  }).format(value)
}

/** 134515008 → `135M`; the way model sizes are written everywhere. */
export function formatParameters(value: number | null | undefined): string {
  if (value == null) return MISSING
  for (const [size, letter] of [[1e12, 'T'], [1e9, 'B'], [1e6, 'M'], [1e3, 'K']] as const) {
    // What would be written 1000M is 1.0B.
    if (value >= size * 0.9995) {
      const scaled = value / size
      return `${scaled.toFixed(scaled >= 99.5 || Number.isInteger(scaled) ? 0 : 1)}${letter}`
    }
  }
  return String(value)
}

/** 3840 → `1 h 04 min`; the two largest units that matter. */
export function formatDuration(language: string, seconds: number | null | undefined): string {
  if (seconds == null || Number.isNaN(seconds) || seconds < 0) return MISSING
  if (seconds < 9.95) {
    const digits = seconds > 0 && seconds < 0.95 ? 2 : 1
    const shown = numberFormat(language, { maximumFractionDigits: digits }).format(seconds)
    return inUnit(language, shown, 's')
  }
  const whole = Math.round(seconds)
  const two = (n: number) => String(n).padStart(2, '0')
  const [d, h, m, s] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60,
  ] as [number, number, number, number]
  if (d) return `${inUnit(language, d, 'd')} ${inUnit(language, two(h), 'h')}`
  if (h) return `${inUnit(language, h, 'h')} ${inUnit(language, two(m), 'min')}`
  if (m) return `${inUnit(language, m, 'min')} ${inUnit(language, two(s), 's')}`
  return inUnit(language, s, 's')
}

/** For estimates, without false precision: `45 s`, `12 min`, `1 h 04 min`. */
export function formatAbout(language: string, seconds: number | null | undefined): string {
  if (seconds == null || Number.isNaN(seconds) || seconds < 0) return MISSING
  if (seconds < 90) return formatDuration(language, Math.max(10, Math.round(seconds / 5) * 5))
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return inUnit(language, minutes, 'min')
  return formatDuration(language, minutes * 60)
}

const RELATIVE_STEPS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const

/** `3 minutes ago`; within five seconds: `now`. */
export function formatRelative(language: string, at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  for (const [unit, size] of RELATIVE_STEPS) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit)
  }
  return format.format(Math.abs(seconds) < 5 ? 0 : Math.trunc(seconds), 'second')
}

/** Date and time to the second, in the user's zone. */
export function formatDateTime(language: string, at: Date): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(at)
}

/** Time of day to the second, 24 hours: for logs. */
export function formatTime(language: string, at: Date): string {
  return new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(at)
}

/** `Chinese` for `zh`, in the language shown. */
export function formatLanguageName(language: string, code: string): string {
  try {
    return new Intl.DisplayNames(language, { type: 'language' }).of(code) ?? code
  } catch {
    return code
  }
}

/** `a, b and c` as the language joins them. */
export function formatList(language: string, items: readonly string[]): string {
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(items)
}

/** All of the above in the language shown. */
export function useFormat() {
  const { code } = useLanguage()
  return useMemo(
    () => ({
      number: (value: number | null | undefined, digits?: number) =>
        formatNumber(code, value, digits),
      value: (value: number | null | undefined) => formatValue(code, value),
      percent: (fraction: number | null | undefined, digits?: number) =>
        formatPercent(code, fraction, digits),
      bytes: (bytes: number | null | undefined) => formatBytes(code, bytes),
      parameters: formatParameters,
      duration: (seconds: number | null | undefined) => formatDuration(code, seconds),
      about: (seconds: number | null | undefined) => formatAbout(code, seconds),
      relative: (at: Date, now = new Date()) => formatRelative(code, at, now),
      dateTime: (at: Date) => formatDateTime(code, at),
      time: (at: Date) => formatTime(code, at),
      languageName: (tag: string) => formatLanguageName(code, tag),
      list: (items: readonly string[]) => formatList(code, items),
    }),
    [code],
  )
}
