/** An event of a run as a sentence, in the user's language. */
import type { TFunction } from 'i18next'
import { choiceText, knobLabel } from '../wizard/texts'
import type { Schemas } from '@/api/client'
import { translateCode, type Params } from '@/api/errors'
import { countOf } from '@/i18n/counted'
import type { useFormat } from '@/i18n/format'

type Format = ReturnType<typeof useFormat>

/** Line numbers as the engine lists them: `3, 17 and 4 more`. */
function linesText(t: TFunction, listed: string): string {
  const found = /^(.+) and (\d+) more$/.exec(listed)
  return found ? t('events.linesAndMore', { lines: found[1], count: Number(found[2]) }) : listed
}

/** Settings as the engine lists them, by name: `packing, lora_rank`. */
const knobsText = (t: TFunction, format: Format, listed: string): string =>
  format.list(listed.split(', ').map((name) => knobLabel(t, name)))

/** Counts grouped, sizes with their unit; a device by its usual name, a setting by its label. */
function shown(t: TFunction, format: Format, params: Record<string, unknown>): Params {
  const texts = Object.entries(params).map(([key, value]) => {
    if (typeof value === 'number') {
      return [key, key.endsWith('_bytes') ? format.bytes(value) : format.number(value)] as const
    }
    if (key === 'knob') return [key, knobLabel(t, String(value))] as const
    if (key === 'knobs') return [key, knobsText(t, format, String(value))] as const
    if (key === 'kind') return [key, choiceText(t, String(value))] as const
    if (key === 'lines') return [key, linesText(t, String(value))] as const
    return [key, key === 'device' ? String(value).toUpperCase() : String(value)] as const
  })
  return Object.fromEntries(texts)
}

export function eventText(
  t: TFunction,
  format: Format,
  { type, code, message, params }: Schemas['TaskEvent'],
): string {
  // Why a run failed has its words among the errors.
  if (type === 'failed') return translateCode(t, { code, message, params: params as Params })
  return t(`events.${type}.${code}` as 'errors.unknown', {
    ...shown(t, format, params),
    ...countOf(code, params),
    defaultValue: message,
  })
}
