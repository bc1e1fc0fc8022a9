/** Why no answer came, in the user's language. */
import type { TFunction } from 'i18next'
import type { Schemas } from '@/api/client'
import { originalWords, translateCode, translateHint } from '@/api/errors'
import { texts } from '@/i18n/language'

/** The worker's own sentences name what is wrong, as the number of tokens; here they stay. */
const SPECIFIC = new Set([
  'adapter_mismatch',
  'adapter_not_supported',
  'bad_conversation',
  'bad_request',
  'prompt_too_long',
  'unsafe_model',
])
/** Codes of the engine: its sentences name the cause, its hints are those of a training. */
const CAUSED = new Set([
  'bad_spec',
  'checkpoint_corrupt',
  'dependency',
  'disk_full',
  'host_out_of_memory',
  'internal',
  'model_not_found',
  'out_of_memory',
])

/** Words for no answer: the same code means another thing here than in a training. */
export function failureText(t: TFunction, error: Schemas['PlaygroundError']) {
  const { code } = error
  if (!texts.exists(`playground.failures.${code}`)) {
    return { message: translateCode(t, error), hint: translateHint(t, error) }
  }
  const words = `playground.failures.${code}` as 'playground.failures.shutdown'
  const message = t(`${words}.message`)
  const hint = t(`${words}.hint`)
  if (!SPECIFIC.has(code) && !CAUSED.has(code)) return { message, hint }
  const original = originalWords(error.message)
  if (original) return { message, hint: `${hint} ${t('errors.original', { message: original })}` }
  return { message: error.message || message, hint: SPECIFIC.has(code) ? error.hint || hint : hint }
}
